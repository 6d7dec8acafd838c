"""Whether a file can be written at a place, asked before hours of work are put into what it shall hold."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from onward.errors import UserError

__all__ = ["require_writable"]


def require_writable(path: Path) -> None:
    """Refuse a path at which no file could be written; nothing is left behind.

    Directories that are missing are no reason: they are made when the file is written. An empty draft
    such as `onward.registry.files.atomic_file` makes is written beside the path, or in the nearest
    directory above it that there is, since only trying tells of a disk that is read-only.

    Raises
    ------
    UserError
        When something else has this name, or the system refuses.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow what is to be replaced
    try:
        if absolute.is_dir():
            raise UserError("there is a directory of this name", got=str(path), remedy="Name a file.")
        above = next(parent for parent in absolute.parents if parent.exists())
        draft = above / f".{absolute.name}.{uuid.uuid4().hex}"
        draft.touch(exist_ok=False)
        draft.unlink()
    except OSError as error:
        raise UserError(
            "no file can be written there",
            got=f"{path} ({error.strerror or error})",
            allowed="a place below a directory that can be written",
            remedy="Choose another place, or make it writable.",
        ) from error
