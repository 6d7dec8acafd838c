"""Runs side by side: what differs in plan and data, what they scored, and how sure that is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from onward.dashboard.views.compare_evidence import Evidence
from onward.dashboard.views.compare_search import SearchView
from onward.dashboard.views.report import RunLine

if TYPE_CHECKING:
    from onward.registry import Run

__all__ = ["FOLD_SCORES", "MOST_RUNS", "CompareView", "Compared", "Group", "Row", "compare_view"]

MOST_RUNS = 24
FOLD_SCORES = ("direction_auc", "range_auc", "log_loss_skill")
"""Scores that are shown fold by fold."""
POOLED = (
    "n",
    "log_loss_skill",
    "log_loss",
    "brier",
    "ranked_probability_score",
    "accuracy_above_majority",
    "balanced_accuracy",
    "calibration_error",
)
EARNED = ("total_return", "cagr", "sharpe", "max_drawdown", "time_invested", "turnover", "n_trades")

Written: TypeAlias = Literal[
    "text", "name", "list", "count", "number", "signed", "percent", "signed_percent", "p", "level", "band",
    "certificate", "times", "day", "moment", "seconds", "hash", "kind", "setting",
]  # fmt: skip
"""How the cells of a row are written."""


@dataclass(frozen=True)
class Compared:
    """A run with everything that is known of it.

    Attributes
    ----------
    run, line
        Its row, and that row in one line.
    evidence
        What its report, its version or its job add.
    search
        What its search left; None when nothing was searched, or it is gone.
    """

    run: Run
    line: RunLine
    evidence: Evidence
    search: SearchView | None = None


@dataclass(frozen=True)
class Row:
    """One figure of every run.

    Attributes
    ----------
    name
        Of the figure (``compare.row.<name>``), or a setting's dotted name.
    written
        How its cells are written.
    values
        One a run; None where a run has none.
    differs
        Whether they are not all the same.
    """

    name: str
    written: Written
    values: tuple[Any, ...]
    differs: bool


@dataclass(frozen=True)
class Group:
    """Rows under a heading (``compare.group.<name>``)."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class CompareView:
    """A comparison.

    Attributes
    ----------
    compared
        In the order asked for.
    missing
        What was asked for and does not exist, as it was asked for.
    left_out
        How many were asked for beyond `MOST_RUNS`.
    everything
        Whether settings that are the same are shown as well.
    groups
        Tables; settings first where only those that differ are shown, else last.
    n_settings, n_differing
        Settings in all, and those that differ.
    same_data
        Whether all used the same data and the same family of labels: else scores do not compare.
    folds
        By score, one list of (fold, one value a run).
    """

    compared: tuple[Compared, ...]
    missing: tuple[str, ...]
    left_out: int
    everything: bool
    groups: tuple[Group, ...]
    n_settings: int
    n_differing: int
    same_data: bool
    folds: Mapping[str, tuple[tuple[int, tuple[float | None, ...]], ...]]

    @property
    def searched(self) -> tuple[Compared, ...]:
        """Runs whose search can be shown."""
        return tuple(one for one in self.compared if one.search is not None)

    @property
    def for_scripts(self) -> dict[str, Any]:
        """What the charts draw."""
        scores = {
            name: {"x": [fold for fold, _ in rows], "lines": _transposed(rows, len(self.compared))}
            for name, rows in self.folds.items()
            if rows
        }
        return {
            "runs": [one.run.id for one in self.compared],
            "folds": scores,
            "searches": {one.run.id: one.search.history for one in self.searched if one.search},
        }


def compare_view(
    compared: Sequence[Compared], *, missing: Sequence[str] = (), left_out: int = 0, everything: bool = False
) -> CompareView:
    """Lay runs side by side.

    Parameters
    ----------
    compared
        In the order asked for.
    missing, left_out, everything
        As of `CompareView`.
    """
    runs = [one.run for one in compared]
    plan = tuple(_settings(runs))
    differing = tuple(row for row in plan if row.differs)
    groups = (
        *(Group(subject, tuple(_judged(compared, subject))) for subject in ("direction", "range")),
        *(() if everything else (Group("plan", differing),)),
        Group("run", tuple(_about(compared))),
        Group("data", tuple(_data(runs))),
        Group("scores", tuple(_scores(runs))),
        Group("backtest", tuple(_backtest(compared))),
        Group("search", tuple(_searches(compared))),
        *((Group("plan", plan),) if everything else ()),  # long: what came of it stands before it
    )
    known = tuple(
        Group(one.name, tuple(row for row in one.rows if any(v is not None for v in row.values)))
        for one in groups
    )
    return CompareView(
        compared=tuple(compared),
        missing=tuple(missing),
        left_out=left_out,
        everything=everything,
        groups=tuple(one for one in known if one.rows),
        n_settings=len(plan),
        n_differing=len(differing),
        same_data=len({(run.record.data_hash, run.record.label_family) for run in runs}) <= 1,
        folds={name: _by_fold(runs, name) for name in FOLD_SCORES},
    )


def _about(compared: Sequence[Compared]) -> Iterator[Row]:
    yield _row("created", "moment", [one.run.created_at for one in compared])
    yield _row("kind", "kind", [one.run.record.kind for one in compared])
    yield _row("learner", "name", [one.line.learner for one in compared])
    yield _row("seconds", "seconds", [one.run.record.duration_seconds for one in compared])
    yield _row("audit", "certificate", [one.line.certificate for one in compared])
    yield _row("findings", "count", [one.evidence.n_findings for one in compared])


