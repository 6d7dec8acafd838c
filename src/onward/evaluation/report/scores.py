"""Pooled scores beside the naive rules, and how they differ by fold, regime and symbol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.evaluation.metrics import Metrics, direction_auc, range_auc
from onward.evaluation.oof import OutOfFold
from onward.evaluation.regimes import TREND_NAMES, VOLATILITY_NAMES, regimes
from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.tables import Cell, Column, Row, Table, table
from onward.types import BoolArray, from_ns

__all__ = ["ScoresView", "scores_view"]

Meaning = tuple[str, str, str]
MEANINGS: Mapping[str, Meaning] = {
    "direction_auc": (
        "AUC, direction",
        "higher",
        "chance that a rise was rated above a fall by up minus down",
    ),
    "range_auc": (
        "AUC, range",
        "higher",
        "chance that a quiet row was rated above a moving one",
    ),
    "log_loss_skill": ("Log-loss skill", "higher", "gain over always stating the training frequencies"),
    "accuracy": ("Accuracy", "higher", "share of rows whose most probable class came true"),
    "accuracy_above_majority": (
        "Accuracy above majority",
        "higher",
        "what is left after always saying the commonest class",
    ),
    "balanced_accuracy": (
        "Balanced accuracy",
        "higher",
        "mean share recognised of each class, 33.3 % by chance",
    ),
    "log_loss": ("Log loss", "lower", "surprise at what came true, in nats"),
    "brier": ("Brier score", "lower", "squared error of the probabilities, 0 to 2"),
    "ranked_probability_score": (
        "Ranked probability score",
        "lower",
        "the same, but a miss by two classes counts more",
    ),
    "calibration_error": ("Calibration error", "lower", "mean gap between stated and realised frequency"),
}
SHARES = {"accuracy", "accuracy_above_majority", "balanced_accuracy", "calibration_error"}
SIGNED = {"log_loss_skill", "accuracy_above_majority"}


@dataclass(frozen=True)
class ScoresView:
    """Tables of scores.

    Attributes
    ----------
    pooled
        The model beside the naive rules.
    meanings
        What each score says: name and explanation.
    folds
        Fold by fold, the mean and the pooled scores last.
    regimes
        By volatility and by trend.
    symbols
        By symbol; None for a single one.
    mean_fold_auc, pooled_auc
        The two direction AUCs that must not be confused.
    """

    pooled: Table
    meanings: tuple[tuple[str, str], ...]
    folds: Table
    regimes: tuple[Table, ...]
    symbols: Table | None
    mean_fold_auc: str
    pooled_auc: str


def scores_view(content: ReportContent) -> ScoresView:
    """Return the tables of scores of a report."""
    scores, oof = content.judgement.scores, content.oof
    by_symbol = pd.Series(oof.spans.index.get_level_values(0).astype(str))
    names = list(dict.fromkeys(by_symbol))
    return ScoresView(
        pooled=_pooled(scores.pooled, scores.baselines),
        meanings=tuple((title, explanation) for title, _, explanation in MEANINGS.values()),
        folds=_folds(content),
        regimes=_regimes(content),
        symbols=_groups("Scores by symbol", "Symbol", oof, by_symbol, names) if len(names) > 1 else None,
        mean_fold_auc=words.number(scores.mean_fold_direction_auc),
        pooled_auc=words.number(scores.pooled.direction_auc),
    )


def score(name: str, value: float) -> str:
    """Return a score as text, shares in percent."""
    if name in SHARES:
        return words.signed_percent(value) if name in SIGNED else words.percent(value)
    return words.signed(value, 4) if name in SIGNED else words.number(value, 3)


def _pooled(pooled: Metrics, baselines: Mapping[str, Metrics]) -> Table:
    rules = [words.spoken(name).capitalize() for name in baselines]
    columns: list[str | Column] = ["Score", Column("Better", "short"), "Model", *rules]
    rows: list[Row] = [
        [
            title,
            Cell("↑ higher" if better == "higher" else "↓ lower", "quiet"),
            Cell(score(name, getattr(pooled, name)), "strong"),
            *(score(name, getattr(metrics, name)) for metrics in baselines.values()),
        ]
        for name, (title, better, _) in MEANINGS.items()
    ]
    return table(f"Pooled scores over {words.count(pooled.n)} out-of-fold rows", columns, rows)


def _folds(content: ReportContent) -> Table:
    scores, oof = content.judgement.scores, content.oof
    shown = ("direction_auc", "range_auc", "log_loss_skill", "accuracy", "accuracy_above_majority")
    rows: list[Row] = []
    for fold, metrics in scores.folds.items():
        mine = oof.fold == fold
        first, last = from_ns(np.array([oof.spans.start[mine].min(), oof.spans.start[mine].max()]))
        rows.append(
            [
                f"{content.part} {fold + 1}",
                f"{first:%Y-%m-%d} – {last:%Y-%m-%d}",
                words.count(metrics.n),
                *(score(name, getattr(metrics, name)) for name in shown),
            ]
        )
    means = [float(np.mean([getattr(m, name) for m in scores.folds.values()])) for name in shown]
    means[0] = scores.mean_fold_direction_auc
    rows.append(
        [
            f"Mean of {content.part.lower()}s",
            "",
            "",
            *(Cell(score(n, v), "quiet") for n, v in zip(shown, means, strict=True)),
        ]
    )
    rows.append(
        [
            Cell("Pooled", "strong"),
            "",
            words.count(scores.pooled.n),
            *(Cell(score(name, getattr(scores.pooled, name)), "strong") for name in shown),
        ]
    )
    columns: list[str | Column] = [content.part, Column("Decisions from – to (UTC)", "short"), "Rows"]
    return table(
        f"Scores {content.part.lower()} by {content.part.lower()}",
        [*columns, *(MEANINGS[name][0] for name in shown)],
        rows,
    )


def _regimes(content: ReportContent) -> tuple[Table, ...]:
    kinds = regimes(content.market).reindex(content.oof.spans.index)
    return (
        _groups(
            "Scores by volatility regime", "Volatility", content.oof, kinds["volatility"], VOLATILITY_NAMES
        ),
        _groups("Scores by trend regime", "Trend", content.oof, kinds["trend"], TREND_NAMES),
    )


def _groups(caption: str, heading: str, oof: OutOfFold, kind: pd.Series, names: Sequence[str]) -> Table:
    values = kind.to_numpy(dtype=object)
    groups = [(name, values == name) for name in names]
    rest = ~np.isin(values.astype(str), list(names))
    if rest.any():
        groups.append((words.UNKNOWN, rest))
    rows = [_group(name, oof, np.asarray(mine, dtype=bool)) for name, mine in groups]
    return table(
        caption, (heading, "Rows", "AUC, direction", "AUC, range", "Accuracy", "Commonest class"), rows
    )


def _group(name: str, oof: OutOfFold, mine: BoolArray) -> list[str]:
    n = int(np.count_nonzero(mine))
    if n == 0:
        return [name, "0", *[words.UNKNOWN] * 4]
    probability, y = oof.probability[mine], oof.y[mine]
    return [
        name,
        words.count(n),
        words.number(direction_auc(probability, y)),
        words.number(range_auc(probability, y)),
        words.percent(float(np.mean(probability.argmax(axis=1) - 1 == y))),
        words.percent(float(np.bincount(y + 1, minlength=3).max() / n)),
    ]
