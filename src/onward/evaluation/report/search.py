"""The search behind a model: what was tried, what was chosen, and how much of it may be luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from onward.evaluation.overfitting import SearchStatistics
from onward.evaluation.report import words
from onward.evaluation.report.tables import Cell, Column, Row, Table, table

__all__ = ["HistoryView", "SearchContent", "SearchView", "SearchedFold", "SearchedTrial", "search_view"]

N_LEADERS = 10
HEIGHT = 40.0
"""Height of the history's picture; its width is 100."""


@dataclass(frozen=True)
class SearchedTrial:
    """A trial of the final search: its number, state, score (NaN: none), spread, folds and values."""

    number: int
    state: str
    score: float
    deviation: float
    n_folds: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class SearchedFold:
    """The search of an outer fold: trials run and stopped early, best inner and outer score."""

    title: str
    n_trials: int
    n_pruned: int
    inner: float
    outer: float
    chosen: Mapping[str, Any]


@dataclass(frozen=True)
class SearchContent:
    """What a report shows of a search.

    Attributes
    ----------
    objective
        Score by which trials were chosen.
    trials
        Of the final search, in the order in which they were drawn.
    chosen
        Number of the trial that the final model was made from.
    folds
        The search of each outer fold.
    importance
        Share of the scores' variation by parameter, largest first; empty when it cannot be told.
    statistics
        Overfitting figures of the chosen trial; None with fewer than two complete trials.
    """

    objective: str
    trials: tuple[SearchedTrial, ...]
    chosen: int
    folds: tuple[SearchedFold, ...]
    importance: Mapping[str, float] = field(default_factory=dict)
    statistics: SearchStatistics | None = None


@dataclass(frozen=True)
class HistoryView:
    """Scores in the order of the trials, as a picture 100 wide and 40 high.

    Attributes
    ----------
    text
        What it shows, in words.
    dots
        x, y and kind (``complete``, ``pruned``, ``chosen``) of each trial.
    best
        Points of the line of the best score so far, as SVG writes them.
    high, low
        Scores at the upper and the lower edge.
    """

    text: str
    dots: tuple[tuple[float, float, str], ...]
    best: str
    high: str
    low: str


@dataclass(frozen=True)
class SearchView:
    """The search section of a report."""

    summary: str
    verdict: str
    history: HistoryView | None
    leaders: Table
    others: Table | None
    importance: Table | None
    folds: Table
    statistics: Table | None


def search_view(content: SearchContent | None) -> SearchView | None:
    """Return the search section; None when nothing was searched."""
    if content is None:
        return None
    leaders, others = _leaderboard(content).split(N_LEADERS)
    return SearchView(
        summary=_summary(content),
        verdict=_verdict(content),
        history=_history(content),
        leaders=leaders,
        others=others,
        importance=_importance(content.importance),
        folds=_folds(content),
        statistics=_statistics(content.statistics),
    )


def _summary(content: SearchContent) -> str:
    n = {state: sum(t.state == state for t in content.trials) for state in ("complete", "pruned", "refused")}
    parts = [f"{words.count(n['complete'])} were judged on all inner folds"]
    if n["pruned"]:
        parts.append(f"{words.count(n['pruned'])} stopped early")
    if n["refused"]:
        parts.append(f"{words.count(n['refused'])} could not be judged")
    everywhere = len(content.trials) + sum(one.n_trials for one in content.folds)
    return (
        f"The final model comes from the best of {words.count(len(content.trials))} trials: "
        f"{', '.join(parts)}. With the searches of the {len(content.folds)} outer folds, "
        f"{words.count(everywhere)} trials were run. They were chosen by {_score_name(content.objective)} on "
        "inner purged folds; no outer score was seen by any of them."
    )


def _verdict(content: SearchContent) -> str:
    gaps = [one.inner - one.outer for one in content.folds if math.isfinite(one.inner - one.outer)]
    if not gaps:
        return ""
    mean = sum(gaps) / len(gaps)
    return (
        f"From inner to outer rows the score falls by {words.number(mean, 4)} on average: the best of many "
        "trials is partly lucky, and the outer score is the one that the verdict rests on."
        if mean > 0
        else "The outer scores hold what the inner ones promised."
    )