def _judged(compared: Sequence[Compared], subject: str) -> Iterator[Row]:
    told = [one.evidence.verdicts.get(subject, {}) for one in compared]
    bands = [_mapping(verdict.get("band")) for verdict in told]
    score = f"{subject}_auc"
    pooled = [_figure(_mapping(one.run.record.scores.get("pooled")).get(score)) for one in compared]
    yield _row("level", "level", [verdict.get("level") for verdict in told])
    yield _row("auc", "number", pooled)
    yield _row("chance", "band", [_band(band) for band in bands])
    yield _row("p", "p", [_figure(verdict.get("p")) for verdict in told])
    yield _row("corrected_p", "p", [_figure(verdict.get("corrected_p")) for verdict in told])
    yield _row("n_looked_at", "count", [verdict.get("n_looked_at") for verdict in told])
    yield _row("fold_spread", "number", [_spread(one.run, score) for one in compared])
    for rule in ("momentum", "mean_reversion"):
        yield _row(rule, "number", [_baseline(one.run, rule, score) for one in compared])


def _data(runs: Sequence[Run]) -> Iterator[Row]:
    def told(name: str) -> list[Any]:
        return [run.record.data.get(name) for run in runs]

    yield _row("symbols", "list", [tuple(found or ()) or None for found in told("symbols")])
    yield _row("timeframe", "name", told("timeframe"))
    yield _row("first", "day", [_day(found) for found in told("first_open")])
    yield _row("last", "day", [_day(found) for found in told("last_open")])
    yield _row("bars", "count", told("bars"))
    yield _row("series", "list", [tuple(found or ()) or None for found in told("series")])
    yield _row("data_hash", "hash", [run.record.data_hash for run in runs])
    yield _row("label_family", "name", [run.record.label_family for run in runs])


def _day(told: Any) -> datetime | None:
    return datetime.fromisoformat(str(told)[:10]).replace(tzinfo=UTC) if told else None


def _scores(runs: Sequence[Run]) -> Iterator[Row]:
    pooled = [_mapping(run.record.scores.get("pooled")) for run in runs]
    for name in POOLED:
        yield _row(name, "count" if name == "n" else "number", [_figure(one.get(name)) for one in pooled])


def _backtest(compared: Sequence[Compared]) -> Iterator[Row]:
    kinds: dict[str, Written] = {
        "total_return": "signed_percent",
        "cagr": "signed_percent",
        "sharpe": "signed",
        "max_drawdown": "percent",
        "time_invested": "percent",
        "turnover": "times",
        "n_trades": "count",
    }
    for name in EARNED:
        yield _row(name, kinds[name], [one.evidence.model.get(name) for one in compared])
    yield _row("holding", "signed_percent", [one.evidence.holding.get("total_return") for one in compared])
    yield _row("holding_sharpe", "signed", [one.evidence.holding.get("sharpe") for one in compared])


def _searches(compared: Sequence[Compared]) -> Iterator[Row]:
    def told(read: Callable[[SearchView], Any]) -> list[Any]:
        return [None if one.search is None else read(one.search) for one in compared]

    yield _row("objective", "name", told(lambda search: search.objective))
    yield _row("trials", "count", told(lambda search: search.n_trials))
    yield _row("inner", "number", told(lambda search: search.best))
    yield _row("deflated_sharpe", "percent", told(lambda search: search.statistics.get("deflated_sharpe")))
    yield _row("overfitting", "percent", told(lambda search: search.statistics.get("overfitting")))


def _settings(runs: Sequence[Run]) -> Iterator[Row]:
    plans = [dict(_flat(run.record.plan)) for run in runs]
    for name in dict.fromkeys(name for plan in plans for name in plan):
        yield _row(name, "setting", [_said(plan[name]) if name in plan else None for plan in plans])


def _row(name: str, written: Written, values: Sequence[Any]) -> Row:
    return Row(name, written, tuple(values), any(value != values[0] for value in values[1:]))


def _by_fold(runs: Sequence[Run], score: str) -> tuple[tuple[int, tuple[float | None, ...]], ...]:
    folds = [_mapping(run.record.scores.get("folds")) for run in runs]
    numbers = sorted({int(name) for one in folds for name in one if str(name).isdecimal()})
    rows = (
        (number + 1, tuple(_figure(_mapping(one.get(str(number))).get(score)) for one in folds))
        for number in numbers
    )
    return tuple((fold, values) for fold, values in rows if any(value is not None for value in values))


def _spread(run: Run, score: str) -> float | None:
    folds = _mapping(run.record.scores.get("folds")).values()
    known = [value for one in folds if (value := _figure(_mapping(one).get(score))) is not None]
    return statistics.stdev(known) if len(known) > 1 else None


def _baseline(run: Run, rule: str, score: str) -> float | None:
    return _figure(_mapping(_mapping(run.record.scores.get("baselines")).get(rule)).get(score))


def _band(band: Mapping[str, Any]) -> tuple[float, float] | None:
    low, high = _figure(band.get("low")), _figure(band.get("high"))
    return None if low is None or high is None else (low, high)


def _transposed(rows: Sequence[tuple[int, Sequence[float | None]]], n_runs: int) -> list[list[float | None]]:
    return [[values[place] for _, values in rows] for place in range(n_runs)]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _said(value: Any) -> str:
    """Return a setting as it would be written in a plan; what is not set is a dash."""
    if value is None or value in ({}, []):
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _figure(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if known else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
