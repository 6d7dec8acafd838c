"""Reading a sent file where it can do no harm: in a child process with limits of time and memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onward.errors import DataError, FormatError, OnwardError
from onward.server.uploads.staging import called

__all__ = ["read_guarded"]


def read_guarded(
    path: Path,
    asked: dict[str, str | None],
    *,
    seconds: float,
    memory_bytes: int,
    name: str | None = None,
) -> dict[str, Any]:
    """Return what a sent file holds.

    Parameters
    ----------
    path
        The file.
    asked
        ``symbol``, ``timeframe``, ``format``; None where the file is to say it.
    seconds, memory_bytes
        Limits of the child process.
    name
        How the client called the file: what is said of it says so; None for what was written down beside
        it when it came, else the path's own name.

    Raises
    ------
    DataError
        When reading it takes more time or memory than allowed: it is packed too well.
    FormatError
        When it is no table that can be read, or brought the reader down.
    OnwardError
        Whatever an import of the file would be refused for.
    """
    from onward.features.isolation import (
        ChildKilledError,
        ChildMemoryError,
        ChildTimeoutError,
        IsolatedProcess,
        IsolationError,
        Limits,
    )

    shown = called(path) if name is None else name
    limits = Limits(seconds=seconds, memory_bytes=memory_bytes, address_space_bytes=memory_bytes + 2 * 2**30)
    try:
        with IsolatedProcess(limits=limits, directory=path.parent) as child:
            answer = child.call(
                "onward.server.uploads.inspection:inspect",
                values={"path": str(path), "most_bytes": memory_bytes, **asked},
            )
    except (ChildMemoryError, ChildKilledError) as error:
        raise DataError(
            "the file takes more memory to read than an upload may",
            got=shown,
            allowed=f"{memory_bytes / 1e6:,.0f} MB (server.upload_memory_mb)",
            remedy="Send it in parts, or import it on the server: onward data import FILE",
        ) from error
    except ChildTimeoutError as error:
        raise DataError(
            "the file takes longer to read than an upload may",
            got=shown,
            allowed=f"{seconds:g} s (server.upload_seconds)",
            remedy="Send it in parts, or import it on the server: onward data import FILE",
        ) from error
    except IsolationError as error:
        raise FormatError(
            "the file cannot be read",
            got=_spoken(f"{path.name}: {(error.got or error.what)[:200]}", path, shown),
            allowed="candles or a side series as CSV, Parquet, feather or JSON",
            remedy="Check that it was sent whole and is of the format that its name says.",
        ) from error
    except OnwardError as error:
        raise error.put(lambda said: _spoken(said, path, shown)) from error
    told = dict(answer.results)
    return {**told, "file": shown} if told.get("file") == path.name else told


def _spoken(text: str, path: Path, shown: str) -> str:
    """Return what was said of a file with the name that its sender knows, and no place of this machine."""
    whole = text.replace(str(path), shown).replace(f"{path.parent}/", "").replace(str(path.parent), "")
    # As a rule it is the first thing that is said; elsewhere a short name may be a word like any other.
    return shown + whole.removeprefix(path.name) if whole.startswith(f"{path.name}:") else whole
