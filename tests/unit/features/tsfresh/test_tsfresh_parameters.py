"""What may be asked for, in tsfresh's own words."""

from __future__ import annotations

from collections import UserDict

import pytest

from onward.errors import ConfigError
from onward.features.tsfresh import SETS, resolve_parameters
from onward.features.tsfresh.calculators import SIGNATURES
from onward.features.tsfresh.naming import feature_name


@pytest.mark.parametrize(
    ("calculator", "parameters", "name"),
    [
        ("mean", {}, "mean"),
        ("quantile", {"q": 0.1}, "quantile__q_0.1"),
        ("cid_ce", {"normalize": True}, "cid_ce__normalize_True"),
        ("range_count", {"min": -1e12, "max": 0}, "range_count__max_0__min_-1000000000000.0"),
        (
            "change_quantiles",
            {"ql": 0.0, "qh": 0.2, "isabs": False, "f_agg": "mean"},
            'change_quantiles__f_agg_"mean"__isabs_False__qh_0.2__ql_0.0',
        ),
        (
            "cwt_coefficients",
            {"widths": [2, 5], "coeff": 3, "w": 2},
            "cwt_coefficients__coeff_3__w_2__widths_(2, 5)",
        ),
        (
            "augmented_dickey_fuller",
            {"attr": "pvalue"},
            'augmented_dickey_fuller__attr_"pvalue"__autolag_"AIC"',
        ),
    ],
)
def test_names_are_tsfreshs(calculator, parameters, name):
    assert feature_name(calculator, parameters) == name


def test_sets_are_native_and_have_their_sizes():
    sizes = {name: len(resolve_parameters(name)) for name in SETS}
    assert sizes == {"minimal": 10, "financial": 74, "efficient": 782, "comprehensive": 788}
    assert all(feature.native for name in SETS for feature in resolve_parameters(name))


def test_sets_equal_tsfreshs_own():
    settings = pytest.importorskip("tsfresh.feature_extraction.settings", reason="needs the automl extra")
    for name, theirs in [
        ("minimal", settings.MinimalFCParameters()),
        ("efficient", settings.EfficientFCParameters()),
        ("comprehensive", settings.ComprehensiveFCParameters()),
    ]:
        mine = {feature.name for feature in resolve_parameters(name)}
        assert mine == {feature.name for feature in resolve_parameters(theirs)}


def test_every_calculator_of_tsfresh_is_known():
    calculators = pytest.importorskip(
        "tsfresh.feature_extraction.feature_calculators", reason="needs the automl extra"
    )
    import inspect

    for name, function in vars(calculators).items():
        if hasattr(function, "fctype"):
            own = set(inspect.signature(function).parameters) - {"x", "param"}
            assert own <= set(SIGNATURES[name].known), name


def test_dictionaries_of_any_kind_are_taken_and_repeats_dropped():
    wanted = UserDict({"quantile": ({"q": 0.1}, {"q": 0.1}), "mean": [], "median": None})
    assert [feature.name for feature in resolve_parameters(wanted)] == ["quantile__q_0.1", "mean", "median"]


@pytest.mark.parametrize("nothing", [None, [], (), "none", " None"])
def test_a_plan_can_say_that_a_calculator_takes_nothing(nothing):
    assert [feature.name for feature in resolve_parameters({"kurtosis": nothing})] == ["kurtosis"]


@pytest.mark.parametrize(
    ("calculator", "given", "allowed", "remedy"),
    [
        ("kurtosis", {}, "takes no parameters", 'Write "kurtosis": None (kurtosis = [] in a plan).'),
        ("kurtosis", "all", "takes no parameters", 'Write "kurtosis": None (kurtosis = [] in a plan).'),
        ("quantile", {"q": 0.1}, "a list of dictionaries", 'Write "quantile": [{"q": ...}].'),
        (
            len,
            3,
            "None, or a list",
            'Write "len": None, or "len": [{"parameter": ...}].',
        ),
    ],
)
def test_the_remedy_is_what_the_calculator_takes(calculator, given, allowed, remedy):
    with pytest.raises(ConfigError) as refusal:
        resolve_parameters({calculator: given})
    assert allowed in str(refusal.value.allowed)
    assert refusal.value.remedy == remedy


def test_what_no_kernel_computes_is_known_beforehand():
    features = resolve_parameters(
        {
            "augmented_dickey_fuller": [{"attr": "pvalue", "autolag": "t-stat"}],
            "change_quantiles": [{"ql": 0.1, "qh": 0.9, "isabs": True, "f_agg": "ptp"}],
            "query_similarity_count": [{"query": [1, 2, 3], "threshold": 0.1}],
            "matrix_profile": [{"feature": "min", "threshold": 0.98}],
            len: None,
        }
    )
    assert [feature.native for feature in features] == [False] * 5
    assert features[-1].name == "len"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("finacial", "Did you mean 'financial'"),
        (7, "neither a set nor a dictionary"),
        ({}, "no feature"),
        ({"quantil": [{"q": 0.1}]}, "Did you mean 'quantile'"),
        ({"quantile": [{"p": 0.1}]}, "no parameter of this name"),
        ({"autocorrelation": [{"lags": 1}]}, "Did you mean 'lag'"),
        ({"mean": [{"q": 1}]}, "no parameters"),
        ({"quantile": None}, "needs parameters"),
        ({"quantile": "none"}, "needs parameters"),
        ({"quantile": {"q": 0.1}}, "no list"),
        ({"quantile": "q"}, "no list"),
        ({"quantile": [0.1]}, "no dictionary"),
        ({"range_count": [{"min": 0}]}, "Give max"),
        ({"quantile": [{"q": "half"}]}, "cannot be read"),
        ({"cwt_coefficients": [{"widths": 3, "coeff": 1, "w": 3}]}, "cannot be read"),
    ],
)
def test_misspelt_parameters_are_answered_with_the_nearest(parameters, words):
    with pytest.raises(ConfigError, match=words):
        resolve_parameters(parameters)
