"""Weights reach every fit, and come from the rows in hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onward.errors import LabelError
from onward.labels import ThresholdLabeler, sample_weights
from onward.training.assembly import make_trainer
from onward.training.weighing import Weighing
from onward.types import FloatArray, Spans
from tests.unit.training.small_runs import small_plan, walk

MARKET = walk(400)
SPANS = ThresholdLabeler(horizon_bars=6, window_bars=24).spans(MARKET)


def weighing(scheme: str = "uniqueness", oldest: float = 1.0) -> Weighing:
    return Weighing(MARKET, SPANS, np.ones(len(SPANS)), scheme, oldest)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["none", "uniqueness", "return"])
@pytest.mark.parametrize("oldest", [1.0, 0.5, -0.3])
def test_some_of_the_rows_are_weighed_by_themselves(scheme: str, oldest: float) -> None:
    rows = np.flatnonzero(np.arange(len(SPANS)) % 50 < 30)
    part = weighing(scheme, oldest).take(rows).weights()
    expected = sample_weights(SPANS.take(rows), MARKET, scheme, oldest=oldest)  # type: ignore[arg-type]
    np.testing.assert_allclose(part, expected)
    assert part.mean() == pytest.approx(1.0)
    if scheme != "none" or oldest != 1.0:
        inherited = weighing(scheme, oldest).weights()[rows]
        assert not np.allclose(part, inherited / inherited.mean())


def test_the_labelers_own_weights_count_too() -> None:
    own = np.linspace(1.0, 3.0, len(SPANS))
    both = Weighing(MARKET, SPANS, own, "uniqueness", 1.0).weights()
    unique = weighing().weights()
    np.testing.assert_allclose(both, own * unique / (own * unique).mean())
    with pytest.raises(LabelError, match="weight 0"):
        Weighing(MARKET, SPANS, np.zeros(len(SPANS))).weights()


@pytest.mark.parametrize("ensemble", [{}, {"ensemble__method": "voting", "ensemble__votes": "score"}])
def test_every_fit_of_every_fold_gets_the_weights_of_its_own_rows(
    ensemble: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from onward.models import LightGBMModel, LogisticModel

    plan = small_plan(
        **ensemble,
        ensemble__members=["lightgbm", "logistic"],
        ensemble__parameters__logistic__max_passes=2,
        training__inner_folds=2,
        training__calibration="temperature",
        labels__weights="uniqueness",
        labels__time_decay=0.5,
    )
    trainer = make_trainer(plan, MARKET)
    expected: list[FloatArray] = []
    fitted: list[FloatArray] = []
    plain = Weighing.weights

    def spy(self: Weighing) -> FloatArray:
        weight = plain(self)
        spans: Spans = self.spans
        np.testing.assert_allclose(weight, sample_weights(spans, MARKET, "uniqueness", oldest=0.5))
        expected.append(weight)
        return weight

    monkeypatch.setattr(Weighing, "weights", spy)
    for model in (LightGBMModel, LogisticModel):
        learn = model._learn

        def watched(self: Any, data: Any, codes: Any, weight: Any, learn: Any = learn) -> None:
            fitted.append(np.array([len(codes), 0.0 if weight is None else weight.sum()]))
            learn(self, data, codes, weight)

        monkeypatch.setattr(model, "_learn", watched)
    trainer.train(MARKET)
    lengths = {len(weight) for weight in expected}
    assert len(lengths) > 3
    assert {int(fit[0]) for fit in fitted} <= lengths
    np.testing.assert_allclose([fit[1] for fit in fitted], [fit[0] for fit in fitted], rtol=1e-6)
