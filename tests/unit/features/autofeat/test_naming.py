"""Scales are written into formulas, and column names say what a column is."""

import re

import numpy as np
import pytest

from onward.features.autofeat import evaluate, parse
from onward.features.autofeat.naming import MAX_NAME, column_name, scaled_text, unique


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x0", "x0/16"),
        ("x0*x1", "x0/16*x1*8"),
        ("x0**3", "(x0/16)**3"),
        ("1/x1", "1/(x1*8)"),
        ("2**x0", "2**(x0/16)"),
        ("2**(x0)", "2**(x0/16)"),
        ("exp(-x0)", "exp(-x0/16)"),
        ("sqrt(x0)/Abs(x1)", "sqrt(x0/16)/Abs(x1*8)"),
        ("x0-x1", "x0/16 - x1*8"),
        ("E*x0 + x2", "E*x0/16 + x2"),
        ("x1**(-2)", "(x1*8)**(-2)"),
        ("x0/x1/x2", "x0/16/(x1*8)/x2"),
        ("x2 - -x0", "x2 - -x0/16"),
    ],
)
def test_scales_are_written_into_formulas(text, expected):
    scales = {"x0": 16.0, "x1": 0.125, "x2": 1.0}
    assert scaled_text(text, scales) == expected
    columns = {"x0": np.array([3.0, -8.0]), "x1": np.array([0.5, 2.0]), "x2": np.array([-1.0, 4.0])}
    scaled = {name: column / scales[name] for name, column in columns.items()}
    np.testing.assert_allclose(evaluate(parse(expected), columns), evaluate(parse(text), scaled), rtol=1e-15)


@pytest.mark.parametrize("scale", [2.0**60, 2.0**-60, 2.0**290, 2.0**-290])
def test_extreme_scales_survive_as_text(scale):
    text = scaled_text("x0", {"x0": scale})
    assert evaluate(parse(text), {"x0": np.array([scale])})[0] == 1.0


def test_names_are_readable_and_tame():
    columns = {"x000": "manual__rsi_14", "x001": 'tsfresh__close__agg_"mean", [q: 0.5]'}
    name = column_name("sqrt(x000/64)*Abs(x001) - 1", columns)
    assert name == "autofeat__sqrt(manual__rsi_14/64)*abs(tsfresh__close__agg__mean____q__0.5_)-1"
    assert re.fullmatch(r"[A-Za-z0-9_.*/+()-]+", name)


def test_long_names_are_cut_and_stay_distinct():
    columns = {"x0": "a" * 200, "x1": "b"}
    first, second = column_name("x0*x1", columns), column_name("x0 - x1", columns)
    assert len(first) == len(second) == MAX_NAME + len("autofeat__")
    assert first != second
    assert first == column_name("x0*x1", columns)


def test_repeated_names_are_numbered():
    assert unique(["a", "b", "a", "a"]) == ["a", "b", "a__2", "a__3"]
