"""The parameters of `AutoFeatStage`, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from onward.errors import ConfigError, nearest

__all__ = ["DEFAULT_TRANSFORMATIONS", "TRANSFORMATIONS", "Parameters"]

DEFAULT_TRANSFORMATIONS = ("1/", "exp", "log", "abs", "sqrt", "^2", "^3")
TRANSFORMATIONS = (*DEFAULT_TRANSFORMATIONS, "1+", "1-", "sin", "cos", "exp-", "2^")
"""All that autofeat 2.1.1 knows."""


@dataclass(frozen=True)
class Parameters:
    """See `onward.features.autofeat.AutoFeatStage`, whose arguments these are."""

    feateng_steps: int
    transformations: tuple[str, ...]
    featsel_runs: int
    max_inputs: int
    max_rows: int
    max_candidates: int | None
    max_generated: int
    max_formulas: int
    confirm_share: float
    min_z: float | None
    max_correlation: float
    n_shifts: int
    max_gb: float
    timeout_seconds: float
    threads: int
    generated_only: bool
    on_failure: Literal["raise", "skip"]

    def __post_init__(self) -> None:
        for name, least, most in (
            ("feateng_steps", 1, 5),
            ("featsel_runs", 1, 100),
            ("max_inputs", 2, 999),
            ("max_rows", 50, 1_000_000),
            ("max_generated", 10, 10_000_000),
            ("max_formulas", 1, 10_000),
            ("n_shifts", 20, 100_000),
            ("threads", 1, 1024),
        ):
            value = getattr(self, name)
            whole = type(value) is int
            _check(name, value, whole and least <= value <= most, f"a whole number, {least} to {most}")
        candidates: Any = self.max_candidates
        _check(
            "max_candidates",
            candidates,
            candidates is None or (type(candidates) is int and candidates >= 10),
            "a whole number, at least 10, or None for all",
        )
        _check("min_z", self.min_z, self.min_z is None or _finite(self.min_z), "a finite number, or None")
        share = self.confirm_share
        _check("confirm_share", share, _finite(share) and 0 < share <= 0.8, "above 0 to 0.8")
        correlation = self.max_correlation
        _check("max_correlation", correlation, _finite(correlation) and 0 < correlation <= 1, "above 0 to 1")
        _check("max_gb", self.max_gb, _finite(self.max_gb) and self.max_gb > 0, "a finite number above 0")
        seconds = self.timeout_seconds
        _check("timeout_seconds", seconds, _finite(seconds) and seconds > 0, "a finite number above 0")
        _check("generated_only", self.generated_only, self.generated_only in (True, False), "true or false")
        _check("on_failure", self.on_failure, self.on_failure in ("raise", "skip"), '"raise" or "skip"')
        self._check_transformations()

    def to_json(self) -> dict[str, Any]:
        """Return the arguments by name as plain JSON values."""
        return {**asdict(self), "transformations": list(self.transformations)}

    def _check_transformations(self) -> None:
        given: Sequence[Any] = self.transformations
        unknown = [what for what in given if what not in TRANSFORMATIONS]
        if unknown:
            close = nearest(str(unknown[0]), TRANSFORMATIONS)
            raise ConfigError(
                "autofeat knows no such transformation",
                got=repr(unknown[0]),
                allowed=", ".join(TRANSFORMATIONS),
                remedy=f"Did you mean {close!r}?" if close else "Take some of the allowed ones.",
                settings=("transformations",),
            )
        _check(
            "transformations",
            list(given),
            0 < len(given) == len(set(given)),
            "one or more, each of them once",
        )


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check(name: str, value: Any, holds: bool, allowed: str) -> None:
    if not holds:
        raise ConfigError(
            f"autofeat parameter {name} is out of range",
            got=repr(value),
            allowed=allowed,
            remedy=f"Set autofeat.{name} accordingly.",
            settings=(name,),
        )
