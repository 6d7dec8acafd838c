"""Which stage's features survive selection on real bars, fold by fold, and where the others left.

Writes the picture of docs/features.md beside printing its figures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pandas as pd

from benchmarks._markets import PERPETUAL, perpetual, skipped
from benchmarks._process import ROOT
from benchmarks._table import Row
from onward.features.cache import FeatureCache
from onward.features.selection.across_fits import FINAL_FIT
from onward.features.selection.ledger import STEPS
from onward.training.assembly import make_trainer
from onward.training.plan import TrainingPlan
from onward.training.reporting import selection_table

PICTURE = ROOT / "docs" / "images" / "features-survive.svg"
STAGES = ["manual", "tsfresh", "featuretools", "autofeat"]
COLORS = {"manual": "#4477aa", "tsfresh": "#228833", "featuretools": "#ccbb44", "autofeat": "#aa3377"}
SHADES = ("#555555", "#777777", "#999999", "#b0b0b0", "#c4c4c4", "#d8d8d8", "#e8e8e8", "#2266bb")


def ledger() -> tuple[pd.DataFrame, float]:
    """Return the ledgers of all fits, and the seconds that the training took."""
    import tempfile
    from pathlib import Path

    plan = TrainingPlan(features={"stages": STAGES})
    market = perpetual()
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        training = make_trainer(plan, market, cache=FeatureCache(Path(directory))).train(market)
    seconds = time.perf_counter() - started
    return selection_table(training), seconds


def run() -> list[Row]:
    missing = skipped("which features survive", *PERPETUAL)
    if missing:
        return missing
    table, seconds = ledger()
    folds = table[table["fold"] != FINAL_FIT]
    kept = pd.crosstab(folds["fold"], folds["stage"], values=folds["kept"], aggfunc="sum").fillna(0)
    left = pd.crosstab(folds["stage"], folds["step"]) / folds["fold"].nunique()
    PICTURE.write_text(picture(kept, left), encoding="utf-8")
    rows = [Row("the training", seconds, "s", note=f"{folds['fold'].nunique()} folds and the final fit")]
    for stage in left.index:
        fates = ", ".join(f"{step} {left.loc[stage].get(step, 0.0):.0f}" for step in STEPS)
        per_fold = " ".join(str(int(n)) for n in kept[stage])
        share = left.loc[stage].get("kept", 0.0)
        rows.append(Row(f"{stage}: kept a fold", share, note=f"folds: {per_fold}; left: {fates}"))
    across = folds[folds["represented_by"] != ""]
    other = across["represented_by"].str.partition("__")[0]
    for (gone, stands), count in across.groupby([across["stage"], other]).size().items():
        share = count / folds["fold"].nunique()
        rows.append(Row(f"{gone} represented by {stands}", share, note="columns a fold"))
    return rows


def picture(kept: pd.DataFrame, left: pd.DataFrame) -> str:
    """Return the picture as SVG: survivors of each fold by stage, and where each stage's columns left."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 400" font-size="12" role="img">',
        "<title>Features that survive selection, by stage and fold</title>",
        "<style>text { font-family: system-ui, sans-serif }</style>",
        '<rect width="760" height="400" fill="#ffffff"/>',
        '<text x="20" y="24" font-size="14" font-weight="600">Features kept in each fold, by stage</text>',
    ]
    unit = 560 / max(int(kept.sum(axis=1).max()), 1)
    for row, fold in enumerate(kept.index):
        top = 40 + 24 * row
        parts.append(f'<text x="20" y="{top + 13}">fold {int(fold) + 1}</text>')
        parts += _bar(top, unit, [(int(kept.loc[fold].get(s, 0)), COLORS[s]) for s in STAGES])
    parts += _legend(48 + 24 * len(kept), COLORS)
    base = 100 + 24 * len(kept)
    parts.append(
        f'<text x="20" y="{base}" font-size="14" font-weight="600">'
        "Where the columns of each stage left, mean of the folds</text>"
    )
    unit = 560 / max(float(left.sum(axis=1).max()), 1.0)
    steps = dict(zip((*STEPS, "kept"), SHADES, strict=True))
    stages = [stage for stage in STAGES if stage in left.index]
    for row, stage in enumerate(stages):
        top = base + 14 + 24 * row
        parts.append(f'<text x="20" y="{top + 13}">{stage}</text>')
        parts += _bar(top, unit, [(float(left.loc[stage].get(s, 0.0)), color) for s, color in steps.items()])
    parts += _legend(base + 22 + 24 * len(stages), {s.replace("_", " "): c for s, c in steps.items()})
    return "\n".join([*parts, "</svg>\n"])


def _bar(top: float, unit: float, values: Sequence[tuple[float, str]]) -> list[str]:
    parts, x = [], 110.0
    for value, color in values:
        width = value * unit
        if value > 0:
            parts.append(f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="18" fill="{color}"/>')
        if width >= 18:
            ink = "#ffffff" if color in (*COLORS.values(), SHADES[-1], *SHADES[:2]) else "#222222"
            parts.append(
                f'<text x="{x + width / 2:.1f}" y="{top + 13}" fill="{ink}" text-anchor="middle">'
                f"{value:.0f}</text>"
            )
        x += width
    return parts


def _legend(top: float, colors: Mapping[str, str]) -> list[str]:
    parts, x = [], 110.0
    for name, color in colors.items():
        parts.append(f'<rect x="{x:.0f}" y="{top}" width="11" height="11" fill="{color}"/>')
        parts.append(f'<text x="{x + 15:.0f}" y="{top + 10}">{name}</text>')
        x += 34 + 6.4 * len(name)
    return parts
