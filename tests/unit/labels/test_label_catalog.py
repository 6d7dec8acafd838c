"""From settings to labelers: only what a method knows is passed, what it does not know is refused."""

import inspect

import numpy as np
import pytest

from onward.config.describe import choices
from onward.config.labels import LabelConfig
from onward.errors import ConfigError, LabelError
from onward.labels import (
    CATALOG,
    CusumSampledLabeler,
    MetaLabeler,
    ThresholdLabeler,
    TripleBarrierLabeler,
    labeler_from_settings,
)
from onward.labels.barriers import PRICES, TIES, UNITS, VERTICALS
from onward.labels.events import CUSUM_MODES
from onward.labels.triple_barrier import SIDES
from onward.labels.volatility import ESTIMATORS
from onward.labels.weights import WEIGHTS

FIELDS = LabelConfig.model_fields
NOT_THE_LABELERS = {"method", "events", "cusum_mode", "cusum_threshold", "weights", "time_decay"}


def settings(**changes):
    section = LabelConfig.sealed(**changes)
    return {name: getattr(section, name) for name in FIELDS if name != "method"}


def test_methods_are_the_catalogue():
    assert choices(FIELDS["method"].annotation) == tuple(CATALOG)


@pytest.mark.parametrize("method", sorted(CATALOG))
def test_the_default_settings_are_the_default_labeler(method):
    assert labeler_from_settings(method, settings()) == CATALOG[method]()
    assert labeler_from_settings(method, {}) == CATALOG[method]()


def test_every_setting_belongs_to_a_method_and_every_parameter_has_a_setting():
    parameters = {name for cls in CATALOG.values() for name in inspect.signature(cls).parameters}
    assert parameters - {"fitted_threshold"} == set(FIELDS) - NOT_THE_LABELERS
    sampling = set(inspect.signature(CusumSampledLabeler).parameters) - {"labeler"}
    assert sampling <= set(FIELDS)


def test_words_of_the_settings_are_those_of_the_labelers():
    for name, words in {
        "side": SIDES,
        "price": PRICES,
        "tie": TIES,
        "vertical": VERTICALS,
        "unit": UNITS,
        "estimator": ESTIMATORS,
        "cusum_mode": CUSUM_MODES,
        "weights": WEIGHTS,
    }.items():
        assert choices(FIELDS[name].annotation) == words, name


def test_the_sampling_settings_are_those_of_the_sampler():
    sampler = CusumSampledLabeler()
    for name in ("cusum_threshold", "cusum_mode", "window_bars"):
        assert FIELDS[name].default == getattr(sampler, name)


def test_settings_reach_the_labeler():
    values = settings(profit=2.0, stop=1.0, side="long", price="high_low", tie="drop", time_decay=0.5)
    labeler = labeler_from_settings("triple_barrier", values)
    assert labeler == TripleBarrierLabeler(profit=2.0, stop=1.0, side="long", price="high_low", tie="drop")
    values = settings(signal="series:desk.side", vertical="sign", weights="return")
    assert labeler_from_settings("meta", values) == MetaLabeler(signal="series:desk.side", vertical="sign")
    values = settings(mode="quantile", quantile=0.4, multiplier=0.5)
    assert labeler_from_settings("threshold", values) == ThresholdLabeler(
        mode="quantile", quantile=0.4, multiplier=0.5
    )


def test_events_wrap_any_method():
    values = settings(events="cusum", cusum_threshold=3.0, window_bars=48, horizon_bars=12)
    for method, cls in CATALOG.items():
        labeler = labeler_from_settings(method, values)
        inner = cls(horizon_bars=12) if method == "trend_scanning" else cls(horizon_bars=12, window_bars=48)
        assert labeler == CusumSampledLabeler(inner, cusum_threshold=3.0, window_bars=48)


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        ("threshold", {"profit": 2.0}, "no use for labels.profit.*triple_barrier or meta"),
        ("triple_barrier", {"multiplier": 1.0}, "no use for labels.multiplier.*labels.method to threshold"),
        ("triple_barrier", {"signal": "breakout"}, "labels.method to meta"),
        ("meta", {"side": "long"}, "labels.method to triple_barrier"),
        ("trend_scanning", {"window_bars": 48}, "no use for labels.window_bars"),
        ("threshold", {"cusum_threshold": 3.0}, "event sampling, which is off"),
        ("threshold", {"cusum_mode": "fixed"}, "Set labels.events to cusum"),
    ],
)
def test_what_a_method_has_no_use_for_is_refused(method, changes, message):
    with pytest.raises(ConfigError, match=message):
        labeler_from_settings(method, settings(**changes))


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(ConfigError, match=r"Did you mean labels\.profit"):
        labeler_from_settings("triple_barrier", {"profitt": 1.0})
    with pytest.raises(LabelError, match="Did you mean 'triple_barrier'"):
        labeler_from_settings("tripel_barrier", {})


def test_what_a_labeler_refuses_stays_refused():
    with pytest.raises(LabelError, match="mode of TripleBarrierLabeler is not known"):
        labeler_from_settings("triple_barrier", settings(mode="quantile"))
    with pytest.raises(LabelError, match="must be symmetric"):
        labeler_from_settings("triple_barrier", settings(profit=2.0, stop=1.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "tripple_barrier"}, "Did you mean triple_barrier"),
        ({"profitt": 1.0}, "Did you mean labels.profit"),
        ({"profit": -1.0}, "labels.profit"),
        ({"stop": float("nan")}, "labels.stop"),
        ({"tie": "stops"}, "Did you mean stop"),
        ({"weights": "unique"}, "Did you mean uniqueness"),
        ({"time_decay": -1.0}, "labels.time_decay"),
        ({"time_decay": 1.5}, "labels.time_decay"),
        ({"cusum_threshold": 0.0}, "labels.cusum_threshold"),
        ({"events": "cussum"}, "Did you mean cusum"),
        ({"shortest_bars": 1}, "labels.shortest_bars"),
        ({"signal": ""}, "labels.signal"),
        ({"min_return": 1.0}, "labels.min_return"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        LabelConfig.sealed(**changes)


def test_no_stop_is_a_word():
    assert LabelConfig.sealed(stop="none").stop is None
    assert LabelConfig.sealed(stop="0.5").stop == pytest.approx(0.5)
    assert np.isclose(LabelConfig.sealed(time_decay="-0.25").time_decay, -0.25)
