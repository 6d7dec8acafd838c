"""Features, imports, predictions and audits as jobs: one file or all rows, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from onward.data.repositories import DataStore
from onward.errors import (
    ConfigError,
    FormatError,
    JobConflictError,
    JobError,
    NotEnoughDataError,
    OnwardError,
    PlanError,
    RegistryError,
    UserError,
)
from onward.jobs.values import Job
from tests.integration.jobs.workshop import Workshop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    shop = Workshop(tmp_path_factory.mktemp("shop"))
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def published(shop: Workshop) -> str:
    done = shop.succeeded(shop.submit("train", {"audit": False, "save": "asked"}))
    assert done.result is not None
    return str(done.result["model"])


def submit_import(shop: Workshop, *files: Path, **fields: object) -> Job:
    return shop.manager.submit("import", {"files": [str(file) for file in files], **fields}).job


def test_features_are_those_of_this_process(shop: Workshop) -> None:
    from onward.data.read import read_market
    from onward.training.stages import make_pipeline

    done = shop.succeeded(shop.submit("features", {"out": "one/matrix.parquet"}))
    assert done.result is not None
    assert done.result["written"] == "outputs/one/matrix.parquet"
    written = pd.read_parquet(shop.home / done.result["written"])
    market = read_market(shop.bars)
    expected = make_pipeline(shop.application.settings.plan, market).compute(market).reset_index()
    pd.testing.assert_frame_equal(written, expected, check_column_type=False)
    assert (done.result["rows"], done.result["columns"]) == (len(expected), expected.shape[1] - 2)
    # Only the file itself is there: no draft, no second place.
    assert [path.name for path in (shop.home / "outputs" / "one").iterdir()] == ["matrix.parquet"]


def test_an_output_without_a_name_is_named_after_its_job(shop: Workshop) -> None:
    done = shop.succeeded(shop.submit("features"))
    assert done.result is not None
    assert done.result["written"] == f"outputs/features-{done.id}.parquet"


def test_a_stopped_job_leaves_no_output(shop: Workshop) -> None:
    job = shop.submit("audit", {"out": "stopped.json"})
    shop.running(job)
    shop.manager.request_stop(job.id)
    assert shop.ended(job).state == "cancelled"
    assert not list((shop.home / "outputs").glob("*stopped*"))


def test_what_appears_meanwhile_at_the_place_of_an_output_stays(shop: Workshop) -> None:
    from datetime import timedelta

    from onward.database.moments import utc_now

    target = shop.directory / "mine.parquet"
    job = shop.submit("features", {"out": str(target)}, run_after=utc_now() + timedelta(seconds=0.5))
    target.write_text("somebody's")
    done = shop.ended(job)
    assert done.state == "failed"
    assert done.error is not None
    assert "there is a file by now" in done.error["what"]
    assert target.read_text() == "somebody's"
    assert not list(shop.directory.glob(".mine*"))
    again = shop.succeeded(shop.submit("features", {"out": str(target), "force": True}))
    assert again.result is not None
    assert again.result["written"] == str(target)
    assert len(pd.read_parquet(target)) == 600


def test_bulk_predictions_equal_those_of_this_process(shop: Workshop, published: str) -> None:
    from onward.data.read import read_market

    done = shop.succeeded(shop.submit("predict", {"model": published}))
    assert done.result is not None
    written = pd.read_parquet(shop.home / done.result["written"]).set_index(["symbol", "open_time"])
    expected = shop.application.prediction.load(published).predict(read_market(shop.bars))
    pd.testing.assert_frame_equal(written, expected, check_freq=False)


def test_predictions_of_a_time_range_read_earlier_bars_as_history(shop: Workshop, published: str) -> None:
    target = shop.directory / "some.csv"
    spec = {"model": "asked/latest", "timerange": "20200115-20200117", "out": str(target)}
    done = shop.succeeded(shop.submit("predict", spec))
    assert done.result is not None
    assert (done.result["rows"], done.result["model"]) == (48, published)
    assert done.result["cold_rows"] == 0
    assert len(pd.read_csv(target)) == 48


def test_an_audit_is_a_file_and_a_result(shop: Workshop) -> None:
    done = shop.succeeded(shop.submit("audit", {"target": "manual"}))
    assert done.result is not None
    assert done.result["passed"] is True
    told = json.loads((shop.home / done.result["written"]).read_text("utf-8"))
    assert told["checks"] == done.result["checks"]


def test_an_audit_that_finds_a_leak_succeeds_and_says_so(shop: Workshop) -> None:
    target = "tests.integration.jobs.leaking:tomorrow"
    done = shop.succeeded(shop.submit("audit", {"target": target}))
    assert done.result is not None
    assert done.result["passed"] is False
    assert done.result["findings"]


def test_an_import_merges_rows_once_however_often_it_runs(shop: Workshop) -> None:
    first = shop.succeeded(submit_import(shop, shop.bars))
    again = shop.succeeded(submit_import(shop, shop.bars))
    assert first.result is not None
    assert again.result is not None
    (report,) = first.result["stored"]
    assert (report["symbol"], report["added"], report["unchanged"]) == ("SYNTH/USD", 600, 0)
    (report,) = again.result["stored"]
    assert (report["added"], report["unchanged"]) == (0, 600)
    market = DataStore(shop.home / "data").market()
    bars = pd.read_parquet(shop.bars)
    pd.testing.assert_series_equal(market.bars["close"].reset_index(drop=True), bars["close"])


def test_predictions_of_what_is_stored_say_that_the_newest_bar_is_stale(
    shop: Workshop, published: str
) -> None:
    shop.succeeded(submit_import(shop, shop.bars))
    done = shop.succeeded(shop.manager.submit("predict", {"model": published}).job)
    logged = [event.payload for event in shop.events(done, "log")]
    assert any("the newest bar is stale" in str(one) for one in logged), logged


def test_an_import_of_which_one_file_is_broken_stores_none(shop: Workshop, tmp_path: Path) -> None:
    bars = pd.read_parquet(shop.bars).assign(symbol="NEW/USD")
    bars.to_csv(tmp_path / "good.csv", index=False)
    bars.assign(high=0.0).to_csv(tmp_path / "broken.csv", index=False)
    done = shop.ended(submit_import(shop, tmp_path / "good.csv", tmp_path / "broken.csv"))
    assert done.state == "failed"
    assert done.error is not None
    assert "broken.csv" in f"{done.error['what']} {done.error['got']}"
    assert "NEW/USD" not in DataStore(shop.home / "data").candles("1h").symbols()


def test_rows_are_visible_with_the_terminal_transaction_alone(shop: Workshop, tmp_path: Path) -> None:
    """What a worker staged stays invisible when the job ends otherwise."""
    from onward.data.importers import read

    bars = pd.read_parquet(shop.bars).assign(symbol="LATE/USD")
    bars.to_csv(tmp_path / "late.csv", index=False)
    (kind,) = (one for one in shop.application.job_kinds if one.name == "import")
    job = shop.submit("features")
    stored = DataStore(shop.home / "data").candles("1h")
    for _ in range(2):
        DataStore(tmp_path / "rows").save(read(tmp_path / "late.csv"))
        publication = kind.publish(job, {}, tmp_path)
        assert "LATE/USD" not in stored.symbols()
        publication.abandon()
    DataStore(tmp_path / "rows").save(read(tmp_path / "late.csv"))
    publication = kind.publish(job, {}, tmp_path)
    assert publication.on_commit is not None
    publication.on_commit(None)  # type: ignore[arg-type] - the rows go into files
    publication.on_commit(None)  # type: ignore[arg-type]
    publication.settled()
    assert len(stored.read("LATE/USD")) == 600
    assert not list((shop.home / "data" / ".imports").iterdir())


@pytest.mark.parametrize(
    ("kind", "spec", "error", "says"),
    [
        ("trian", {}, JobError, "Did you mean train"),
        ("train", {"plan": {"labels": {"horizon_bras": 3}}}, ConfigError, "labels.horizon_bars"),
        ("train", {"plan": "quick"}, PlanError, "no such preset"),
        ("train", {"plan": {"labels.horizon_bars": 5_000}}, NotEnoughDataError, "no row has an outcome"),
        ("train", {"plan": {"data.timeframe": "4h"}}, OnwardError, "4h"),
        ("train", {"plan": {"model.name": "lightgmb"}}, OnwardError, "lightgbm"),
        (
            "train",
            {"plan": {"optimization.storage_url": "postgresql://me:secret@host/db"}},
            PlanError,
            "clear",
        ),
        ("train", {"plan": 3}, JobError, "plan"),
        ("train", {"data": "/nowhere/bars.csv"}, FormatError, "/nowhere/bars.csv"),
        ("train", {"series": {"funding": "/nowhere/f.csv"}}, FormatError, "/nowhere/f.csv"),
        ("train", {"alias": "champion"}, UserError, "only a published model"),
        ("train", {"save": "a/b"}, RegistryError, "name"),
        ("train", {"save": "a", "alias": "latest"}, RegistryError, "alias"),
        ("train", {"colour": "red"}, JobError, "no field 'colour'"),
        ("train", {"audit": "yes"}, JobError, "true or false"),
        ("train", {"report": "report.pdf"}, UserError, ".html"),
        ("tune", {"trials": 0}, PlanError, "budget"),
        ("tune", {"trials": True}, JobError, "a whole number"),
        ("features", {"out": "../escape.parquet"}, UserError, "outputs/"),
        ("features", {"out": "matrix.xls"}, UserError, ".parquet"),
        ("predict", {}, JobError, "needs model"),
        ("predict", {"model": "nobody/1"}, RegistryError, "nobody"),
        ("audit", {"target": "no.such.module:stage"}, OnwardError, "no.such.module"),
        ("import", {"files": ["/nowhere.csv"]}, FormatError, "/nowhere.csv"),
        ("import", {"files": []}, JobError, "nothing to import"),
        ("import", {"files": ["BARS"], "format": "freqtrade_jason"}, FormatError, "did you mean"),
        ("import", {"files": ["BARS"], "timeframe": "soon"}, OnwardError, "soon"),
    ],
)
def test_a_request_that_cannot_be_is_refused_at_submit(
    shop: Workshop, kind: str, spec: dict[str, object], error: type[OnwardError], says: str
) -> None:
    before = sum(shop.store.counts().values())
    if spec.get("files") == ["BARS"]:
        spec = {**spec, "files": [str(shop.bars)]}
    given = spec if kind == "import" else {"data": str(shop.bars), **spec}
    with pytest.raises(error, match=re.escape(says)):
        shop.manager.submit(kind, given)
    assert sum(shop.store.counts().values()) == before


def test_the_same_key_is_the_same_job_unless_the_request_differs(shop: Workshop) -> None:
    spec = {"data": str(shop.bars)}
    first = shop.manager.submit("features", spec, idempotency_key="mine")
    second = shop.manager.submit("features", spec, idempotency_key="mine")
    assert (first.created, second.created, first.job.id) == (True, False, second.job.id)
    with pytest.raises(JobConflictError):
        shop.manager.submit("features", {**spec, "force": True}, idempotency_key="mine")


def test_a_request_over_the_limit_is_refused(shop: Workshop) -> None:
    with pytest.raises(JobError, match="too large"):
        shop.submit("import", {"files": ["x" * 300_000]})


def test_the_worker_gets_no_database_and_no_secret(shop: Workshop) -> None:
    told = json.dumps(shop.application._for_workers().to_json())
    assert "sqlite" not in told
    assert "onward.db" not in told
