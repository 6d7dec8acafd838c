"""Finds a stage in the user's own code by ``module:name``."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from onward.audit.adapters import as_stage
from onward.errors import AuditError, nearest
from onward.protocols import CausalStage

__all__ = ["load_stage"]

NEEDED = ("name", "scope", "lookback", "columns", "compute")


def load_stage(target: str, *, directory: Path | None = None) -> CausalStage:
    """Return the stage that a text such as ``my_module:MyStage`` names.

    Parameters
    ----------
    target
        ``module:name``; the name may be dotted. It may name a stage, a stage class that needs no
        arguments, a factory without parameters that returns a stage, or a plain function of
        market data (see `onward.audit.as_stage`).
    directory
        Where modules are looked for before the installed ones; the working directory when None.

    Raises
    ------
    AuditError
        The text is not of that form, the module cannot be imported, the name does not exist, or
        what it names is no stage.
    """
    module_name, _, path = target.partition(":")
    if not module_name or not path or not all(part.isidentifier() for part in path.split(".")):
        raise AuditError(
            "This does not name a stage",
            got=repr(target),
            allowed="module:name, for example my_module:MyStage",
            remedy="Write the import path of the module, a colon, and the name inside it.",
        )
    home = (directory or Path.cwd()).resolve()
    with _importable(home):
        module = _imported(module_name, home)
        found: Any = module
        for part in path.split("."):
            if not hasattr(found, part):
                raise AuditError(
                    f"{module_name} has no {part}",
                    got=repr(target),
                    allowed=_offered(found, part),
                )
            found = getattr(found, part)
        return _as_causal_stage(found, target)


@contextmanager
def _importable(directory: Path) -> Iterator[None]:
    path = str(directory)
    sys.path.insert(0, path)
    try:
        yield
    finally:
        sys.path.remove(path)


def _imported(name: str, directory: Path) -> Any:
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if missing != name and not name.startswith(f"{missing}."):
            raise AuditError(
                f"{name} imports {missing}, which is not installed",
                got=str(error),
                remedy=f"Install {missing} in the environment that runs Onward.",
            ) from error
        local = sorted(p.stem for p in directory.glob("*.py"))
        close = nearest(name, local)
        hint = f"; did you mean {close}?" if close else ""
        raise AuditError(
            f"There is no module {name}{hint}",
            got=name,
            allowed=f"a module of this environment or of {directory}" + (f": {local[:8]}" if local else ""),
            remedy="Run the command in the directory of the module, or install its package.",
        ) from error
    except Exception as error:
        raise AuditError(
            f"{name} cannot be imported",
            got=f"{type(error).__name__}: {error}",
            remedy="Make `import` of the module work first.",
        ) from error


def _as_causal_stage(found: Any, target: str) -> CausalStage:
    if inspect.isclass(found):
        return _checked(_made(found, target), target)
    if hasattr(found, "compute"):
        return _checked(found, target)
    if callable(found):
        try:
            parameters = inspect.signature(found).parameters
        except (TypeError, ValueError):
            parameters = None
        if parameters is not None and len(parameters) == 0:
            return _checked(_made(found, target), target)
        return cast(CausalStage, as_stage(found))
    raise AuditError(
        f"{target} is no stage",
        got=type(found).__name__,
        allowed="a CausalStage, its class, a factory without parameters, or a function of market data",
    )


def _made(factory: Any, target: str) -> Any:
    try:
        return factory()
    except Exception as error:
        raise AuditError(
            f"{target} cannot be made without arguments",
            got=f"{type(error).__name__}: {error}",
            allowed="a class or factory that needs none",
            remedy="Name a ready instance instead: `stage = MyStage(window=24)` and module:stage.",
        ) from error


def _checked(stage: Any, target: str) -> CausalStage:
    missing = [name for name in NEEDED if not hasattr(stage, name)]
    if missing:
        raise AuditError(
            f"{target} is no causal stage",
            got=f"{type(stage).__name__} without {', '.join(missing)}",
            allowed=f"an object with {', '.join(NEEDED)}",
            remedy="See onward.protocols.CausalStage, or name a plain function of market data.",
        )
    if stage.scope not in ("symbol", "cross_section"):
        raise AuditError(
            f"{target} has an unknown scope", got=repr(stage.scope), allowed="'symbol' or 'cross_section'"
        )
    checked: CausalStage = stage
    return checked


def _offered(found: Any, part: str) -> str:
    public = vars(found).items() if hasattr(found, "__dict__") else ()
    names = [name for name, value in public if not (name.startswith("_") or inspect.ismodule(value))]
    close = nearest(part, names)
    return f"did you mean {close}?" if close else ", ".join(sorted(names)[:12]) or "nothing"
