"""What autofeat was shown, what it made of it, and what became of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from onward.features.autofeat.estimate import Estimate

__all__ = ["AutoFeatReport", "GeneratedFeature"]


@dataclass(frozen=True)
class GeneratedFeature:
    """One formula that was kept.

    Attributes
    ----------
    name
        Column name, ``autofeat__`` and the formula with its columns written out.
    formula
        Formula text over the aliases of `inputs`; see `onward.features.autofeat.formula`.
    inputs
        Column name by alias.
    z_direction, z_range
        How far its rank correlation with the labels stands above that with shifted ones, on the
        training rows that were kept back from the search.
    """

    name: str
    formula: str
    inputs: Mapping[str, str]
    z_direction: float
    z_range: float

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**self.__dict__, "inputs": dict(self.inputs)}


@dataclass(frozen=True)
class AutoFeatReport:
    """How a fit went.

    Attributes
    ----------
    status
        ``fitted``, ``nothing found``, ``skipped`` (it failed, and the stage passes its input
        through) or ``not fitted``.
    reason
        Why it was skipped; empty otherwise.
    training_rows, sampled_rows, confirming_rows
        Rows of the fold, rows that autofeat was shown, and rows kept back to confirm formulas.
    inputs
        Columns that autofeat was shown, most relevant first.
    estimate
        What the run was expected to take; None when it did not come to that.
    generated, offered
        Candidates that autofeat made, and how many of them went into its selection.
    rejected
        Reason by formula, for those that autofeat chose and we did not keep.
    seconds, peak_bytes
        Measured time and memory of the child. They differ from run to run and are not saved.
    """

    status: Literal["fitted", "nothing found", "skipped", "not fitted"] = "not fitted"
    reason: str = ""
    training_rows: int = 0
    sampled_rows: int = 0
    confirming_rows: int = 0
    inputs: tuple[str, ...] = ()
    estimate: Estimate | None = None
    generated: int = 0
    offered: int = 0
    rejected: Mapping[str, str] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    peak_bytes: int = field(default=0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, equal for equal data and seeds."""
        state = asdict(self)
        del state["seconds"], state["peak_bytes"]
        return {**state, "inputs": list(self.inputs)}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a report; raises KeyError or TypeError when it is none."""
        size = state["estimate"]
        return cls(
            **{
                **state,
                "inputs": tuple(state["inputs"]),
                "estimate": None if size is None else Estimate(**size),
            }
        )
