"""The picture of memory over time: well-formed, to scale, and readable on light and dark pages."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks._memory_picture import BOTTOM, HEIGHT, WIDTH, Trace, picture

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = Path(__file__).parents[3] / "docs" / "images" / "memory.svg"


def trace(kind: str, *megabytes: float) -> Trace:
    seconds = [0.5 * i for i in range(len(megabytes))]
    return Trace(f"<{kind}>", "three calls", kind, seconds, megabytes)


def curves(svg: str) -> list[list[tuple[float, float]]]:
    """Return the points of every curve; everything must lie within the picture."""
    root = ElementTree.fromstring(svg)
    found = []
    for line in root.iter(f"{SVG}polyline"):
        pairs = [point.split(",") for point in line.attrib["points"].split()]
        points = [(float(x), float(y)) for x, y in pairs]
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
        assert all(before <= after for (before, _), (after, _) in pairwise(points))
        found.append(points)
    return found


def test_two_panels_share_one_scale_of_memory() -> None:
    svg = picture([trace("old", 100, 400, 200), trace("new", 100, 100, 100)], 'with "quotes" & signs')
    old, new = curves(svg)
    assert old[0][1] == new[0][1] == new[-1][1]
    zero = HEIGHT - BOTTOM
    assert zero - min(y for _, y in old) == pytest.approx(4 * (zero - new[0][1]), abs=0.2)
    assert "at most 400 MB" in svg
    assert "at most 100 MB" in svg
    assert "&lt;old&gt;" in svg


def test_a_spike_between_thousands_of_looks_is_shown() -> None:
    megabytes = [50.0] * 5_000
    megabytes[2_503] = 90.0
    (points,) = curves(picture([trace("new", *megabytes)], "a spike"))
    assert len(points) < 300
    heights = [y for _, y in points]
    assert heights.count(min(heights)) == 1
    assert min(heights) < sorted(heights)[1]


def test_the_page_shows_such_a_picture() -> None:
    svg = DRAWN.read_text(encoding="utf-8")
    assert len(curves(svg)) == 2
    assert "prefers-color-scheme: dark" in svg
