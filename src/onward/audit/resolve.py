"""Finds a stage in the user's own code by ``module:name``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, cast

from onward.addresses import importable, load_address
from onward.audit.adapters import as_stage
from onward.errors import AuditError
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
    home = (directory or Path.cwd()).resolve()
    with importable(home):  # a class or factory may import more when it is called
        return _as_causal_stage(load_address(target, "a stage", AuditError, directory=home), target)


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
