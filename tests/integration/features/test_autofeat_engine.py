"""Beside autofeat itself: the same formulas are chosen, and they have the same values."""

import sys
from pathlib import Path

import numpy as np
import pytest

from onward.features.autofeat.parameters import TRANSFORMATIONS
from onward.features.isolation import IsolatedProcess, Limits

pytest.importorskip("autofeat", reason="autofeat is an extra")
HERE = str(Path(__file__).parent)


@pytest.fixture(scope="module")
def child():
    sys.path.insert(0, HERE)
    try:
        limits = Limits(seconds=300)
        with IsolatedProcess(limits=limits, environment={"NUMBA_DISABLE_JIT": "1"}) as process:
            yield process
    finally:
        sys.path.remove(HERE)


def inputs(n=300):
    """A symmetric, a positive and a small heavy-tailed column: each transformation finds one it likes."""
    generator = np.random.default_rng(3)
    return np.column_stack(
        (generator.standard_normal(n), generator.gamma(3.0, 0.5, n) + 0.1, 0.3 * generator.standard_t(4, n))
    )


@pytest.mark.parametrize(
    ("steps", "transformations"),
    [
        (2, TRANSFORMATIONS),
        (3, ("1/", "log", "abs", "sqrt", "^2")),
        (3, ("exp", "^3", "sin", "exp-")),
        (3, ("1+", "1-", "cos", "2^")),
    ],
)
def test_our_values_equal_autofeats_own_transform(child, steps, transformations):
    X = inputs() if steps == 2 else inputs()[:, :2]
    scales = {"x000": 2.0**-9, "x001": 64.0}
    answer = child.call(
        "autofeat_children:every_formula",
        {"X": X},
        {"steps": steps, "transformations": transformations, "scales": scales, "most": 250},
    )
    ours, theirs = answer.arrays["ours"], answer.arrays["theirs"]
    formulas = answer.results["formulas"]
    assert len(formulas) > 20
    if steps == 2:
        text = " ".join(formulas)
        for sign in ("1/", "exp(x", "exp(-", "log(", "Abs(", "sqrt(", "**2", "**3", "sin(", "cos(", "2**"):
            assert sign in text
    finite = np.isfinite(theirs)
    assert finite.mean() > 0.99
    scale = np.sqrt(np.mean(np.where(finite, theirs, 0.0) ** 2, axis=0))
    np.testing.assert_array_equal(np.isfinite(ours), finite)
    apart = np.abs(ours - theirs) / (np.abs(theirs) + 1e-3 * scale)
    assert np.nanmax(np.where(finite, apart, 0.0)) < 1e-9
    theirs_counted, ours_counted = answer.results["counted"]
    assert theirs_counted == ours_counted


def test_the_engine_chooses_what_autofeat_chooses(child):
    X = inputs()
    generator = np.random.default_rng(5)
    signal = X[:, 0] * X[:, 1] + np.log(X[:, 1]) + 0.5 * generator.standard_normal(len(X))
    y = np.sign(np.where(np.abs(signal) < 0.4, 0.0, signal))
    n, told = len(X), []
    answer = child.call(
        "autofeat_children:own_fit",
        {
            "X": X,
            "targets": y[:, None],
            "series": np.zeros(n, dtype=np.int64),
            "step": np.arange(n),
            "shifts": np.arange(30, 270, 5),
        },
        progress=lambda event: told.append(event.message),
    )
    assert told == ["importing autofeat", "generating candidates", "selecting formulas"]
    theirs, ours = answer.results["theirs"], answer.results["ours"]
    assert len(theirs) >= 3
    assert sorted(theirs) == sorted([*ours["chosen"], *ours["rejected"]])
    assert ours["rejected"] == {}
    assert ours["chosen"][0] == theirs[0]
