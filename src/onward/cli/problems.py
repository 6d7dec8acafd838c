"""Errors as a person wants to read them: what, got, allowed, fix; no traceback."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import typer

from onward.errors import OnwardError, StorageError

__all__ = ["as_problem", "print_problem"]


def print_problem(error: OnwardError, *, as_json: bool) -> None:
    """Write an error to standard error, as lines or as one JSON object."""
    if as_json:
        typer.echo(
            json.dumps({**error.to_dict(), "exit_code": error.exit_code}, ensure_ascii=False), err=True
        )
        return
    typer.secho(f"Error: {error.what}", fg=typer.colors.RED, bold=True, err=True)
    for label, text in (("got", error.got), ("allowed", error.allowed), ("fix", error.remedy)):
        if text:
            typer.echo(f"  {label + ':':<9}{text}", err=True)


def as_problem(error: OSError) -> StorageError:
    """Return what the operating system refused as an error that teaches."""
    place = f" ({error.filename})" if error.filename else ""
    missing = error.errno == errno.ENOENT and error.filename and not Path(error.filename).parent.exists()
    if missing:  # a file to be written: its draft has a name of its own, which says nothing to anybody
        return StorageError(
            "There is no such directory",
            got=str(Path(error.filename).parent),
            remedy="Make it, or name another place.",
        )
    remedies = {
        errno.ENOSPC: "Free some space, then run the command again: nothing was left half-written.",
        errno.EDQUOT: "Free some of your quota, then run the command again.",
        errno.EACCES: "Change the permissions, or name another place.",
        errno.EPERM: "Change the permissions, or name another place.",
        errno.EROFS: "Name a place that can be written to, for instance with --home.",
        errno.ENOENT: "Check the path.",
        errno.EISDIR: "Name a file, not a directory.",
    }
    return StorageError(
        "the operating system refused",
        got=f"{error.strerror or error}{place}",
        remedy=remedies.get(error.errno or 0, "Check the path and the disk."),
    )
