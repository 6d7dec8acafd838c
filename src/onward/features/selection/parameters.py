"""Every switch and threshold of `AdvancedFeatureSelector`, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from onward.errors import ConfigError, nearest

__all__ = ["SelectorParameters"]


@dataclass(frozen=True)
class SelectorParameters:
    """Parameters of `onward.features.selection.advanced.AdvancedFeatureSelector`.

    Attributes
    ----------
    max_features
        Places in all.
    min_features
        When no column passes, the best ones are kept up to this number, so that a model can be
        fitted and the verdict can say what it is worth; the ledger says so.
    constant
        Whether the step runs. True constants and unknown columns leave in any case.
    quasi_constant
        A column leaves when one value makes up at least this share of its known rows.
    min_known
        A column leaves when it is known in less than this share of the rows.
    duplicates
        Whether the step runs.
    near_duplicate
        Columns whose absolute rank correlation exceeds this count as the same; 1 leaves it at
        exact twins.
    correlation
        Absolute correlation beyond which one column stands for another; 1 switches the step off.
    correlation_method
        ``spearman`` or ``pearson``.
    n_blocks
        Time blocks over which the stability of a column's relation to the labels is taken.
    costs
        Relative cost of computing a column, by column name or leading part of one
        (``{"tsfresh": 4.0, "tsfresh__volume": 6.0}``); others have the defaults of
        `onward.features.selection.preference.STAGE_COSTS`.
    relevance
        Whether rank correlation with direction and range class is measured.
    mutual_information
        Whether mutual information with the classes is measured. A column passes when one of the
        measured kinds speaks for it; with both off all pass.
    z
        Least distance from shifted labels, in their deviations.
    false_discovery_rate
        Share of wrong columns tolerated among those that pass, each kind of evidence apart.
    n_shifts
        Circular shifts for rank correlations.
    n_information_shifts
        Shifts, among those, for mutual information.
    n_bins
        Bins for mutual information.
    null_importance
        Whether the step runs.
    n_null
        Shifted versions of the labels to which the boosted model is fitted.
    null_share
        Share of the null importances that a column's importance must exceed.
    importance_rows, importance_columns
        Most rows and columns the boosted model gets; more rows are thinned evenly in time, more
        columns cut to those with the strongest evidence.
    range_share
        Share of the places reserved for columns that know the range class.
    n_threads
        Most threads; 0 means as many as there are cores. The result does not depend on it.
    """

    max_features: int = 30
    min_features: int = 5
    constant: bool = True
    quasi_constant: float = 0.995
    min_known: float = 0.05
    duplicates: bool = True
    near_duplicate: float = 0.999
    correlation: float = 0.95
    correlation_method: Literal["spearman", "pearson"] = "spearman"
    n_blocks: int = 8
    costs: Mapping[str, float] = field(default_factory=dict)
    relevance: bool = True
    mutual_information: bool = True
    z: float = 1.65
    false_discovery_rate: float = 0.1
    n_shifts: int = 200
    n_information_shifts: int = 50
    n_bins: int = 8
    null_importance: bool = True
    n_null: int = 20
    null_share: float = 0.8
    importance_rows: int = 10_000
    importance_columns: int = 100
    range_share: float = 1 / 3
    n_threads: int = 0

    @property
    def asks_evidence(self) -> bool:
        """Whether a column has to show anything before the boosted model sees it."""
        return self.relevance or self.mutual_information

    @property
    def shifts_labels(self) -> bool:
        """Whether any step compares with shifted labels."""
        return self.asks_evidence or self.null_importance

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """Return parameters from names and values.

        Raises
        ------
        ConfigError
            When a name is unknown or a value out of range.
        """
        known = {f.name for f in fields(cls)}
        for name in values:
            if name not in known:
                close = nearest(name, known)
                raise ConfigError(
                    "there is no selection parameter of this name",
                    got=name,
                    allowed=", ".join(sorted(known)),
                    remedy=f"Did you mean {close!r}?" if close else None,
                )
        parameters = cls(**values)
        for name, (holds, allowed) in parameters._rules().items():
            if not holds:
                raise ConfigError(
                    f"selection parameter {name} is out of range",
                    got=repr(getattr(parameters, name)),
                    allowed=allowed,
                    remedy=f"Set selection.{name} accordingly.",
                )
        return parameters

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the number of threads belongs to the machine and is left out."""
        values = asdict(self)
        values["costs"] = dict(self.costs)
        del values["n_threads"]
        return values

    def differences(self) -> str:
        """Return what differs from the defaults, as ``name=value, ...``."""
        default = type(self)()
        return ", ".join(
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != getattr(default, f.name)
        )

    def _rules(self) -> dict[str, tuple[bool, str]]:
        rules: dict[str, tuple[bool, str]] = {}
        for name in ("constant", "duplicates", "relevance", "mutual_information", "null_importance"):
            rules[name] = (isinstance(getattr(self, name), bool), "true or false")
        for name, least, most in (
            ("max_features", 1, None),
            ("min_features", 1, self.max_features),
            ("n_blocks", 3, 1_000),
            ("n_shifts", 20, None),
            ("n_information_shifts", 10, None),
            ("n_bins", 2, 64),
            ("n_null", 5, None),
            ("importance_rows", 100, None),
            ("importance_columns", 2, None),
            ("n_threads", 0, None),
        ):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            holds = whole and value >= least and (most is None or value <= most)
            rules[name] = (
                holds,
                f"a whole number, {least} or more" + ("" if most is None else f", up to {most}"),
            )
        for name, zero, one in (
            ("quasi_constant", False, True),
            ("min_known", True, True),
            ("near_duplicate", False, True),
            ("correlation", False, True),
            ("false_discovery_rate", False, True),
            ("null_share", True, False),
            ("range_share", True, True),
        ):
            rules[name] = (
                _within(getattr(self, name), zero, one),
                f"{'0' if zero else 'above 0'} to {'1' if one else 'below 1'}",
            )
        rules["z"] = (_is_finite(self.z), "a finite number")
        rules["correlation_method"] = (
            self.correlation_method in ("spearman", "pearson"),
            "spearman or pearson",
        )
        costs: Any = self.costs
        rules["costs"] = (
            isinstance(costs, Mapping)
            and all(isinstance(k, str) and _is_finite(v) and v >= 0 for k, v in costs.items()),
            "numbers of 0 or more by column name or leading part of one",
        )
        return rules


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _within(value: Any, zero: bool, one: bool) -> bool:
    return _is_finite(value) and (value > 0 or (zero and value == 0)) and (value < 1 or (one and value == 1))
