"""Formulas are read by a parser that understands nothing but formulas."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import StageError
from onward.features.autofeat import evaluate, parse
from onward.features.autofeat.formula import MAX_DEPTH, MAX_LENGTH

A, B = 1.7, -0.6
COLUMNS = {"a": np.array([A]), "b": np.array([B])}


def value(text):
    return float(evaluate(parse(text), COLUMNS)[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", A),
        ("a + b*2", A + B * 2),
        ("a - b - 1", A - B - 1),
        ("a/b/2", A / B / 2),
        ("a**2**b", A ** (2**B)),
        ("-a**2", -(A**2)),
        ("(-a)**2", A**2),
        ("a**-2", A**-2),
        ("2**-a", 2**-A),
        ("- - -a", -A),
        ("+a", A),
        ("1/(a*b)", 1 / (A * B)),
        ("a**(5/2)", A**2.5),
        ("exp(-a)*Abs(b)**3", math.exp(-A) * abs(B) ** 3),
        ("sqrt(a)*log(a)", math.sqrt(A) * math.log(A)),
        ("sin(a + cos(b))", math.sin(A + math.cos(B))),
        ("E*a + pi", math.e * A + math.pi),
        ("1.5e-3*a", 1.5e-3 * A),
        (".5*a + 2.", 0.5 * A + 2),
        ("  a  *  b ", A * B),
    ],
)
def test_values_are_those_of_arithmetic(text, expected):
    assert value(text) == pytest.approx(expected, rel=1e-14)


def expressions():
    leaves = st.sampled_from(["a", "b", "2", "0.5", "3"])

    def bigger(inner):
        pair = st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        loose = st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"{t[0]} {t[1]} {t[2]}")
        power = st.tuples(inner, st.sampled_from(["2", "3", "(-1)"])).map(lambda t: f"({t[0]})**{t[1]}")
        call = st.tuples(st.sampled_from(["exp", "sin", "cos", "Abs", "log", "sqrt"]), inner)
        return st.one_of(pair, loose, power, call.map(lambda t: f"{t[0]}({t[1]})"))

    return st.recursive(leaves, bigger, max_leaves=12)


@settings(max_examples=200, deadline=None)
@given(text=expressions())
def test_any_formula_equals_python(text):
    """Python's own arithmetic is the reference; where it refuses, the value is NaN."""
    names = {
        "exp": math.exp,
        "sin": math.sin,
        "cos": math.cos,
        "Abs": abs,
        "log": math.log,
        "sqrt": math.sqrt,
    }
    text = f"a*0 + {text}"
    try:
        expected = eval(text, {"__builtins__": {}}, {**names, "a": A, "b": B})
    except (ValueError, ZeroDivisionError, OverflowError):
        expected = math.nan
    ours = value(text)
    if math.isfinite(expected):
        assert ours == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert math.isnan(ours)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a b",
        "a +",
        "* a",
        "(a",
        "a)",
        "()",
        "exp()",
        "exp(a, b)",
        "exp a",
        "a[0]",
        "a.real",
        "a; b",
        "a = 1",
        "a // b",
        "a % b",
        "lambda: a",
        "__import__('os').system('true')",
        "eval(a)",
        "open(a)",
        "a if b else a",
        '"a"',
        "a\n+b",
        "a\t+b",
        "é",
        "a**",
        "1e999*a",
        "2a",
        "2 3*a",
        "3.5",
        "E + pi",
        "a @ b",
        "a\x00",
        "١*a",
        "(a)(b)",
        "exp(a)(b)",
    ],
)
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(StageError, match="a formula is not understood"):
        parse(text)


def test_an_unknown_function_is_answered_with_the_nearest():
    with pytest.raises(StageError, match=r"the function 'sqr' \(did you mean sqrt\?\)"):
        parse("sqr(a)")


@pytest.mark.parametrize("wrap", ["(%s)", "-%s", "a**%s", "exp(%s)", "a*(%s)"])
def test_depth_is_limited(wrap):
    text = "a"
    for _ in range(MAX_DEPTH - 2):
        text = wrap % text
    parse(text)
    for _ in range(10):
        text = wrap % text
    with pytest.raises(StageError, match="nested too deeply"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["(" * 1_900 + "a", "-" * 1_900 + "a", "exp(" * 450 + "a", "a**" * 600 + "a"]
)
def test_very_deep_texts_do_not_exhaust_the_stack(text):
    with pytest.raises(StageError, match="nested too deeply"):
        parse(text)


def test_length_is_limited():
    long = "+".join(["a"] * (MAX_LENGTH // 2))
    assert value(long) == pytest.approx(A * (MAX_LENGTH // 2))
    with pytest.raises(StageError, match="too long or not text"):
        parse(long + "+a+a")
    with pytest.raises(StageError, match="too long or not text"):
        parse(3)


def test_names_come_in_order_of_appearance():
    assert parse("b*a + b + exp(c)").names == ("b", "a", "c")
    assert parse("exp*a").names == ("exp", "a")
