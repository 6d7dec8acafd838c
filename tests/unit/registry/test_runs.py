"""Every run is remembered, and the looked-at configurations are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.database import open_database, upgrade, writing
from onward.errors import RegistryError, UserError
from onward.registry.runs import RunStore
from onward.registry.runvalues import RunRecord, RunVerdict

START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> RunStore:
    return RunStore(engine, clock=ticking())


def ticking() -> Callable[[], datetime]:
    moments = iter(START + timedelta(seconds=n) for n in range(1000))
    return lambda: next(moments)


def record(number: int = 1, **changes: Any) -> RunRecord:
    fields: dict[str, Any] = {
        "kind": "train",
        "plan": {
            "model": {"name": "lightgbm", "learning_rate": number / 100},
            "labels": {"horizon_bars": 24},
        },
        "plan_hash": f"plan-{number}",
        "data_hash": "data",
        "label_family": "threshold/24",
        "data": {"symbols": ["BTC/USD"], "rows": 20_111},
        "scores": {"direction": {"auc": 0.5 + number / 100}, "range": {"auc": float("nan")}},
        "verdicts": {
            "direction": RunVerdict("weak evidence", 0.03),
            "range": RunVerdict("no evidence", None),
        },
        "duration_seconds": 12.5,
    }
    return RunRecord(**(fields | changes))


def test_a_run_is_read_as_it_was_recorded(store: RunStore) -> None:
    run = store.record(record(job_id="job-1", report_path="runs/x/report.html"))
    assert store.get(run.id) == run
    assert run.created_at == START
    assert run.looked_at_time is None
    assert run.record.scores == {"direction": {"auc": 0.51}, "range": {"auc": None}}
    assert run.record.verdicts["direction"] == RunVerdict("weak evidence", 0.03)
    assert run.record.verdicts["range"] == RunVerdict("no evidence", None)
    assert run.record.job_id == "job-1"
    assert run.record.data == {"symbols": ["BTC/USD"], "rows": 20_111}


def test_listing_is_newest_first_and_filters(store: RunStore) -> None:
    first = store.record(record(1))
    second = store.record(record(2, kind="tune"))
    third = store.record(record(3, data_hash="other"))
    assert [r.id for r in store.list()] == [third.id, second.id, first.id]
    assert [r.id for r in store.list(limit=1)] == [third.id]
    assert [r.id for r in store.list(kind="tune")] == [second.id]
    assert [r.id for r in store.list(data_hash="data")] == [second.id, first.id]
    assert store.list(label_family="none") == ()


def test_looked_at_counts_configurations_not_runs(store: RunStore) -> None:
    runs = [store.record(record(plan)) for plan in (1, 1, 2, 3)]
    other_data = store.record(record(4, data_hash="other"))
    other_labels = store.record(record(5, label_family="triple_barrier/48"))
    assert store.looked_at("data", "threshold/24") == 0
    assert store.mark_looked_at(runs[0].id) == 1
    assert store.mark_looked_at(runs[1].id) == 1
    assert store.mark_looked_at(runs[2].id) == 2
    assert store.mark_looked_at(other_data.id) == 1
    assert store.mark_looked_at(other_labels.id) == 1
    assert store.looked_at("data", "threshold/24") == 2
    store.record(record(6, looked_at=True))
    assert store.looked_at("data", "threshold/24") == 3


def test_looks_nearby_are_those_at_other_data_that_overlap(store: RunStore) -> None:
    def of(symbols: str, first: str, last: str, timeframe: str = "1h") -> dict[str, Any]:
        return {"symbols": symbols.split(), "timeframe": timeframe, "first_open": first, "last_open": last}

    own = store.record(record(data=of("A B", "2024-01-01T00:00:00+00:00", "2024-06-01T00:00:00+00:00")))
    late = "2024-05-01T00:00:00+00:00", "2024-09-01T00:00:00+00:00"
    never = "2024-06-02T00:00:00+00:00", "2024-09-01T00:00:00+00:00"
    for number, (data, changes) in enumerate(
        [
            (of("B C", *late), {}),
            (of("B C", *late), {"data_hash": "third"}),
            (of("C", *late), {}),
            (of("A", *never), {}),
            (of("A", *late, "1d"), {}),
            (of("A", *late), {"label_family": "triple_barrier/48"}),
            (of("A", *late), {"looked_at": False}),
            (of("A", *late), {"data_hash": "data"}),
            ({}, {}),
        ]
    ):
        store.record(record(number, data=data, **({"data_hash": "other", "looked_at": True} | changes)))
    assert store.looked_at_nearby(own.id) == 2


def test_marking_again_keeps_the_first_moment(store: RunStore) -> None:
    run = store.record(record())
    store.mark_looked_at(run.id)
    first = store.get(run.id).looked_at_time
    assert first is not None
    store.mark_looked_at(run.id)
    assert store.get(run.id).looked_at_time == first
    assert store.get(run.id).record.looked_at is True


def test_updating_fills_in_what_was_not_known(store: RunStore) -> None:
    run = store.record(record(status="running", scores={}, verdicts={}))
    done = store.update(
        run.id,
        status="succeeded",
        scores={"auc": 0.5},
        verdicts={"direction": RunVerdict("no evidence", 0.4)},
        model_ref="models:/btc-1h/1",
    )
    assert done == store.get(run.id)
    assert (done.record.status, done.record.model_ref, done.record.duration_seconds) == (
        "succeeded",
        "models:/btc-1h/1",
        12.5,
    )
    assert store.update(run.id) == done


def test_comparing_shows_what_differs(store: RunStore) -> None:
    one, two = store.record(record(1)), store.record(record(2))
    comparison = store.compare([one.id, two.id])
    assert comparison.plan == {"model.learning_rate": (0.01, 0.02)}
    assert comparison.scores["direction.auc"] == (0.51, 0.52)
    assert comparison.verdicts["direction"] == ("weak evidence", "weak evidence")
    assert comparison.same_data
    three = store.record(record(3, data_hash="other", plan={"model": {"name": "forest"}}))
    comparison = store.compare([one.id, three.id])
    assert not comparison.same_data
    assert comparison.plan["labels.horizon_bars"] == (24, None)


@pytest.mark.parametrize("ids", [[], ["x"], "abcdef"])
def test_comparing_needs_two(store: RunStore, ids: Any) -> None:
    with pytest.raises(RegistryError, match="at least two"):
        store.compare(ids)


def test_the_beginning_of_an_id_is_enough(store: RunStore) -> None:
    run = store.record(record())
    assert store.get(run.id[:18]) == run
    store.record(record(2))
    with pytest.raises(RegistryError, match="Several runs"):
        store.get("20260301-1200")


def test_a_list_goes_on_after_a_run(engine: Engine) -> None:
    store = RunStore(engine, clock=lambda: START)  # all at the same moment: ids decide
    ids = sorted((store.record(record(number)).id for number in range(5)), reverse=True)
    assert [run.id for run in store.list(limit=2)] == ids[:2]
    assert [run.id for run in store.list(limit=2, before=ids[1])] == ids[2:4]
    assert store.list(before=ids[-1]) == store.list(before="nothing") == ()


@pytest.mark.parametrize("run_id", ["nothing", "", "%", "_", None, 7])
def test_unknown_runs(store: RunStore, run_id: Any) -> None:
    run = store.record(record())
    with pytest.raises(RegistryError, match="no such run") as caught:
        store.get(run_id)
    assert run.id in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "guess"},
        {"status": "done"},
        {"plan_hash": ""},
        {"data_hash": "x" * 65},
        {"label_family": None},
        {"plan": {"x": object()}},
    ],
)
def test_bad_records(store: RunStore, changes: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        store.record(record(**changes))
    assert store.list() == ()


def test_a_run_joins_its_jobs_transaction(engine: Engine, store: RunStore) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            store.insert(connection, record())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.list() == ()


def test_a_running_run_whose_program_is_gone_is_read_as_failed(engine: Engine) -> None:
    gone: set[int] = set()
    store = RunStore(engine, clock=ticking(), gone=lambda program: program["pid"] in gone)
    own = {"host": "h", "boot": "b", "pid": 7, "start": 1}
    run = store.record(record(status="running", process=own))
    old = store.record(record(2, status="running"))
    done = store.record(record(3, process=own))
    assert store.get(run.id).record.process == own
    gone.add(7)
    assert store.get(old.id).record.status == "running", "rows of earlier versions name no process"
    assert store.get(done.id).record.status == "succeeded"
    found = store.get(run.id).record
    assert found.status == "failed"
    assert found.error is not None
    assert found.error["what"] == "The program that ran it is gone"
    assert {one.id: one.record.status for one in store.list()}[run.id] == "failed"
    resumed = store.update(run.id, status="running", process={**own, "pid": 8}).record
    assert (resumed.status, resumed.error, resumed.process) == ("running", None, {**own, "pid": 8})
