"""Tables as the bytes of a Parquet file, and back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet

from onward.errors import StorageError

__all__ = ["read", "to_bytes", "years"]


def to_bytes(frame: pd.DataFrame) -> bytes:
    """Return a table as a Parquet file."""
    sink = io.BytesIO()
    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    pyarrow.parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return columns of a Parquet file.

    Raises
    ------
    FileNotFoundError
        When there is none.
    StorageError
        When it is damaged.
    """
    try:
        frame: pd.DataFrame = pyarrow.parquet.ParquetFile(path).read(columns=list(columns)).to_pandas()
    except FileNotFoundError:
        raise
    except (pyarrow.ArrowException, OSError) as error:
        raise StorageError(
            "A file of the store is damaged",
            got=f"{path}: {str(error).splitlines()[0][:120]}",
            remedy="Remove its directory and import the data again.",
        ) from error
    return frame


def years(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Return the year (UTC) of each row."""
    return np.asarray(pd.DatetimeIndex(frame["timestamp"]).year, dtype=np.int32)
