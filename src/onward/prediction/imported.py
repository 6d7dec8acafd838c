"""Stages of the user's own code, by address: ``my_module:MyStage``.

A bundle never brings code. For such a stage it notes the address and the SHA-256 of the module's
source; whoever loads the bundle must have the same module, and it is not imported before its
source was compared. Nothing is called by loading except a stage class without arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd

from onward.addresses import importable, load_address
from onward.audit import load_stage
from onward.errors import StageError
from onward.features.catalog import TwoPartStage
from onward.features.description import FeatureInfo, describe
from onward.features.selection.live_columns import restricted
from onward.features.sources import source_hash
from onward.protocols import CausalStage, FittedStage
from onward.types import Market

__all__ = ["ImportedStage", "import_stage"]

KEYS = ("stage", "import", "source_sha256", "columns", "lookback")


@dataclass(frozen=True, eq=False)
class ImportedStage:
    """A causal stage that knows where it came from.

    What the stage offers beyond the protocol is offered here too: `describe`, `fitted_part`,
    `restricted`, ``series``, ``disabled``. It has no ``spec()`` on purpose: its values are never cached,
    because an edited helper module of the user's would go unnoticed.

    Attributes
    ----------
    inner
        The stage itself.
    target
        ``module:name``.
    source_sha256
        SHA-256 of the module's source file when it was imported.
    """

    inner: CausalStage
    target: str
    source_sha256: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return self.inner.name

    @property
    def scope(self) -> Literal["symbol", "cross_section"]:
        """Scope of the stage."""
        return self.inner.scope

    @property
    def lookback(self) -> int:
        """Bars that the stage needs."""
        return int(self.inner.lookback)

    @property
    def module(self) -> str:
        """Module that it was imported from."""
        return self.target.partition(":")[0]

    def columns(self) -> tuple[str, ...]:
        """Return the stage's columns."""
        return tuple(self.inner.columns())

    def compute(self, market: Market) -> pd.DataFrame:
        """Return what the stage computes."""
        return self.inner.compute(market)

    @property
    def series(self) -> tuple[str, ...]:
        """Value columns of side series that the stage says it reads; none when it says nothing."""
        return tuple(getattr(self.inner, "series", ()))

    @property
    def disabled(self) -> Mapping[str, str]:
        """Parts of the stage that are off, and why; none when it says nothing."""
        return dict(getattr(self.inner, "disabled", {}))

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a feature: what the stage says of itself, or its names."""
        return describe(self.inner)

    def fitted_part(self) -> FittedStage | None:
        """Return what of the stage is fitted in a fold; None when nothing is."""
        return self.inner.fitted_part() if isinstance(self.inner, TwoPartStage) else None

    def restricted(self, columns: Sequence[str]) -> ImportedStage:
        """Return the stage with at least these columns; itself when it cannot compute less."""
        return replace(self, inner=restricted(self.inner, columns))

    def address(self) -> dict[str, Any]:
        """Return, as plain JSON values, what finds the stage again."""
        return {
            "stage": self.name,
            "import": self.target,
            "source_sha256": self.source_sha256,
            "columns": list(self.columns()),
            "lookback": self.lookback,
        }

    @classmethod
    def from_address(cls, address: Mapping[str, Any]) -> Self:
        """Find a stage again.

        Raises
        ------
        StageError
            When its module is not here, is not the one that the model was trained with, or gives
            another stage.
        """
        if set(address) != set(KEYS):
            raise StageError(
                "the address of a stage is not complete",
                got=", ".join(map(str, address)),
                allowed=", ".join(KEYS),
                remedy="Take an undamaged copy of the bundle.",
            )
        target, expected = str(address["import"]), address["source_sha256"]
        module = target.partition(":")[0]
        with importable(Path.cwd()):
            found = source_hash(module)
        if found != expected:
            raise StageError(
                f"the stage {target!r} is not the one that the model was trained with",
                got=f"the source of {module} has SHA-256 {found[:16]}",
                allowed=f"SHA-256 {str(expected)[:16]}",
                remedy="Bring back the module as it was, or train again.",
            )
        stage = cls(_stage(target), target, found)
        if list(stage.columns()) != list(address["columns"]) or stage.lookback != address["lookback"]:
            raise StageError(
                f"the stage {target!r} has other columns or another lookback than in training",
                got=f"{len(stage.columns())} columns, lookback {stage.lookback}",
                allowed=f"{len(address['columns'])} columns, lookback {address['lookback']}",
                remedy="Bring back the versions of the packages that it uses, or train again.",
            )
        return stage


def import_stage(target: str) -> ImportedStage:
    """Return the stage that ``module:name`` names, fit for training and for being found again.

    Modules are looked for in the working directory, then among the installed ones.

    Raises
    ------
    AuditError
        When there is no such module or name, or it is no stage.
    StageError
        When it is a function or a factory, declares no columns or lookback, or its module has
        no source file.
    """
    load_stage(target)  # refuses with a reason what is no stage at all
    module = target.partition(":")[0]
    with importable(Path.cwd()):
        stage = ImportedStage(_stage(target), target, source_hash(module))
    if not stage.columns() or stage.lookback < 1:
        raise StageError(
            f"{target} does not say what it gives and how much it needs",
            got=f"{len(stage.columns())} columns, lookback {stage.lookback}",
            allowed="columns() with at least one name, a lookback of at least 1 bar",
            remedy="Live prediction reads exactly lookback bars: declare both.",
        )
    return stage


def _stage(target: str) -> CausalStage:
    """Return the stage behind an address without calling anything but a stage class."""
    found = load_address(target, "a stage", StageError, directory=Path.cwd())
    if not all(hasattr(found, name) for name in ("columns", "compute")):
        raise StageError(
            f"{target} cannot be found again by a saved model",
            got=f"a {type(found).__name__}",
            allowed="a stage class that needs no arguments, or a ready stage",
            remedy="Write `stage = ...` in the module, with a stage as its value, and name that.",
        )
    return load_stage(target)
