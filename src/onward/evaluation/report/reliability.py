"""Whether probabilities come true as often as they say, and which classes are confused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from onward.evaluation.calibration import calibration_table
from onward.evaluation.metrics import confusion_matrix
from onward.evaluation.oof import CLASS_NAMES
from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.downsampling import short_floats
from onward.evaluation.report.tables import Cell, Column, Table, table

__all__ = ["ReliabilityView", "reliability_view"]

N_BINS = 20
FEWEST = 30
"""Rows that a bin needs to be drawn: a frequency of fewer is mostly chance."""


@dataclass(frozen=True)
class ReliabilityView:
    """Calibration and confusion.

    Attributes
    ----------
    summary
        Text alternative of the calibration plot.
    bins
        The plotted points as a table.
    confusion
        Outcome by most probable class.
    chart
        One entry a class, plain JSON values: ``stated``, ``realised``, ``n``.
    """

    summary: str
    bins: Table
    confusion: Table
    chart: list[dict[str, Any]]


def reliability_view(content: ReportContent) -> ReliabilityView:
    """Return the calibration plot and the confusion matrix of a report."""
    oof = content.oof
    chart, rows, furthest = [], [], (0.0, "")
    for position, name in enumerate(CLASS_NAMES):
        bins = calibration_table(oof.probability[:, position], oof.y == position - 1, N_BINS)
        drawn = bins[bins["n"] >= FEWEST]
        chart.append(
            {
                "name": name,
                "stated": short_floats(drawn["stated"].to_numpy(dtype=np.float64), 4),
                "realised": short_floats(drawn["realised"].to_numpy(dtype=np.float64), 4),
                "n": drawn["n"].tolist(),
            }
        )
        for one in bins.itertuples():
            gap = float(one.realised) - float(one.stated)
            if one.n >= FEWEST and abs(gap) > abs(furthest[0]):
                furthest = (gap, f"{name} at a stated {words.percent(float(one.stated))}")
            rows.append(
                [
                    f"{name} {words.percent(float(one.low), 0)} – {words.percent(float(one.high), 0)}",
                    words.count(float(one.n)),
                    words.percent(float(one.stated)),
                    words.percent(float(one.realised)),
                    Cell(words.signed_percent(gap), "quiet" if one.n < FEWEST else ""),
                ]
            )
    return ReliabilityView(
        summary=_spoken(content, furthest),
        bins=table(
            "Stated and realised frequency by class", ("Stated", "Rows", "Mean stated", "Came true", "Gap"), rows
        ),
        confusion=_confusion(content),
        chart=chart,
    )


def _spoken(content: ReportContent, furthest: tuple[float, str]) -> str:
    error = words.percent(content.judgement.scores.pooled.calibration_error)
    gap, where = furthest
    if not where:
        return f"The mean gap is {error}; no bin holds {FEWEST} rows."
    side = "more" if gap > 0 else "less"
    return (
        f"The mean gap of the most probable class is {error}. The widest gap of a well-filled bin is "
        f"{where}, which came true {words.percent(abs(gap))} {side} often than stated."
    )


def _confusion(content: ReportContent) -> Table:
    counts = confusion_matrix(content.oof.probability, content.oof.y)
    rows = []
    for outcome, row in zip(CLASS_NAMES, counts, strict=True):
        share = row / max(row.sum(), 1)
        cells = [
            Cell(f"{words.count(int(n))} ({words.percent(float(s), 0)})", bar=round(float(s), 4))
            for n, s in zip(row, share, strict=True)
        ]
        rows.append([f"was {outcome}", *cells, words.count(int(row.sum()))])
    rows.append(["all", *(words.count(int(n)) for n in counts.sum(axis=0)), words.count(int(counts.sum()))])
    return table(
        "What came true, by what was most probable",
        ("Outcome", *(Column(f"said {name}") for name in CLASS_NAMES), "Rows"),
        rows,
    )
