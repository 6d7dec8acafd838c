"""Every text of the report stands out from its background, in both themes (WCAG 2.2, AA)."""

import re
from importlib.resources import files

import pytest

STYLE = files("onward.evaluation.report").joinpath("assets", "report.css").read_text(encoding="utf-8")
THEMES = re.findall(r":root[^{]*\{([^}]*)\}", STYLE)
TEXTS = [(ink, paper) for ink in ("ink", "quiet", "accent") for paper in ("card", "paper")]
TEXTS += [(tone, f"{tone}-paper") for tone in ("good", "fair", "bad", "calm")]
TEXTS += [("good", "card"), ("fair", "card"), ("bad", "card"), ("ink", "bar"), ("ink", "fair-paper")]
GRAPHICS = [
    (name, "card") for name in ("up", "down", "range", "series-1", "series-3", "series-4", "series-5")
]


def colours(theme):
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", theme))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_ways_into_the_dark_show_the_same_colours():
    light, toggled, preferred = THEMES
    assert colours(toggled) == colours(preferred)
    assert set(colours(light)) == set(colours(toggled))


@pytest.mark.parametrize("theme", THEMES[:2], ids=["light", "dark"])
def test_texts_can_be_read(theme):
    palette = colours(theme)
    weak = {pair for pair in TEXTS if contrast(palette[pair[0]], palette[pair[1]]) < 4.5}
    assert not weak


@pytest.mark.parametrize("theme", THEMES[:2], ids=["light", "dark"])
def test_lines_and_bars_can_be_seen(theme):
    palette = colours(theme)
    faint = {pair for pair in GRAPHICS if contrast(palette[pair[0]], palette[pair[1]]) < 3.0}
    assert not faint
