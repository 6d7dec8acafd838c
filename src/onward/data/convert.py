"""Markets written as ordinary files: CSV, Parquet, feather."""

from __future__ import annotations

import io
import os
from pathlib import Path

from onward.data.repositories.files import storage_errors, write_atomically
from onward.errors import FormatError
from onward.types import Market

__all__ = ["FORMATS", "write_market"]

FORMATS = (".csv", ".parquet", ".feather")


def write_market(market: Market, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write the bars of a market in long format: ``symbol, timestamp, open ... volume``.

    ``timestamp`` is the UTC open time (CSV: ISO 8601 with ``+00:00``). Numbers survive the way
    there and back unchanged; side series are not written. The file appears whole or not at all.

    Parameters
    ----------
    market
        What to write.
    path
        Ends in ``.csv``, ``.parquet`` or ``.feather``.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    FormatError
        For other endings, or when the file exists.
    StorageError
        When the disk refuses.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise FormatError("Unknown file type", got=target.name, allowed=", ".join(FORMATS))
    if target.exists() and not overwrite:
        raise FormatError(
            "The file exists already", got=str(target), remedy="Choose another name, or allow overwriting."
        )
    frame = market.bars.reset_index().rename(columns={"open_time": "timestamp"})
    sink = io.BytesIO()
    if target.suffix.lower() == ".csv":
        frame.to_csv(sink, index=False)
    elif target.suffix.lower() == ".parquet":
        frame.to_parquet(sink, index=False, compression="zstd")
    else:
        frame.to_feather(sink)
    with storage_errors("writing the file", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, sink.getvalue())
    return target
