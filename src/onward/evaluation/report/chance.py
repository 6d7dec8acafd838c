"""The scores beside those that chance gives: histograms of shifted AUCs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.downsampling import short_floats
from onward.evaluation.verdict import ClassVerdict

__all__ = ["ChanceView", "chance_views"]

N_BINS = 36


@dataclass(frozen=True)
class ChanceView:
    """The null band of one verdict.

    Attributes
    ----------
    key
        ``direction`` or ``range``.
    summary
        Text alternative: what the picture shows.
    chart
        Histogram and marks, plain JSON values; None when there was no shift to make.
    """

    key: str
    summary: str
    chart: dict[str, Any] | None


def chance_views(content: ReportContent) -> tuple[ChanceView, ...]:
    """Return the null bands of direction and range."""
    verdict = content.judgement.verdict
    return tuple(_view(one) for one in (verdict.direction, verdict.range))


def _view(verdict: ClassVerdict) -> ChanceView:
    band = verdict.band
    if band.n_shifts == 0 or math.isnan(verdict.auc):
        return ChanceView(verdict.subject, f"No null band: {band.note}", None)
    beaten = float(np.mean(band.areas < verdict.auc))
    summary = (
        f"{words.count(band.n_shifts)} shifted outcomes gave AUCs around {words.number(band.mean)}, "
        f"nine in ten between {words.number(band.low)} and {words.number(band.high)}. The model's "
        f"{words.number(verdict.auc)} is above {_share(beaten)} of them."
    )
    low, high = float(band.areas.min()), float(band.areas.max())
    width = max(high - low, 1e-6)
    counts, edges = np.histogram(band.areas, bins=N_BINS, range=(low - 0.01 * width, high + 0.01 * width))
    return ChanceView(
        verdict.subject,
        summary,
        {
            "middle": short_floats((edges[:-1] + edges[1:]) / 2),
            "count": counts.tolist(),
            "observed": verdict.auc,
            "low": band.low,
            "high": band.high,
            "label": f"{verdict.subject} AUC",
        },
    )


def _share(beaten: float) -> str:
    return "all" if beaten == 1.0 else "none" if beaten == 0.0 else words.percent(beaten)
