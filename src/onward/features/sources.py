"""The source file of a module, found without running the module."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from onward.errors import StageError

__all__ = ["source_hash"]


def source_hash(module: str) -> str:
    """Return the SHA-256 of a module's source file; the packages around it are imported, it is not.

    Raises
    ------
    StageError
        If there is no such module, or it has no source file.
    """
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # a parent package is missing, or __main__
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise StageError(
            f"the module {module} of a stage cannot be found",
            got=module,
            allowed="a module of the working directory, or of an installed package, with a source file",
            remedy="Run in the directory of the module, or install its package.",
        )
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
