"""The template of every training: which rows are learnt from, what is pooled, what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.errors import LabelError, NotEnoughDataError, SplitError, StageError
from onward.features.pipeline import FeaturePipeline
from onward.labels import ThresholdLabeler
from onward.models import LightGBMModel
from onward.prediction.predictor import Predictor
from onward.testing.markets import random_walk
from onward.training.assembly import make_pipeline, make_trainer
from onward.training.dataset import label_spans, prepare
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import Training, TrainingRows
from onward.types import Labels, Market, ProgressEvent, SideSeries, Spans, from_ns
from tests.unit.training.small_runs import bars_from, panel, planted, small_plan, walk


class Watched(SingleModelTrainer):
    """Remembers the rows that it was given to learn from."""

    def learn(self, rows: TrainingRows) -> Predictor:
        self.seen = [*getattr(self, "seen", []), rows]
        return super().learn(rows)


def train(market: Market, progress: Any = None, **overrides: Any) -> Training:
    return make_trainer(small_plan(**overrides), market).train(market, progress=progress)


@pytest.fixture(scope="module")
def training() -> Training:
    return train(planted())


def test_every_labelled_row_is_scored_once_by_a_fold_that_did_not_learn_from_it(training: Training) -> None:
    assert training.oof.spans.index.equals(training.dataset.spans.index)
    spans = training.dataset.spans
    for outcome in training.folds:
        fold = outcome.fold
        assert len(np.intersect1d(fold.train, fold.test)) == 0
        first, last = spans.start[fold.test].min(), spans.end[fold.test].max()
        learnt = spans.take(fold.train)
        assert not ((learnt.start <= last) & (learnt.end >= first)).any()
    tested = np.concatenate([outcome.fold.test for outcome in training.folds])
    assert np.array_equal(np.sort(tested), np.arange(len(spans)))


def test_pooled_predictions_are_those_of_each_rows_fold(training: Training) -> None:
    for outcome in training.folds:
        rows = outcome.fold.test
        assert (training.oof.fold[rows] == outcome.fold.number).all()
        assert np.array_equal(training.oof.probability[rows], outcome.probability)
        again = outcome.predictor.from_matrix(training.dataset.matrix(rows))
        assert np.array_equal(again, outcome.probability)
        y = training.labels.y[outcome.fold.train]
        assert outcome.prior == pytest.approx([np.mean(y == c) for c in (-1, 0, 1)])


def test_a_fold_equals_the_same_steps_by_hand(training: Training) -> None:
    market, plan = planted(), small_plan()
    labeler = ThresholdLabeler(horizon_bars=6, window_bars=24)
    pipeline = make_pipeline(plan, market)
    matrix, labels = pipeline.compute(market), labeler.label(market)
    fold = training.folds[1].fold
    X, y = matrix.loc[labels.spans.index].iloc[fold.train], labels.y[fold.train]
    fitted = pipeline.fit(X, y, spans=labels.spans.take(fold.train), seed=2)
    model = LightGBMModel(n_rounds=5, seed=2, n_threads=1).fit(fitted.transform(X), y)
    test = matrix.loc[labels.spans.index].iloc[fold.test]
    assert np.array_equal(model.predict_proba(fitted.transform(test)), training.folds[1].probability)


def test_nothing_that_learns_sees_another_row() -> None:
    market = walk()
    trainer = make_trainer(small_plan(), market)
    watched = Watched(
        new_model=trainer.new_model,  # type: ignore[attr-defined]
        pipeline=trainer.pipeline,
        labeler=trainer.labeler,
        splitter=trainer.splitter,
    )
    training = watched.train(market)
    *folds, final = watched.seen
    for rows, outcome in zip(folds, training.folds, strict=True):
        expected = training.dataset.spans.index[outcome.fold.train]
        assert rows.X.index.equals(expected)
        assert rows.spans.index.equals(expected)
        assert len(rows.y) == len(rows.weight) == len(expected)
        assert rows.weight.mean() == pytest.approx(1.0)
    assert final.X.index.equals(training.dataset.spans.index)
    assert len({rows.seed for rows in watched.seen}) == len(watched.seen)
    assert training.predictor.fitted.input_columns == watched.pipeline.columns()


@dataclass(frozen=True)
class Remembering(ThresholdLabeler):
    """A labeler of mode ``quantile`` that notes what it was fitted on."""

    notes: Any = None

    def fit(self, market: Market, rows: Any) -> Any:
        self.notes.append(np.asarray(rows))
        return super().fit(market, rows)


def test_labelers_are_fitted_on_the_training_rows_of_each_fold() -> None:
    market = walk()
    trainer = make_trainer(small_plan(), market)
    notes: list[Any] = []
    trainer.labeler = Remembering(horizon_bars=6, mode="quantile", notes=notes)
    training = trainer.train(market)
    # Once to see whether there is anything to learn, once to learn it.
    n_folds = len(training.folds)
    assert len(notes) == 2 * n_folds + 1
    for number, outcome in enumerate(training.folds):
        assert np.array_equal(notes[number], outcome.fold.train)
        assert np.array_equal(notes[n_folds + number], outcome.fold.train)
        border = replace(trainer.labeler, notes=[]).fit(market, outcome.fold.train)
        assert np.array_equal(outcome.y, border.label(market).y[outcome.fold.test])
    assert len(notes[-1]) == len(training.dataset)
    borders = {
        ThresholdLabeler(horizon_bars=6, mode="quantile").fit(market, n).fitted_threshold for n in notes
    }
    assert len(borders) == n_folds + 1
    assert training.labeler_state["fitted_threshold"] in borders


def test_the_planted_signal_is_found_and_noise_is_not() -> None:
    found = train(planted(1500), model__n_rounds=30, features__manual__families=["custom_series", "returns"])
    assert found.judgement.verdict.direction.level == "evidence of skill"
    assert found.predictor.importance().idxmax().startswith("manual__")
    noise = train(walk(1500, seed=3), model__n_rounds=30)
    assert noise.judgement.verdict.direction.level == "no evidence of skill"


def test_naive_rules_are_scored_on_the_same_rows(training: Training) -> None:
    assert set(training.judgement.scores.baselines) == {"momentum", "mean_reversion"}
    assert {m.n for m in training.judgement.scores.baselines.values()} == {len(training.oof)}


def test_walk_forward_learns_from_the_past_and_never_scores_the_first_block() -> None:
    training = train(walk(), validation__method="walk_forward")
    spans = training.dataset.spans
    assert len(training.oof) < len(spans)
    assert training.oof.spans.start.min() > spans.start[len(spans) // 5]
    for outcome in training.folds:
        assert spans.end[outcome.fold.train].max() < spans.start[outcome.fold.test].min()
    assert training.warnings == ()


def test_a_panel_is_cut_by_time_and_its_side_series_are_used() -> None:
    market = panel()
    training = train(market, features__manual__families=["returns", "funding", "cross_asset"])
    times = {}
    for outcome in training.folds:
        index = training.dataset.spans.index[outcome.fold.test]
        assert set(index.get_level_values(0)) == set(market.symbols)
        for moment in index.get_level_values(1).unique():
            assert times.setdefault(moment, outcome.fold.number) == outcome.fold.number
    assert any("funding" in column for column in training.dataset.features.columns)
    assert training.warnings == ()


def test_a_symbol_without_a_label_is_told_and_the_others_are_learnt_from() -> None:
    market = panel()
    short = market.index.get_level_values(0) == "BBB/USD"
    short &= np.asarray(market.open_time < market.open_time.max() - pd.Timedelta(hours=20))
    bars = market.bars[~short]
    bars.index = bars.index.remove_unused_levels()
    training = train(market.replace(bars=bars))
    assert set(training.oof.spans.index.get_level_values(0)) == {"AAA/USD"}
    assert training.warnings == (
        "BBB/USD has too little history for a single label: nothing was learnt from it.",
    )


def test_a_series_of_nothing_but_nan_does_no_harm() -> None:
    market = walk()
    known = from_ns(market.decision_time_ns)
    frame = pd.DataFrame({"symbol": "", "timestamp": known, "available_at": known, "empty": np.nan})
    beside = market.replace(series={"empty": SideSeries("empty", frame)})
    training = train(beside, features__manual__families=["returns", "custom_series"])
    assert any("empty" in column for column in training.dataset.features.columns)
    assert not any("empty" in column for column in training.predictor.fitted.output_columns)
    alone = train(market)
    assert np.array_equal(training.oof.probability, alone.oof.probability)


def test_constant_features_are_left_out() -> None:
    market = walk()
    still = market.bars.assign(volume=5.0)
    training = train(market.replace(bars=still), features__manual__families=["returns", "volume"])
    features = training.dataset.features
    constant = [c for c in features.columns if not features[c].min() < features[c].max()]
    assert constant
    assert not set(constant) & set(training.predictor.fitted.output_columns)


@pytest.mark.parametrize("selected", [True, False])
def test_prices_that_stand_still_hold_one_class_only(selected: bool) -> None:
    with pytest.raises(
        LabelError, match=r"the training rows of fold 0 hold too few different classes.*range x"
    ):
        train(bars_from(np.full(400, 100.0)), selection__enabled=selected)


def test_prices_that_only_rise_hold_one_class_only() -> None:
    with pytest.raises(LabelError, match="up x"):
        train(bars_from(np.exp(np.arange(400) * 0.01)), labels__mode="fixed", labels__threshold=0.001)


class Still:
    """A stage whose only column never changes."""

    name, scope, lookback = "still", "symbol", 1

    def columns(self) -> tuple[str, ...]:
        return ("still__life",)

    def compute(self, market: Market) -> pd.DataFrame:
        return pd.DataFrame({"still__life": 1.0}, index=market.bars.index)


def test_features_that_all_stand_still_are_refused_by_the_selector_and_learn_nothing_without_it() -> None:
    market = walk(400)
    trainer = make_trainer(small_plan(), market)
    selector = trainer.pipeline.fitted
    trainer.pipeline = FeaturePipeline([Still()], selector)
    with pytest.raises(StageError, match="constant or unknown"):
        trainer.train(market)
    trainer.pipeline = FeaturePipeline([Still()])
    training = trainer.train(market)
    assert training.judgement.verdict.direction.level == "no evidence of skill"
    assert not training.predictor.importance().any()


@pytest.mark.parametrize(
    ("market", "overrides", "error", "words"),
    [
        (
            walk(30),
            {"labels__horizon_bars": 48, "labels__mode": "fixed"},
            NotEnoughDataError,
            "at least 49 bars",
        ),
        (walk(20), {}, NotEnoughDataError, "31 bars"),
        (walk(34), {"validation__n_splits": 9}, SplitError, "decision times"),
        (walk(90), {"labels__horizon_bars": 24, "labels__mode": "fixed"}, SplitError, "purging leaves fold"),
        (
            walk(34),
            {"labels__mode": "fixed", "labels__horizon_bars": 3},
            NotEnoughDataError,
            "decision times",
        ),
    ],
)
def test_too_little_data_is_refused(
    market: Market, overrides: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        train(market, **overrides)


def test_folds_that_cannot_be_are_refused_before_features_are_computed() -> None:
    market = walk(90)
    seen: list[ProgressEvent] = []
    with pytest.raises(SplitError):
        train(market, seen.append, labels__horizon_bars=24, labels__mode="fixed")
    assert seen == []


class Targets(ThresholdLabeler):
    kind = "target"


def test_regression_targets_are_refused() -> None:
    market = walk(300)
    trainer = make_trainer(small_plan(), market)
    trainer.labeler = Targets(horizon_bars=6)
    with pytest.raises(LabelError, match="ThresholdLabeler"):
        trainer.train(market)


class Elsewhere(ThresholdLabeler):
    def spans(self, market: Market) -> Spans:
        return super().spans(random_walk(300, symbols=("OTHER/USD",)))

    def label(self, market: Market) -> Labels:
        raise NotImplementedError


def test_spans_of_other_bars_are_refused() -> None:
    market = walk(300)
    spans = label_spans(market, Elsewhere(horizon_bars=6))
    with pytest.raises(LabelError, match="bars that the market does not have"):
        prepare(market, make_pipeline(small_plan(), market), spans)


def test_progress_tells_how_far_it_is_and_no_score() -> None:
    seen: list[ProgressEvent] = []
    train(walk(), seen.append)
    assert list(dict.fromkeys(event.stage for event in seen)) == ["features", "fold", "final fit"]
    folds = [event for event in seen if event.stage == "fold"]
    assert [event.done for event in folds] == [0, 1, 2, 3]
    assert all(not event.values for event in seen)  # noqa: PD011
    assert all(event.done <= event.total for event in seen)


def test_looks_are_asked_for_once_and_correct_the_verdict() -> None:
    market = planted()
    calls: list[int] = []

    def looks() -> int:
        calls.append(1)
        return 40

    trainer = make_trainer(small_plan(), market)
    verdict = trainer.train(market, looks=looks).judgement.verdict.direction
    assert calls == [1]
    assert verdict.n_looked_at == 40
    assert verdict.corrected_p == pytest.approx(1 - (1 - verdict.p) ** 40, rel=1e-6)


def test_two_trainings_are_bit_equal_on_any_number_of_threads() -> None:
    market = planted()
    one, two = train(market, training__n_threads=1), train(market, training__n_threads=2)
    assert np.array_equal(one.oof.probability, two.oof.probability)
    other = train(market, training__seed=1)
    assert not np.array_equal(one.oof.probability, other.oof.probability)
    assert one.dataset.features.to_numpy().dtype == np.float32
