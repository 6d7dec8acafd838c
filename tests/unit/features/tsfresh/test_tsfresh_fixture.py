"""Published values of 72 calculators on six windows, computed by tsfresh 0.21.2."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from onward.features.tsfresh import extract_rolling

REFERENCE = json.loads(
    (Path(__file__).parents[3] / "fixtures" / "references" / "tsfresh.json").read_text(encoding="utf-8")
)
ORDER = {
    "ratio_beyond_r_sigma": ("r",),
    "large_standard_deviation": ("r",),
    "symmetry_looking": ("r",),
    "number_crossing_m": ("m",),
    "permutation_entropy": ("tau", "dimension"),
    "approximate_entropy": ("m", "r"),
    "binned_entropy": ("max_bins",),
    "lempel_ziv_complexity": ("bins",),
    "fourier_entropy": ("bins",),
    "change_quantiles": ("ql", "qh", "isabs", "f_agg"),
    "max_langevin_fixed_point": ("r", "m"),
    "mean_n_absolute_max": ("number_of_maxima",),
    "range_count": ("min", "max"),
    "value_count": ("value",),
    "quantile": ("q",),
    "cid_ce": ("normalize",),
    "number_peaks": ("n",),
    "number_cwt_peaks": ("n",),
    "autocorrelation": ("lag",),
    "c3": ("lag",),
    "time_reversal_asymmetry_statistic": ("lag",),
}
LOOSE = ("augmented_dickey_fuller", "ar_coefficient", "friedrich_coefficients", "max_langevin_fixed_point")


def literal(text):
    named = {"True": True, "False": False}
    if text in named:
        return named[text]
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text.strip('"')


def from_suffix(suffix):
    """Return the parameters that a column suffix spells, such as ``attr_"abs"__coeff_1``."""
    parameters = {}
    for part in suffix.split("__"):
        key, value = part.rsplit("_", 1)
        parameters[key] = (
            tuple(map(int, value[1:-1].split(", "))) if value.startswith("(") else literal(value)
        )
    return parameters


def cells():
    for window, values in REFERENCE["values"].items():
        for key, expected in values.items():
            calculator, _, arguments = key.partition("(")
            if isinstance(expected, dict):
                for suffix, value in expected.items():
                    yield window, calculator, from_suffix(suffix), value
            elif arguments:
                given = map(literal, arguments.rstrip(")").split(","))
                yield window, calculator, dict(zip(ORDER[calculator], given, strict=True)), expected
            else:
                yield window, calculator, None, expected


@pytest.mark.parametrize("window", REFERENCE["windows"])
def test_values_equal_the_published_ones(window):
    values = np.array(REFERENCE["windows"][window])
    mine = [(name, parameters, value) for where, name, parameters, value in cells() if where == window]
    wanted = {}
    for name, parameters, _ in mine:
        wanted.setdefault(name, []).append(parameters)
    wanted = {name: None if entries == [None] else entries for name, entries in wanted.items()}
    frame = extract_rolling(values, window=len(values), parameters=wanted).features
    computed = frame.iloc[0].to_numpy()
    assert len(mine) == 109 == len(computed)
    by_calculator = sorted(range(len(mine)), key=lambda i: list(wanted).index(mine[i][0]))
    wrong = []
    for column, place in enumerate(by_calculator):
        name, parameters, expected = mine[place]
        value = computed[column]
        if expected is None:
            if np.isfinite(value):
                wrong.append((name, parameters, value, expected))
        elif not math.isclose(value, expected, rel_tol=1e-5 if name in LOOSE else 1e-8, abs_tol=1e-11):
            wrong.append((name, parameters, value, expected))
    assert wrong == []
