"""The parameters of a search: what each may be, and how Optuna is told."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["Choice", "Parameter", "Range"]


@dataclass(frozen=True)
class Choice:
    """A parameter with a list of values.

    Attributes
    ----------
    path
        Dotted place in the plan.
    values
        What it may be, at least two, in the order in which they were written.
    """

    path: str
    values: tuple[Any, ...]

    @property
    def extremes(self) -> tuple[Any, ...]:
        """Values that show whether the parameter fits the plan: all of them."""
        return self.values

    @property
    def size(self) -> float:
        """Number of values."""
        return len(self.values)

    def distribution(self) -> BaseDistribution:
        """Return what Optuna draws from: the values as JSON text, lists included."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([json.dumps(value) for value in self.values])

    def decoded(self, drawn: Any) -> Any:
        """Return the value that a draw stands for."""
        return json.loads(drawn)

    def encoded(self, value: Any) -> Any:
        """Return the draw that stands for a value; None when it is not among them."""
        text = json.dumps(value)
        return text if text in {json.dumps(one) for one in self.values} else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"path": self.path, "choices": list(self.values)}


@dataclass(frozen=True)
class Range:
    """A number between two bounds, both included.

    Attributes
    ----------
    path
        Dotted place in the plan.
    low, high
        Bounds.
    step
        Distance between neighbouring values; None: 1 for whole numbers, none for others.
    log
        Whether small values are drawn as often as large ones, by orders of magnitude.
    whole
        Whether values are whole numbers.
    """

    path: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    @property
    def extremes(self) -> tuple[Any, ...]:
        """Values that show whether the parameter fits the plan: both bounds."""
        return (int(self.low), int(self.high)) if self.whole else (self.low, self.high)

    @property
    def size(self) -> float:
        """Number of values; infinite without a step."""
        if self.step is None and not self.whole:
            return math.inf
        return math.floor((self.high - self.low) / (self.step or 1) + 1e-9) + 1

    def distribution(self) -> BaseDistribution:
        """Return what Optuna draws from."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            step = 1 if self.step is None else int(self.step)
            last = int(self.low) + (int(self.high) - int(self.low)) // step * step
            return IntDistribution(int(self.low), last, log=self.log, step=step)
        high = self.high if self.step is None else round(self.low + (self.size - 1) * self.step, 12)
        return FloatDistribution(self.low, high, log=self.log, step=self.step)

    def decoded(self, drawn: Any) -> Any:
        """Return the value that a draw stands for."""
        return int(drawn) if self.whole else float(drawn)

    def encoded(self, value: Any) -> Any:
        """Return the draw that stands for a value; None when it lies outside or between steps."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return self.decoded(value) if self.distribution()._contains(value) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"path": self.path, "low": self.low, "high": self.high, "step": self.step, "log": self.log}


Parameter: TypeAlias = Choice | Range
