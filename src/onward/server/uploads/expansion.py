"""How large a packed file becomes, counted before anybody reads it as a table."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from onward.errors import DataError, FormatError

__all__ = ["check_expansion"]

CHUNK_BYTES = 2**20
HARMLESS_BYTES = 64 * 2**20
MOST_TIMES = 200
"""Candles as text pack three- to twentyfold, the dullest ones fiftyfold; deflate manages a thousandfold."""


def check_expansion(path: Path, most_bytes: int) -> None:
    """Refuse a ``.gz`` or ``.zip`` file that unpacks to more than it may; for the child process.

    What the archive says of its own size is not believed: it is unpacked, in pieces that are let go.

    Parameters
    ----------
    path
        The file; one that is not packed passes.
    most_bytes
        What the whole table may take in memory, hence its text.

    Raises
    ------
    DataError
        When it is larger, or packed better than market data can be.
    FormatError
        When it is no such archive, is damaged, or holds several files.
    """
    packed = path.stat().st_size
    likely = min(most_bytes, max(HARMLESS_BYTES, MOST_TIMES * packed))
    unpacked = 0
    try:
        with _opened(path) as stream:
            while stream is not None and unpacked <= likely and (piece := stream.read(CHUNK_BYTES)):
                unpacked += len(piece)
    except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise FormatError(
            "the archive cannot be unpacked",
            got=f"{path.name}: {error}",
            remedy="Check that it was sent whole, and holds one file without a password.",
        ) from error
    if unpacked > likely:
        raise _too_large(path, packed, likely, most_bytes)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile | None]:
    """Give the content of a packed file; None for one that is not packed."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.open(path) as stream:
            yield stream
    elif suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise zipfile.BadZipFile(f"it holds {len(names)} files")
            with archive.open(names[0]) as stream:
                yield stream
    else:
        yield None


def _too_large(path: Path, packed: int, likely: int, most_bytes: int) -> DataError:
    if likely == most_bytes:
        allowed = f"{most_bytes / 1e6:,.0f} MB (server.upload_memory_mb)"
    else:
        allowed = f"{likely / 1e6:,.0f} MB ({MOST_TIMES} times as much as was sent)"
    return DataError(
        "the archive unpacks to more than an upload may",
        got=f"{path.name}: {packed / 1e6:,.2f} MB, which unpack to more than {likely / 1e6:,.0f} MB",
        allowed=allowed,
        remedy="Send the table unpacked or in parts, or import it on the server: onward data import FILE",
    )
