"""A first look into a file: enough to recognise it, little enough to be instant."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pandas as pd

from onward.errors import FormatError

__all__ = ["Peek"]

T = TypeVar("T")
HEAD_BYTES = 65_536
SIGNATURES = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"%PDF": "PDF",
    b"PK\x03\x04": "ZIP; a spreadsheet is one too",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet or document",
    b"SQLite format 3": "SQLite",
    b"PAR1": "Parquet; name it .parquet",
    b"ARROW1": "Arrow; name it .feather",
    b"\x1f\x8b": "gzip",
}
"""How files begin that people mistake for tables."""
_TEXT = (".csv", ".txt", ".tsv")


@dataclass(frozen=True, eq=False)
class Peek:
    """What the beginning of a file shows.

    Attributes
    ----------
    path
        The file; ``.gz`` and one-file ``.zip`` wrappers are looked through.
    """

    path: Path

    def __post_init__(self) -> None:
        if not self.path.exists():
            raise FormatError("There is no such file", got=str(self.path))
        if self.path.is_dir():
            raise FormatError("A file is wanted, not a directory", got=str(self.path))
        if self.path.stat().st_size == 0:
            raise FormatError("The file is empty", got=str(self.path))

    @cached_property
    def suffix(self) -> str:
        """File type by name, lower case, without compression: ``.csv``, ``.parquet`` ..."""
        suffixes = [s.lower() for s in self.path.suffixes]
        if suffixes and suffixes[-1] in (".gz", ".zip"):
            inner = [s for s in suffixes[:-1] if s in (*_TEXT, ".json")]
            return inner[-1] if inner else ".csv"
        return suffixes[-1] if suffixes else ""

    @property
    def is_text_table(self) -> bool:
        """Whether the name says that this is a table in text."""
        return self.suffix in _TEXT

    @cached_property
    def stem(self) -> str:
        """Name of the file without its endings."""
        return self.path.name.split(".")[0]

    @cached_property
    def head(self) -> str:
        """The first characters of a text file."""
        try:
            if self.path.suffix.lower() == ".gz":
                with gzip.open(self.path) as stream:
                    data = stream.read(HEAD_BYTES)
            elif self.path.suffix.lower() == ".zip":
                with zipfile.ZipFile(self.path) as archive, archive.open(archive.namelist()[0]) as stream:
                    data = stream.read(HEAD_BYTES)
            else:
                with self.path.open("rb") as stream:
                    data = stream.read(HEAD_BYTES)
        except (OSError, EOFError, IndexError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise FormatError("The file cannot be read", got=f"{self.path.name}: {error}") from error
        return data.decode("utf-8-sig", errors="replace")

    @cached_property
    def binary(self) -> str | None:
        """What a file is that is neither text nor a table: its bytes tell a reader nothing."""
        if self.suffix in (".parquet", ".feather", ".arrow") or not {"\0", "\ufffd"} & set(self.head):
            return None
        with self.path.open("rb") as stream:
            begins = stream.read(max(map(len, SIGNATURES)))
        named = (name for start, name in SIGNATURES.items() if begins.startswith(start))
        return f"a binary file ({name})" if (name := next(named, None)) else "a binary file"

    @cached_property
    def lines(self) -> list[str]:
        """The first lines of a text file, complete ones only."""
        lines = self.head.splitlines()
        return lines[:-1] if len(self.head) >= HEAD_BYTES // 2 and len(lines) > 1 else lines

    @cached_property
    def delimiter(self) -> str:
        """The likeliest separator of a text table."""
        sample = "\n".join(self.lines[:3])
        return max(",;\t", key=sample.count)

    def cells(self, line: int) -> list[str]:
        """Return the cells of a line of a text table, stripped; empty beyond the end."""
        if line >= len(self.lines):
            return []
        return [cell.strip().strip('"') for cell in self.lines[line].split(self.delimiter)]

    @cached_property
    def columns(self) -> list[str]:
        """Lower-case column names: the schema of a binary file, the first line of a text table."""
        if self.suffix == ".parquet":
            import pyarrow.parquet

            names = self._arrow(lambda: pyarrow.parquet.read_schema(self.path).names)
        elif self.suffix in (".feather", ".arrow"):
            import pyarrow.feather

            names = self._arrow(lambda: pyarrow.feather.read_table(self.path, memory_map=True).column_names)
        elif self.is_text_table:
            names = self.cells(0)
        else:
            names = []
        return [str(n).strip().lower().replace(" ", "_") for n in names]

    def table(self, *, header: bool = True, skip_lines: int = 0) -> pd.DataFrame:
        """Read the whole table, column names as they are (numbers without a header)."""
        if self.suffix == ".parquet":
            return self._arrow(lambda: pd.read_parquet(self.path))
        if self.suffix in (".feather", ".arrow"):
            return self._arrow(lambda: pd.read_feather(self.path))
        return pd.read_csv(
            self.path,
            sep=self.delimiter,
            header=0 if header else None,
            skiprows=skip_lines,
            skipinitialspace=True,
            encoding="utf-8-sig",
            float_precision="round_trip",  # the default is off by a bit now and then
        )

    def text(self) -> str:
        """Return the whole text of the file."""
        if self.path.suffix.lower() == ".gz":
            with gzip.open(self.path) as stream:
                return stream.read().decode("utf-8-sig")
        if self.path.suffix.lower() == ".zip":
            with zipfile.ZipFile(self.path) as archive, archive.open(archive.namelist()[0]) as inner:
                return io.TextIOWrapper(inner, "utf-8-sig").read()
        return self.path.read_text("utf-8-sig")

    def _arrow(self, reader: Callable[[], T]) -> T:
        import pyarrow

        try:
            return reader()
        except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, OSError) as error:
            raise FormatError(
                f"The file is not the {self.suffix[1:]} table that its name promises, or it is damaged",
                got=f"{self.path.name}: {str(error).splitlines()[0][:120]}",
                remedy="Fetch or export it again.",
            ) from error
