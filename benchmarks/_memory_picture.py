"""Resident memory over time as a small picture (SVG) that reads on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Trace", "picture"]

WIDTH, HEIGHT = 760, 300
TOP, BOTTOM, LEFT, RIGHT, BETWEEN = 62, 40, 56, 14, 44
POINTS = 240
"""Steps that a curve is drawn in: of the looks that fall into one, the highest is shown."""

STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .quiet { fill: #59636e; font-size: 12px; }
  .rule { stroke: #d1d9e0; stroke-width: 1; }
  .old { --ink: #b35900; } .new { --ink: #0b6bcb; }
  .line { fill: none; stroke: var(--ink); stroke-width: 1.75; stroke-linejoin: round; }
  .area { fill: var(--ink); fill-opacity: 0.12; }
  .mark { fill: var(--ink); font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #9198a1; } .rule { stroke: #3d444d; }
    .old { --ink: #f0a35e; } .new { --ink: #6cb6ff; } .area { fill-opacity: 0.18; }
  }
"""


@dataclass(frozen=True)
class Trace:
    """A curve.

    Attributes
    ----------
    title, subtitle
        What stands above it.
    kind
        ``old`` or ``new``: its colour.
    seconds, megabytes
        Its points, in order of time.
    """

    title: str
    subtitle: str
    kind: str
    seconds: Sequence[float]
    megabytes: Sequence[float]


def picture(traces: Sequence[Trace], description: str) -> str:
    """Return an SVG with a panel a trace: one scale of memory, to each its own scale of time."""
    top = _round_up(1.08 * max(max(trace.megabytes) for trace in traces))
    width = (WIDTH - LEFT - RIGHT - BETWEEN * (len(traces) - 1)) / len(traces)
    told = escape(description, quote=True)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{told}</title><style>{STYLE}</style>",
    ]
    for number, trace in enumerate(traces):
        parts += _panel(trace, LEFT + number * (width + BETWEEN), width, top, scale=number == 0)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(trace: Trace, left: float, width: float, top: float, *, scale: bool) -> list[str]:
    base, right = HEIGHT - BOTTOM, left + width

    def y(megabytes: float) -> float:
        return base - (base - TOP) * megabytes / top

    parts = [_text("title", left, 20, trace.title), _text("quiet", left, 38, trace.subtitle)]
    for step in range(5):
        level, height = top * step / 4, y(top * step / 4)
        parts.append(f'<path class="rule" d="M{left:.1f} {height:.1f}H{right:.1f}"/>')
        if scale:
            unit = " MB" if step == 4 else ""
            parts.append(_text("quiet", left - 8, height + 4, f"{level:.0f}{unit}", ends=True))
    end, peak = trace.seconds[-1], max(trace.megabytes)
    points = [(left + width * t / end, y(m)) for t, m in _thinned(trace.seconds, trace.megabytes)]
    line = " ".join(f"{across:.1f},{height:.1f}" for across, height in points)
    parts += [
        f'<polygon class="area" points="{left:.1f},{base} {line} {right:.1f},{base}"/>',
        f'<polyline class="line" points="{line}"/>',
        _text("quiet", left, base + 20, "0"),
        _text("quiet", right, base + 20, f"{float(f'{end:.2g}'):g} s", ends=True),
        _text("mark", right, 20, f"at most {peak:.0f} MB", ends=True),
    ]
    return [f'<g class="{trace.kind}">', *parts, "</g>"]


def _text(kind: str, x: float, y: float, text: str, *, ends: bool = False) -> str:
    anchor = ' text-anchor="end"' if ends else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(text)}</text>'


def _thinned(seconds: Sequence[float], megabytes: Sequence[float]) -> list[tuple[float, float]]:
    """Return the highest point of every step, and the last one."""
    found: dict[int, tuple[float, float]] = {}
    for point in zip(seconds, megabytes, strict=True):
        step = int(POINTS * point[0] / seconds[-1])
        if step not in found or point[1] >= found[step][1]:
            found[step] = point
    return [(0.0, megabytes[0]), *found.values(), (seconds[-1], megabytes[-1])]


def _round_up(value: float) -> float:
    """Return the next round number that four lines divide well."""
    size = 10 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 2, 4, 6, 8, 10) if size * step >= value)