def _leaderboard(content: SearchContent) -> Table:
    order = {"complete": 0, "pruned": 1, "refused": 2}
    trials = sorted(
        content.trials,
        key=lambda t: (order[t.state], -t.score if math.isfinite(t.score) else math.inf, t.number),
    )
    paths = list(dict.fromkeys(path for trial in trials for path in trial.values))
    rows: list[Row] = [
        [
            Cell(f"{trial.number}", "strong" if trial.number == content.chosen else ""),
            Cell(
                "chosen" if trial.number == content.chosen else trial.state,
                "good" if trial.number == content.chosen else "quiet",
            ),
            words.signed(trial.score, 4),
            f"± {words.number(trial.deviation, 4)}" if trial.n_folds > 1 else "",
            words.count(trial.n_folds),
            *(_value(trial.values.get(path)) for path in paths),
        ]
        for trial in trials
    ]
    headings: Sequence[str | Column] = (
        Column("Trial", "short"),
        Column("State", "short"),
        _score_name(content.objective).capitalize(),
        "Between folds",
        "Inner folds",
        *paths,
    )
    return table("Trials of the final search, best first", headings, rows)


def _importance(shares: Mapping[str, float]) -> Table | None:
    if not shares:
        return None
    largest = max(*shares.values(), 1e-12)
    rows: list[Row] = [
        [path, Cell(words.percent(share), bar=round(max(share, 0.0) / largest, 4))]
        for path, share in shares.items()
    ]
    return table("What the scores depend on", ("Parameter", "Share of variation"), rows, narrow=True)


def _folds(content: SearchContent) -> Table:
    rows: list[Row] = [
        [
            one.title.capitalize(),
            words.count(one.n_trials),
            words.count(one.n_pruned),
            words.signed(one.inner, 4),
            Cell(words.signed(one.outer, 4), "strong"),
            ", ".join(f"{path} = {_value(value)}" for path, value in one.chosen.items()),
        ]
        for one in content.folds
    ]
    headings = ("Outer fold", "Trials", "Stopped early", "Best inner", "Outer", Column("Chosen", "text"))
    return table("What each outer fold chose, and what it was worth", headings, rows)


def _statistics(found: SearchStatistics | None) -> Table | None:
    if found is None:
        return None
    track = found.minimum_track_record
    needed = words.count(track) if math.isfinite(track) else "no number would do"
    rows: list[Row] = [
        ["Sharpe ratio of the chosen trial, a year", words.number(found.sharpe, 2)],
        [
            "What the best of so many would show without skill",
            words.number(found.expected_maximum_per_year, 2),
        ],
        ["Chance that it exceeds 0, had it been the only trial", words.percent(found.probabilistic_sharpe)],
        [
            "Deflated Sharpe ratio: that chance, given all trials",
            Cell(words.percent(found.deflated_sharpe), "strong"),
        ],
        ["Independent trials that all are worth", words.number(found.n_effective, 1)],
        ["Bars needed to be 95 % sure", needed],
        ["Probability of backtest overfitting", Cell(words.percent(found.overfitting), "strong")],
        ["Share of splits in which the winner lost money", words.percent(found.probability_of_loss)],
    ]
    return table("How much of the best trial may be luck", ("Figure", "Value"), rows, narrow=True)


def _history(content: SearchContent) -> HistoryView | None:
    known = [trial for trial in content.trials if math.isfinite(trial.score)]
    complete = [trial for trial in known if trial.state == "complete"]
    if len(complete) < 2:
        return None
    low, high = min(t.score for t in known), max(t.score for t in known)
    width, last = max(high - low, 1e-12), max(len(content.trials) - 1, 1)

    def place(number: int, score: float) -> tuple[float, float]:
        return round(1 + 98 * number / last, 2), round(2 + (HEIGHT - 4) * (high - score) / width, 2)

    dots = tuple(
        (*place(t.number, t.score), "chosen" if t.number == content.chosen else t.state) for t in known
    )
    line: list[tuple[float, float]] = []
    reached = -math.inf
    for trial in complete:
        if trial.score > reached:
            if line:
                line.append((place(trial.number, reached)[0], line[-1][1]))
            reached = trial.score
            line.append(place(trial.number, reached))
    line.append((99.0, line[-1][1]))
    n_improved = len({y for _, y in line})
    return HistoryView(
        text=(
            f"Scores of {len(known)} trials in the order in which they were drawn, from "
            f"{words.signed(low, 4)} to {words.signed(high, 4)}; the best so far rose {n_improved - 1} "
            f"times, last at trial {content.chosen}."
        ),
        dots=dots,
        best=" ".join(f"{x:g},{y:g}" for x, y in line),
        high=words.signed(high, 4),
        low=words.signed(low, 4),
    )


def _score_name(objective: str) -> str:
    names = {
        "log_loss_skill": "log-loss skill",
        "direction_auc": "up/down AUC",
        "range_auc": "range AUC",
        "probability_skill": "skill of the ranked probability score",
        "sharpe": "Sharpe ratio after costs",
    }
    return names.get(objective, words.spoken(objective))


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)
