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
from onward.evaluation.report.tables import Cell, Column, Row, Table, records, table

__all__ = ["ReliabilityView", "reliability_view"]

N_BINS = 20
COLUMNS = ("Stated", "Rows", "Mean stated", "Came true", "Gap")
FEWEST = 10
"""Independent outcomes that a bin needs to be drawn: a frequency of fewer is mostly chance."""


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
    fewest = _fewest_rows(content)
    chart, furthest = [], (0.0, "")
    rows: list[Row] = []
    for position, name in enumerate(CLASS_NAMES):
        bins = calibration_table(oof.probability[:, position], oof.y == position - 1, N_BINS)
        drawn = bins[bins["n"] >= fewest]
        chart.append(
            {
                "name": name,
                "stated": short_floats(drawn["stated"].to_numpy(dtype=np.float64), 4),
                "realised": short_floats(drawn["realised"].to_numpy(dtype=np.float64), 4),
                "n": drawn["n"].tolist(),
            }
        )
        for one in records(bins):
            gap = one["realised"] - one["stated"]
            if one["n"] >= fewest and abs(gap) > abs(furthest[0]):
                furthest = (gap, f"{name} at a stated {words.percent(one['stated'])}")
            rows.append(
                [
                    f"{name} {words.percent(one['low'], 0)} – {words.percent(one['high'], 0)}",
                    words.count(one["n"]),
                    words.percent(one["stated"]),
                    words.percent(one["realised"]),
                    Cell(words.signed_percent(gap), "quiet" if one["n"] < fewest else ""),
                ]
            )
    return ReliabilityView(
        summary=_spoken(content, furthest, fewest),
        bins=table("Stated and realised frequency by class", COLUMNS, rows),
        confusion=_confusion(content),
        chart=chart,
    )


def _fewest_rows(content: ReportContent) -> int:
    """Return the rows that hold `FEWEST` outcomes which do not overlap."""
    spans = content.oof.spans
    bars = float(np.median(spans.end - spans.start)) / content.market.timeframe_ns
    return FEWEST * max(1, round(bars))


def _spoken(content: ReportContent, furthest: tuple[float, str], fewest: int) -> str:
    error = words.percent(content.judgement.scores.pooled.calibration_error)
    gap, where = furthest
    if not where:
        return f"The mean gap is {error}; no bin holds {fewest} rows, so none is drawn."
    side = "more" if gap > 0 else "less"
    return (
        f"The mean gap of the most probable class is {error}. The widest gap of a bin with at least "
        f"{words.count(fewest)} rows ({FEWEST} outcomes that do not overlap; emptier ones are not drawn) is "
        f"{where}: it came true {words.number(100 * abs(gap), 1)} percentage points {side} often."
    )


def _confusion(content: ReportContent) -> Table:
    counts = confusion_matrix(content.oof.probability, content.oof.y)
    rows: list[Row] = []
    for outcome, row in zip(CLASS_NAMES, counts, strict=True):
        share = row / max(row.sum(), 1)
        cells = [
            Cell(f"{words.count(int(n))} ({words.percent(float(s), 0)})", tint=round(float(s), 4))
            for n, s in zip(row, share, strict=True)
        ]
        rows.append([f"was {outcome}", *cells, words.count(int(row.sum()))])
    rows.append(["all", *(words.count(int(n)) for n in counts.sum(axis=0)), words.count(int(counts.sum()))])
    return table(
        "What came true, by what was most probable",
        ("Outcome", *(Column(f"said {name}") for name in CLASS_NAMES), "Rows"),
        rows,
    )
