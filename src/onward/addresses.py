"""Finds what an address names: ``module:name``, the name possibly dotted.

One door for everything that plans, bundles and commands name this way, and one text when it leads
nowhere. Importing runs the module: whoever must not trust an address checks it before (a hash of the
source, a mark on what was found) or after; this module checks nothing but the spelling.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onward.errors import UserError, nearest

__all__ = ["importable", "load_address"]

SHOWN = 12


def load_address(address: str, what: str, error: type[UserError], *, directory: Path | None = None) -> Any:
    """Return what an address names.

    Parameters
    ----------
    address
        ``module:name``; the name may be dotted.
    what
        What it should be, with its article: ``a stage``.
    error
        Class of the error when it leads nowhere.
    directory
        Where modules are looked for before the installed ones; nowhere else when None.

    Raises
    ------
    UserError
        Of the class ``error``: the text is not of that form, the module is missing or cannot be
        imported, or has no such name (the nearest is named).
    """
    module_name, _, path = address.partition(":")
    if not module_name or not all(part.isidentifier() for part in path.split(".")):
        raise error(
            f"the address of {what} is not of the form module:name",
            got=repr(address),
            allowed="module:name, for example my_module:MyName",
            remedy="Write the import path of the module, a colon, and the name inside it.",
        )
    lost = f"{what} cannot be found at its address"
    if directory is None:
        found = _imported(module_name, lost, address, error, None)
    else:
        with importable(directory):
            found = _imported(module_name, lost, address, error, directory)
    for part in path.split("."):
        if not hasattr(found, part):
            raise error(
                f"{lost}: {module_name} has no {part}",
                got=repr(address),
                allowed=_offered(found, part),
                remedy="Correct the name; what stands inside a function cannot be found.",
            )
        found = getattr(found, part)
    return found


@contextmanager
def importable(directory: Path) -> Iterator[None]:
    """Look for modules in a directory before the installed ones."""
    path = str(directory)
    sys.path.insert(0, path)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(path)


def _imported(name: str, lost: str, address: str, error: type[UserError], directory: Path | None) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as failure:
        missing = failure.name or name
        if missing != name and not name.startswith(f"{missing}."):
            raise error(
                f"{lost}: {name} imports {missing}, which is not installed",
                got=f"{address!r} ({failure})",
                remedy=f"Install {missing} in the environment that runs Onward.",
            ) from failure
        local = sorted(path.stem for path in directory.glob("*.py")) if directory else []
        close = nearest(name, local)
        where = f" or of {directory}" if directory else ""
        raise error(
            f"{lost}: there is no module {name}" + (f"; did you mean {close}?" if close else ""),
            got=repr(address),
            allowed=f"a module of this environment{where}" + (f": {local[:8]}" if local else ""),
            remedy="Run in the directory of the module, add that to PYTHONPATH, or install its package.",
        ) from failure
    except Exception as failure:  # a module may raise anything
        raise error(
            f"{lost}: {name} cannot be imported",
            got=f"{address!r} ({type(failure).__name__}: {failure})",
            remedy="Make `import` of the module work first.",
        ) from failure


def _offered(found: Any, part: str) -> str:
    public = vars(found).items() if hasattr(found, "__dict__") else ()
    names = [name for name, value in public if not (name.startswith("_") or inspect.ismodule(value))]
    close = nearest(part, names)
    return f"did you mean {close}?" if close else ", ".join(sorted(names)[:SHOWN]) or "nothing"
