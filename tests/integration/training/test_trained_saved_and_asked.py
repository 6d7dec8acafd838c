"""A model from training to the newest prediction: the same bytes, the same numbers, or a refusal."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import onward as ow
from onward.dashboard.forecasting import N_PAST, past
from onward.data.repositories import DataStore
from onward.errors import BundleError, NotEnoughDataError, PredictionError, RegistryError
from onward.prediction.loaded import LoadedModel
from onward.registry import Version
from onward.settings import load_settings
from onward.training.plan import TrainingPlan
from onward.training.result import TrainingResult
from onward.types import Market, SideSeries
from onward.wiring import build_application
from tests.unit.training.small_runs import panel, planted, small_plan, walk

CLASSES = ["down", "range", "up"]
HOUR = pd.Timedelta(hours=1)
PANEL_FAMILIES = ["returns", "funding", "custom_series", "cross_asset", "temporal"]


@dataclass(frozen=True)
class Trained:
    market: Market
    result: TrainingResult
    version: Version
    home: Path

    @property
    def model(self) -> LoadedModel:
        return ow.load_model(self.version.ref, home=self.home)


def trained(market: Market, plan: TrainingPlan, home: Path, *, audit: bool = False) -> Trained:
    result = ow.train(market, plan, home=home, audit=audit)
    return Trained(market, result, result.save("m"), home)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The whole default feature set on the tail of the bundled bars."""
    market = ow.sample_market().last(3_000)
    plan = TrainingPlan(
        model={"n_rounds": 20},
        validation={"n_splits": 2},
        training={"n_threads": 1},
        selection={"n_shifts": 50},
    )
    return trained(market, plan, tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A panel of two symbols that are compared, with side series, audited."""
    plan = small_plan(features__manual__families=PANEL_FAMILIES, selection__enabled=False, model__n_rounds=10)
    return trained(panel(), plan, tmp_path_factory.mktemp("both"), audit=True)


def test_the_loaded_model_is_the_trained_one(sample: Trained) -> None:
    expected = sample.result.predictor.batch(sample.market)
    got = sample.model.predict(sample.market)
    assert got.equals(expected)
    assert list(got.columns) == [*CLASSES, "signal", "decision_time"]
    assert got[CLASSES].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert got["signal"].isin([-1, 0, 1]).all()
    assert (got["decision_time"].to_numpy() == sample.market.decision_time.to_numpy()).all()


def test_latest_equals_the_batch_row_and_reads_lookback_bars_alone(sample: Trained) -> None:
    model = sample.model
    batch = model.predict(sample.market)
    for back in (0, 1, 7, 100):
        known = sample.market.known_at(sample.market.decision_time[-1 - back])
        exactly = known.last(model.lookback)
        assert len(exactly) == model.lookback
        latest = model.latest(exactly)
        row = batch.loc[latest.frame.index]
        assert latest.frame[CLASSES].to_numpy() == pytest.approx(row[CLASSES].to_numpy(), abs=1e-12)
        assert latest.frame["signal"].equals(row["signal"])
        assert latest.model == "m/1"
        learnt = back >= sample.result.plan.labels.horizon_bars  # newer ones have no outcome yet
        assert [w for w in latest.warnings if "among those the model was trained on" not in w] == []
        assert len(latest.warnings) == learnt
        # What lies before is not read: other prices there change nothing.
        bars = known.bars.copy()
        bars.iloc[: -model.lookback] *= 3.0
        assert model.latest(known.replace(bars=bars)).frame.equals(latest.frame)


def test_the_page_of_predictions_marks_the_bars_that_warnings_count(sample: Trained, tmp_path: Path) -> None:
    model, store = sample.model, DataStore(tmp_path)
    bars = sample.market.bars.reset_index().rename(columns={"open_time": "timestamp"})
    for symbol in ("BTC/USD", "COPY/USD"):
        store.candles("1h").upsert(symbol, bars.drop(columns="symbol"))
    now = sample.market.decision_time.max()
    horizon = sample.result.plan.labels.horizon_bars
    assert horizon > 1
    marks = past(model, store, "BTC/USD", now)
    assert marks["learnt"] == [True] * (N_PAST - horizon) + [False] * horizon
    (told,) = model.cautions(sample.market, start=pd.Timestamp(marks["time"][0], unit="s", tz="UTC"))
    assert told.startswith(f"{sum(marks['learnt'])} of these bars are among those")
    assert not any(past(model, store, "COPY/USD", now)["learnt"]), "it never saw another symbol"


def test_latest_equals_the_batch_rows_of_a_panel_with_side_series(both: Trained) -> None:
    model = both.model
    assert both.result.certificate.status == "passed"
    batch = model.predict(both.market)
    for back in (0, 3, 50):
        moment = both.market.decision_time.max() - back * HOUR
        latest = model.latest(both.market, now=moment).frame
        assert set(latest.index.get_level_values(0)) == {"AAA/USD", "BBB/USD"}
        assert (latest["decision_time"] == moment).all()
        row = batch.loc[latest.index]
        assert latest[CLASSES].to_numpy() == pytest.approx(row[CLASSES].to_numpy(), abs=1e-12)


def test_nothing_published_after_the_moment_is_read(both: Trained) -> None:
    moment = both.market.decision_time.max() - 30 * HOUR
    expected = both.model.latest(both.market.known_at(moment)).frame
    assert both.model.latest(both.market, now=moment).frame.equals(expected)


def test_stale_bars_are_refused_symbol_by_symbol(both: Trained) -> None:
    end = both.market.decision_time.max()
    service = build_application(load_settings(home=both.home)).prediction
    assert service.latest("m/1", both.market, now=end + 2 * HOUR).model == "m/1"
    with pytest.raises(PredictionError, match=r"AAA/USD is stale.*3 bars before.*at most 2"):
        service.latest("m/1", both.market, now=end + 3 * HOUR)
    stopped = both.market.bars.drop(index=both.market.index[both.market.rows["BBB/USD"]][-5:])
    with pytest.raises(PredictionError, match="BBB/USD is stale"):
        service.latest("m/1", both.market.replace(bars=stopped), now=end)
    with pytest.raises(PredictionError, match="no time zone"):
        service.latest("m/1", both.market, now=pd.Timestamp("2020-01-20"))


def test_an_old_side_value_is_carried_on_and_told(both: Trained) -> None:
    funding = both.market.series["funding"]
    old = funding.frame[funding.frame["timestamp"] < both.market.open_time.max() - pd.Timedelta(days=3)]
    series = {**both.market.series, "funding": SideSeries("funding", old.reset_index(drop=True))}
    (warning,) = both.model.latest(both.market.replace(series=series)).warnings
    assert "funding" in warning
    assert "stale" in warning
    none = SideSeries("funding", funding.frame.iloc[:0])
    (warning,) = both.model.latest(both.market.replace(series={**series, "funding": none})).warnings
    assert "no value of funding was known" in warning


def without(market: Market, name: str) -> Market:
    return market.replace(series={k: v for k, v in market.series.items() if k != name})


def renamed(market: Market) -> Market:
    mood = market.series["mood"]
    frame = mood.frame.rename(columns={"mood": "temper"})
    return market.replace(series={**market.series, "mood": SideSeries("mood", frame)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: without(m, "funding"), ["funding", "Import funding"]),
        (renamed, ["temper", "'mood'"]),
        (lambda m: m.select(["AAA/USD"]), ["compares symbols", "AAA/USD, BBB/USD"]),
        (lambda m: m.replace(timeframe=4 * HOUR), ["got 4h", "allowed: 1h"]),
    ],
    ids=["series", "value", "symbol", "timeframe"],
)
def test_other_schemas_are_refused_with_a_reason(both: Trained, change: Any, words: list[str]) -> None:
    for ask in (both.model.predict, both.model.latest):
        with pytest.raises(PredictionError) as caught:
            ask(change(both.market))
        for word in words:
            assert word in str(caught.value)
        assert caught.value.remedy


def test_too_little_history_and_no_bars_are_refused(sample: Trained) -> None:
    model = sample.model
    with pytest.raises(NotEnoughDataError, match=f"at least {model.lookback} bars"):
        model.latest(sample.market.last(model.lookback - 1))
    with pytest.raises(NotEnoughDataError, match="no bars"):
        model.latest(sample.market, now=pd.Timestamp("2001-01-01", tz="UTC"))


def test_strangers_are_predicted_with_a_warning_where_symbols_are_not_compared(sample: Trained) -> None:
    stranger = walk(sample.model.lookback)
    (warning,) = sample.model.latest(stranger).warnings
    assert "SYNTH/USD was not among the symbols of training (BTC/USD)" in warning


def test_a_flipped_byte_in_any_file_is_refused(both: Trained) -> None:
    files = [p for p in both.version.directory.rglob("*") if p.is_file()]
    assert len(files) >= 6
    for file in files:
        content = file.read_bytes()
        damaged = bytearray(content)
        damaged[len(content) // 2] ^= 1
        file.chmod(0o644)
        file.write_bytes(bytes(damaged))
        try:
            with pytest.raises(BundleError):
                ow.load_model("m/1", home=both.home)
        finally:
            file.write_bytes(content)
    assert both.model.version.number == 1


def test_a_moved_alias_is_seen_at_once_and_models_stay_loaded(tmp_path: Path) -> None:
    market = walk(400)
    application = build_application(load_settings(home=tmp_path))
    for rounds in (3, 6):
        plan = small_plan(model__n_rounds=rounds, features__manual__families=["price"])
        application.training.train(market, plan).save("m")
    service, registry = application.prediction, application.registry
    with pytest.raises(RegistryError, match="champion"):
        service.load("m@champion")
    registry.set_alias("m", "champion", 1)
    first = service.load("models:/m@champion")
    registry.set_alias("m", "champion", 2)
    second = service.load("m@champion")
    assert (first.version.number, second.version.number) == (1, 2)
    assert not first.predict(market).equals(second.predict(market))
    assert service.load("m/1").predictor is first.predictor
    assert service.load("m/1").version.aliases == ()
    with pytest.raises(RegistryError, match="m"):
        service.load("n/1")


def test_one_service_serves_several_threads(both: Trained) -> None:
    service = build_application(load_settings(home=both.home)).prediction
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(service.latest("m/1", both.market).frame))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(frame.equals(found[0]) for frame in found)


@pytest.mark.slow
def test_the_same_plan_and_data_give_the_same_model_files(tmp_path: Path) -> None:
    market = planted(700)
    contents = []
    for number, n_threads in enumerate((1, 2)):
        plan = small_plan(training__n_threads=n_threads, labels__mode="quantile")
        version = trained(market, plan, tmp_path / str(number)).version
        parts = [
            "pipeline.json",
            "labels.json",
            *(f"model/{p.name}" for p in (version.directory / "model").iterdir()),
        ]
        contents.append({part: (version.directory / part).read_bytes() for part in sorted(parts)})
        assert version.manifest.plan_hash == small_plan(labels__mode="quantile").content_hash
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"pipeline.json", "labels.json", "model/model.txt", "model/model.json"}


def test_the_bundle_says_what_made_it(both: Trained) -> None:
    manifest = both.version.manifest
    assert manifest.features.series == ("funding", "mood")
    assert manifest.features.lookback_bars == both.model.lookback
    assert manifest.features.columns == both.result.predictor.fitted.output_columns
    assert manifest.data_hash == both.market.content_hash
    assert manifest.certificate == both.result.certificate
    assert manifest.run_id == both.result.run_id
    assert manifest.created_at == both.result.finished_at.replace(microsecond=manifest.created_at.microsecond)
    assert manifest.packages == {}
    assert np.isclose(manifest.scores["pooled"]["range_auc"], both.result.scores.pooled.range_auc)


def test_a_time_range_is_predicted_with_the_history_before_it(sample: Trained) -> None:
    model, market = sample.model, sample.market
    start = market.open_time[2_500]
    whole = model.predict(market)
    pd.testing.assert_frame_equal(model.predict(market, start=start), whole.iloc[2_500:], rtol=1e-12)
    alone = market.between(start, None)
    assert not np.allclose(model.predict(alone)[CLASSES], whole.iloc[2_500:][CLASSES])
    assert model.cold_rows(alone) > model.cold_rows(market, start) == 0
    with pytest.raises(NotEnoughDataError, match="no bars to predict"):
        model.predict(market, start=market.open_time.max() + HOUR)
