"""Small plots of a report as places in a picture: drawn by the server, the same with and without scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Calibration", "Curve", "Histogram", "Tick", "calibration", "histogram"]

WIDTH, HEIGHT = 420.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 10.0, 410.0, 26.0, 180.0
SQUARE = 300.0
INSET = 44.0
N_TICKS = 5


@dataclass(frozen=True)
class Tick:
    """A place on an axis, and the figure there."""

    at: float
    value: float


@dataclass(frozen=True)
class Histogram:
    """Scores that chance gives, and the one of the model.

    Attributes
    ----------
    bars
        Left edge, top, width and height of each bar.
    low, high, observed
        Places of the band's edges and of the model.
    label
        Place of the model's label, kept inside the picture.
    value
        The model's score.
    ticks
        Along the axis.
    """

    bars: tuple[tuple[float, float, float, float], ...]
    low: float
    high: float
    observed: float
    label: float
    value: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Curve:
    """A class of a calibration plot: points as SVG writes them, and one by one."""

    name: str
    line: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Calibration:
    """Stated against realised frequency, with the same axis both ways."""

    curves: tuple[Curve, ...]
    across: tuple[Tick, ...]
    upward: tuple[Tick, ...]


def histogram(chart: Mapping[str, Any] | None) -> Histogram | None:
    """Return the picture of a null band; None where there was no shift to make.

    Parameters
    ----------
    chart
        ``middle``, ``count``, ``observed``, ``low``, ``high``, as the report keeps them.
    """
    if not chart or not chart["middle"]:
        return None
    middle, counts, observed = chart["middle"], chart["count"], chart["observed"]
    step = middle[1] - middle[0] if len(middle) > 1 else 0.01
    first = min(middle[0], observed) - 1.5 * step
    last = max(middle[-1], observed) + 1.5 * step
    most = max(*counts, 1)

    def place(value: float) -> float:
        at: float = LEFT + (RIGHT - LEFT) * (value - first) / (last - first)
        return round(at, 2)

    width = round((RIGHT - LEFT) * step / (last - first), 2)
    bars = tuple(
        (round(place(m) - width / 2, 2), round(BOTTOM - tall, 2), width, round(tall, 2))
        for m, n in zip(middle, counts, strict=True)
        if (tall := (BOTTOM - TOP) * n / most) > 0
    )
    at = place(observed)
    return Histogram(
        bars=bars,
        low=place(chart["low"]),
        high=place(chart["high"]),
        observed=at,
        label=min(max(at, LEFT + 60), RIGHT - 60),
        value=observed,
        ticks=tuple(Tick(place(value), value) for value in _round_values(first, last)),
    )


def calibration(curves: Sequence[Mapping[str, Any]]) -> Calibration | None:
    """Return the picture of a calibration; None where no bin holds enough rows.

    Parameters
    ----------
    curves
        One entry a class: ``name``, ``stated``, ``realised`` (shares).
    """
    values = [v for curve in curves for v in (*curve["stated"], *curve["realised"]) if v is not None]
    if not values:
        return None
    low, high = max(0.0, min(values) - 0.04), min(1.0, max(values) + 0.04)
    length = SQUARE - INSET - 10

    def place(value: float) -> float:
        at: float = length * (value - low) / (high - low)
        return round(at, 2)

    drawn = []
    for curve in curves:
        known = [
            (stated, realised)
            for stated, realised in zip(curve["stated"], curve["realised"], strict=True)
            if stated is not None and realised is not None
        ]
        points = tuple((INSET + place(x), round(10 + length - place(y), 2)) for x, y in known)
        drawn.append(Curve(curve["name"], " ".join(f"{x:g},{y:g}" for x, y in points), points))
    ticks = _round_values(low, high)
    return Calibration(
        curves=tuple(drawn),
        across=tuple(Tick(INSET + place(value), value) for value in ticks),
        upward=tuple(Tick(round(10 + length - place(value), 2), value) for value in ticks),
    )


def _round_values(first: float, last: float) -> tuple[float, ...]:
    """Return a few round figures between two others."""
    rough = (last - first) / N_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    begin = math.ceil(first / step)
    return tuple(round(step * n, 10) for n in range(begin, math.floor(last / step) + 1))
