"""The picture of docs/results.md: what acting on each model would have made of 1, beside holding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchmarks._results_lines import MARKETS, VARIANTS, Material

__all__ = ["picture"]

COLORS = {
    "single": "#4477aa",
    "bagging": "#228833",
    "stacking": "#aa3377",
    "tuned": "#ee7733",
    "holding": "#888888",
}
WIDTH, HEIGHT, LEFT, TOP, GAP = 900, 170, 60, 46, 62


def picture(lines: Mapping[str, Any]) -> str:
    """Return the picture as SVG: one chart of equity, after costs, log scale, for each market."""
    total = TOP + len(MARKETS) * (HEIGHT + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" font-size="12" role="img">',
        "<title>Equity after costs of each model and of holding, on three markets</title>",
        "<style>text { font-family: system-ui, sans-serif; fill: #333333 }</style>",
        f'<rect width="{WIDTH}" height="{total}" fill="#ffffff"/>',
    ]
    x = float(LEFT)
    for name, color in COLORS.items():
        parts.append(f'<rect x="{x:.0f}" y="12" width="16" height="4" fill="{color}"/>')
        parts.append(f'<text x="{x + 22:.0f}" y="18">{name}</text>')
        x += 90
    for number, material in enumerate(MARKETS):
        parts += _chart(material, lines, TOP + number * (HEIGHT + GAP))
    return "\n".join([*parts, "</svg>\n"])


def _chart(material: Material, lines: Mapping[str, Any], top: int) -> list[str]:
    curves = _curves(material, lines)
    title = f"{material.title}: what became of 1, after costs"
    parts = [f'<text x="{LEFT}" y="{top + 8}" font-weight="600">{title}</text>']
    if not curves:
        return parts
    low, high = _bounds([e for _, equity in curves.values() for e in equity])
    times = [t for time, _ in curves.values() for t in time]
    begin, end = min(times), max(times)
    base, tall, wide = top + 16 + HEIGHT, HEIGHT, WIDTH - LEFT - 20

    def across(moment: float) -> float:
        return LEFT + wide * (moment - begin) / (end - begin)

    def up(equity: float) -> float:
        return base - tall * (math.log(max(equity, math.exp(low))) - low) / (high - low)

    for mark in _marks(low, high):
        y = up(mark)
        ink = "#bbbbbb" if mark == 1 else "#eeeeee"
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + wide}" y2="{y:.1f}" stroke="{ink}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{mark:g}</text>')
    for moment in pd.date_range(pd.Timestamp(begin, unit="s"), pd.Timestamp(end, unit="s"), periods=5):
        x = across(moment.timestamp())
        anchor = "end" if x > LEFT + 0.99 * wide else "middle"
        parts.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="{anchor}">{moment:%Y-%m}</text>')
    for name, (time, equity) in curves.items():
        points = " ".join(f"{across(t):.1f},{up(e):.1f}" for t, e in zip(time, equity, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLORS[name]}" stroke-width="1.4"/>')
    return parts


def _curves(
    material: Material, lines: Mapping[str, Any]
) -> dict[str, tuple[Sequence[float], Sequence[float]]]:
    """Return moments and equity of each line that ran, holding first."""
    ran = {v.name: lines[f"{material.name}-{v.name}"] for v in VARIANTS}
    drawn = {name: one["curves"] for name, one in ran.items() if "curves" in one}
    if not drawn:
        return {}
    holding = next(iter(drawn.values()))["Buy and hold"]
    models = {name: (curves["Model"]["time"], curves["Model"]["equity"]) for name, curves in drawn.items()}
    return {"holding": (holding["time"], holding["equity"]), **models}


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and greatest logarithm to draw, never below a hundredth, a little apart."""
    logs = [math.log(max(v, 0.01)) for v in values]
    low, high = min(*logs, 0.0), max(*logs, 0.0)
    margin = max(0.05 * (high - low), 0.005)
    return low - margin, high + margin


def _marks(low: float, high: float) -> list[float]:
    """Return round values of equity between two logarithms."""
    if high - low < 0.7:
        step = 0.02 if high - low < 0.15 else 0.1
        first, last = math.ceil(math.exp(low) / step), math.floor(math.exp(high) / step)
        return [round(step * n, 2) for n in range(first, last + 1)]
    decades = [m * 10.0**n for n in range(-3, 4) for m in (1, 2, 5)]
    return [mark for mark in decades if low <= math.log(mark) <= high]
