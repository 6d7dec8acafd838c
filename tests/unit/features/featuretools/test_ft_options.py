"""Options of the stage: what is refused, and what the errors say."""

from __future__ import annotations

from typing import Any

import pytest

from onward.errors import ConfigError, TimeframeError
from onward.features.featuretools import PRIMITIVES, FeaturetoolsStage, synthesis
from onward.features.featuretools.primitives import resolve_primitives
from onward.testing.markets import random_walk

MARKET = random_walk(300, seed=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"aggregations": ["meen"]}, "Did you mean 'mean'?"),
        ({"aggregations": ["absolute"]}, "It belongs under featuretools.transforms."),
        ({"aggregations": 3}, "not a list of names"),
        ({"aggregations": [3]}, "not a list of names"),
        ({"aggregations": [], "transforms": [], "ranks": []}, "given no primitive"),
        ({"transforms": ["percentile"]}, 'featuretools.ranks = ["percentile"]'),
        ({"transforms": ["cum_sum"]}, "over all rows before the cutoff"),
        ({"transforms": ["rolling_mean"]}, "reads other rows"),
        ({"transforms": ["latitude"]}, "no column of the type"),
        ({"transforms": ["substract_numeric"]}, "Did you mean 'subtract_numeric'?"),
        ({"ranks": ["mean"]}, "It belongs under featuretools.aggregations."),
        ({"parents": ["dya"]}, "Did you mean 'day'?"),
        ({"parents": []}, "at least one of"),
        ({"parents": ["moment"]}, "at least one of"),  # there is one symbol
        ({"parents": 3}, "featuretools.parents is out of range"),
        ({"columns": ["log_retrun"]}, "Did you mean 'log_return'?"),
        ({"columns": []}, None),
        ({"max_depth": 0}, "1 to 5"),
        ({"max_depth": True}, "1 to 5"),
        ({"max_depth": 1, "ranks": []}, "an aggregation needs 2"),
        ({"max_features": 0}, "at least 1"),
        ({"comparable_only": "yes"}, "true or false"),
        ({"check_rows": -1}, "0 to 10000"),
        ({"timeout_seconds": 0}, "a finite number above 0"),
        ({"max_gb": float("nan")}, "a finite number above 0"),
        ({"training_window": "30min"}, "at least one bar, which is 1h long"),
        ({"training_window": "soon"}, "a duration"),
        ({"training_window": 7}, "a duration"),
        ({"training_window": "-7d"}, "a duration"),
        ({"training_window": None}, "a duration"),
        ({"training_window": "9000d"}, "at most 366 days"),
        ({"agregations": ["mean"]}, "Did you mean 'aggregations'?"),
    ],
)
def test_a_bad_option_is_refused_with_the_remedy(options: dict[str, Any], said: str | None) -> None:
    if said is None:  # no column is left but time: bars can still be counted
        assert FeaturetoolsStage.for_market(MARKET, **options).columns()[0] == "featuretools__sessions.count"
        return
    with pytest.raises(ConfigError) as caught:
        FeaturetoolsStage.for_market(MARKET, **options)
    assert said in str(caught.value)


def test_one_name_may_stand_without_a_list() -> None:
    stage = FeaturetoolsStage.for_market(
        MARKET, aggregations="mean", transforms=[], ranks=[], parents="day", columns="log_return"
    )
    assert stage.columns() == ("featuretools__days.mean.log_return",)


def test_the_order_of_options_does_not_matter() -> None:
    one = FeaturetoolsStage.for_market(MARKET, aggregations=["std", "mean"], parents=["week", "day"])
    other = FeaturetoolsStage.for_market(
        MARKET, aggregations=["mean", "std", "mean"], parents=["day", "week"]
    )
    assert one.columns() == other.columns()


def test_the_shallowest_features_are_kept() -> None:
    stage = FeaturetoolsStage.for_market(MARKET, max_features=20)
    everything = FeaturetoolsStage.for_market(MARKET)
    assert len(stage.columns()) == 20
    assert set(stage.columns()) < set(everything.columns())
    deepest = max(definition.expression.depth for definition in stage.definitions)
    assert deepest <= min(
        d.expression.depth for d in everything.definitions if d.column not in stage.columns()
    )


def test_what_goes_beyond_the_shipped_definitions_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "is_installed", lambda: False)
    assert FeaturetoolsStage.for_market(MARKET, aggregations=["median"]).columns()
    for options in ({"aggregations": ["count_above_mean"]}, {"max_depth": 4}, {"comparable_only": False}):
        with pytest.raises(ConfigError, match=r"onward\[automl\]"):
            FeaturetoolsStage.for_market(MARKET, **options)  # type: ignore[arg-type]


def test_the_catalogue_says_of_every_primitive_what_becomes_of_it() -> None:
    for primitive in PRIMITIVES.values():
        assert primitive.causal != bool(primitive.refused)
        assert not (primitive.native and primitive.refused)
        assert primitive.microseconds < 1 if primitive.native else primitive.microseconds >= 1_000
    assert resolve_primitives(["mean", "mean"], "aggregation") == ("mean",)


def test_another_timeframe_is_refused() -> None:
    stage = FeaturetoolsStage.for_market(MARKET)
    with pytest.raises(TimeframeError, match="another timeframe"):
        stage.compute(random_walk(50, timeframe=14_400_000_000_000))
