"""Values outside a function's domain are NaN, and a row knows nothing of its neighbours."""

import numpy as np
import pytest

from onward.errors import StageError
from onward.features.autofeat import evaluate, parse

ALL = "exp(a/8)*log(Abs(b)) + sqrt(Abs(a))/b - sin(a)*cos(b)**3 + 2**(a/4) + 1/(a*b) + b**2 + Abs(b)**(3/2)"


def at(text, *values):
    return evaluate(parse(text), {"a": np.array(values, dtype=np.float64)})


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ("log(a)", [0.0, -1.0]),
        ("sqrt(a)", [-1e-300]),
        ("1/a", [0.0, -0.0]),
        ("a**(-2)", [0.0]),
        ("a**(1/2)", [-4.0]),
        ("a**0.5", [-4.0]),
        ("exp(a)", [710.0]),
        ("2**a", [1024.0]),
        ("a**3", [1e103, -1e103]),
        ("a*a", [1e200]),
        ("exp(-1/a)", [0.0]),
        ("1/(1/a)", [0.0]),
        ("exp(-exp(a))", [800.0]),
        ("a**0", [np.nan, np.inf]),
        ("a*0 + 1", [np.nan, -np.inf]),
        ("1/a", [np.inf]),
        ("1**a", [np.nan]),
        ("a + 9**9**9", [1.0]),
        ("a + 1/0", [1.0]),
        ("a + log(-1)", [1.0]),
    ],
)
def test_outside_the_domain_is_unknown(text, outside):
    assert np.isnan(at(text, *outside)).all()


def test_one_bad_row_leaves_the_others_alone():
    np.testing.assert_array_equal(at("1/a", 2.0, 0.0, np.nan, 4.0), [0.5, np.nan, np.nan, 0.25])


def test_a_row_ignores_its_batch():
    """Bit for bit, whatever the length, place or memory layout."""
    generator = np.random.default_rng(0)
    columns = {"a": generator.standard_normal(257), "b": generator.standard_cauchy(257)}
    formula = parse(ALL)
    whole = evaluate(formula, columns)
    assert np.isfinite(whole).all()
    for row in (0, 1, 7, 128, 256):
        np.testing.assert_array_equal(
            evaluate(formula, {n: c[row : row + 1] for n, c in columns.items()}), whole[[row]]
        )
    strided = np.column_stack((columns["a"], columns["b"], columns["a"]))
    np.testing.assert_array_equal(evaluate(formula, {"a": strided[:, 0], "b": strided[:, 1]}), whole)
    np.testing.assert_array_equal(evaluate(formula, {n: c[::-1] for n, c in columns.items()})[::-1], whole)
    np.testing.assert_array_equal(evaluate(formula, {n: c[5:90] for n, c in columns.items()}), whole[5:90])


def test_inputs_are_left_as_they_are():
    given = {"a": np.array([1.0, np.inf, 0.0])}
    evaluate(parse("a"), given)
    evaluate(parse("a/1"), given)
    np.testing.assert_array_equal(given["a"], [1.0, np.inf, 0.0])


def test_float32_is_computed_in_float64():
    values = np.array([0.1, 3.3], dtype=np.float32)
    np.testing.assert_array_equal(evaluate(parse("exp(a)"), {"a": values}), np.exp(values.astype(np.float64)))


def test_no_rows_give_no_values():
    assert at("exp(a)").shape == (0,)


def test_a_missing_column_is_named():
    with pytest.raises(StageError, match=r"needs a column that is not there; got 'b' in 'a\*b'; allowed: a"):
        at("a*b", 1.0)
