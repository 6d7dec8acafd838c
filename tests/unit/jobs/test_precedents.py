"""Which earlier job an estimate goes by, on both databases; an estimate never costs a job."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from onward.cli.jobs.lines import learns_from
from onward.database.failures import StorageError
from onward.jobs.documents import job_document
from onward.jobs.documents import job_of as documented
from onward.jobs.kinds import JobKind
from onward.jobs.logs import job_logger
from onward.jobs.precedents import LOOKS_BACK, most_alike, precedent
from onward.jobs.remaining import TimeLeft, time_left, told_left
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job, JobRequest, Lease, Outcome
from onward.tasks.likeness import likeness
from onward.testing.job_store.ways import IDENTITY, SUCCESS, lease_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KIND = JobKind("train", "nowhere:run", "", likeness=lambda spec: (str(spec["plan"]), str(spec["shape"])))
LOG = job_logger()


class Clock:
    """Goes on by a second a look."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Engine, clock: Clock) -> SqlJobStore:
    return SqlJobStore(database, clock=clock)


def request(plan: str = "a", shape: str = "s", kind: str = "train", **more: Any) -> JobRequest:
    return JobRequest(kind, {"plan": plan, "shape": shape}, **more)


def begun(store: SqlJobStore, asked: JobRequest, **more: Any) -> Lease:
    job = store.submit(asked, **more).job
    (claimed,) = store.claim("owner-1", limit=1, backends=("local", "ray"))
    assert claimed.id == job.id
    lease = lease_of(claimed)
    assert store.started(lease, IDENTITY)
    return lease


def done(store: SqlJobStore, asked: JobRequest, outcome: Outcome = SUCCESS, **more: Any) -> str:
    lease = begun(store, asked, **more)
    assert store.finish(lease, outcome)
    return lease.job_id


def job_of(store: SqlJobStore, asked: JobRequest) -> Job:
    return store.get(store.submit(asked).job.id)


def test_the_same_plan_comes_before_a_newer_one_of_the_same_shape(store: SqlJobStore) -> None:
    older, same = done(store, request()), done(store, request())
    shaped = done(store, request(plan="b"))
    done(store, request(plan="c", shape="other"))
    for asked, expected in (("a", same), ("b", shaped), ("d", shaped)):
        found = most_alike(store, job_of(store, request(plan=asked)), KIND)
        assert found is not None
        assert found.id == expected != older
    assert most_alike(store, job_of(store, request(plan="d", shape="new")), KIND) is None


def test_only_what_was_done_in_one_go_there_and_for_the_same_tenant_counts(store: SqlJobStore) -> None:
    done(store, request(), Outcome("failed", "error"))
    done(store, request(), Outcome("cancelled"))
    done(store, request(tenant="theirs"))
    done(store, request(backend="ray"))
    done(store, request(kind="tune"))
    first = begun(store, request())
    assert store.release(first) is not None
    (again,) = store.claim("owner-1", limit=1)
    assert store.started(lease_of(again), IDENTITY)
    assert store.finish(lease_of(again), SUCCESS)
    done(store, request(), retry_of=first.job_id)
    asked = job_of(store, request(priority=-1))
    assert most_alike(store, asked, KIND) is None
    fresh = done(store, request(), retry_of=first.job_id, fresh=True)
    found = most_alike(store, asked, KIND)
    assert found is not None
    assert found.id == fresh


def told(store: SqlJobStore, lease: Lease, kind: str, **payload: Any) -> None:
    assert store.report(lease, [(kind, payload)])


def test_a_precedent_is_the_course_that_it_took(store: SqlJobStore, clock: Clock) -> None:
    lease = begun(store, request())
    told(store, lease, "stage", stage="features")
    first = clock.now
    told(store, lease, "log", text="something")
    told(store, lease, "progress", stage="features", fraction=0.5)
    told(store, lease, "stage", stage="fold")
    assert store.finish(lease, SUCCESS)
    course = precedent(store, job_of(store, request()), KIND, LOG)
    assert [stretch.stage for stretch in course] == ["features", "fold"]
    features = course[0]
    assert features.marks == ((0.5, features.seconds - 1.0),)
    ended = store.get(lease.job_id).finished_at
    assert ended is not None
    assert sum(stretch.seconds for stretch in course) == (ended - first).total_seconds()


def test_a_kind_that_nothing_is_told_of_asks_nothing(store: SqlJobStore, database: Engine) -> None:
    done(store, request())
    job = job_of(store, request())
    asked: list[str] = []
    event.listen(database, "before_cursor_execute", lambda *said: asked.append(said[2]))
    assert precedent(store, job, JobKind("train", "nowhere:run", ""), LOG) == ()
    assert asked == []
    assert precedent(store, replace(job, request=request(plan="z", shape="z")), KIND, LOG) == ()
    assert len([one for one in asked if "SELECT" in one]) == 1
    assert LOOKS_BACK <= 50


class Broken:
    """A store whose database is away."""

    def find(self, **_: object) -> None:
        raise StorageError("the database does not answer")


def test_a_database_that_is_away_costs_the_estimate_alone(store: SqlJobStore) -> None:
    broken: Any = Broken()
    assert precedent(broken, job_of(store, request()), KIND, LOG) == ()


def test_a_request_that_cannot_be_read_costs_the_estimate_alone(store: SqlJobStore) -> None:
    done(store, JobRequest("train", {"of": "an older version"}))
    assert precedent(store, job_of(store, request()), KIND, LOG) == ()


# -- what requests have in common -----------------------------------------------------------

SPEC: dict[str, Any] = {
    "data": "/bars.parquet",
    "series": {},
    "audit": True,
    "save": None,
    "plan_hash": "f" * 64,
    "plan": {
        "data": {"symbols": ["A"], "timerange": "2020-2021"},
        "model": {"name": "lightgbm", "learning_rate": 0.1, "n_rounds": 50},
        "validation": {"n_splits": 5},
        "optimization": {"trials": 0},
    },
}


def changed(section: str, **values: Any) -> dict[str, Any]:
    plan = {**SPEC["plan"], section: {**SPEC["plan"].get(section, {}), **values}}
    return {**SPEC, "plan": plan, "plan_hash": "0" * 64}


def test_names_and_reports_do_not_matter_but_bars_and_audits_do() -> None:
    plan, shape = likeness(SPEC)
    assert likeness({**SPEC, "save": "btc", "report": "r.html", "actor": "me"}) == (plan, shape)
    for other in ({"data": "/others.parquet"}, {"series": {"funding": "/f.csv"}}, {"audit": False}):
        assert not {plan, shape} & {*likeness({**SPEC, **other})}


@pytest.mark.parametrize(
    ("section", "values", "alike"),
    [
        ("model", {"learning_rate": 0.2}, True),
        ("data", {"timerange": "2020-2022"}, True),
        ("evaluation", {"fee_bps": 9.0}, True),
        ("model", {"n_rounds": 500}, False),
        ("model", {"name": "xgboost"}, False),
        ("validation", {"n_splits": 6}, False),
        ("optimization", {"trials": 40}, False),
        ("features", {"stages": ["tsfresh"]}, False),
        ("ensemble", {"members": ["lightgbm", "forest"]}, False),
        ("data", {"symbols": ["A", "B"]}, False),
    ],
)
def test_another_plan_is_alike_when_what_takes_time_is(
    section: str, values: dict[str, Any], alike: bool
) -> None:
    (plan, shape), (other_plan, other_shape) = likeness(SPEC), likeness(changed(section, **values))
    assert plan != other_plan
    assert (shape == other_shape) is alike


@pytest.mark.parametrize("spec", [{}, {"files": ["a"]}, {"plan": "fast"}, {"plan": {}, "plan_hash": None}])
def test_what_has_no_plan_is_like_nothing(spec: dict[str, Any]) -> None:
    assert likeness(spec) == ()


def test_a_plan_with_odd_sections_is_still_a_plan() -> None:
    assert len(likeness({"plan": {"model": None, "data": [1]}, "plan_hash": "f"})) == 2


# -- what is told ---------------------------------------------------------------------------


def test_what_is_left_of_the_job_becomes_less_and_that_of_a_stage_is_as_it_was_told(
    store: SqlJobStore,
) -> None:
    lease = begun(store, request())
    told(store, lease, "progress", stage="fold", eta_seconds=30.0, job_eta_seconds=100.0)
    job = store.get(lease.job_id)
    assert job.progress_at is not None
    for age, left in ((0.0, 100.0), (40.0, 60.0), (100.0, 0.0), (1e6, 0.0), (-3600.0, 100.0)):
        assert time_left(job, job.progress_at + timedelta(seconds=age)) == TimeLeft(left, "job")
    told(store, lease, "progress", stage="fold", eta_seconds=30.0, job_eta_seconds=None)
    assert time_left(store.get(lease.job_id)) == TimeLeft(30.0, "stage")
    told(store, lease, "progress", stage="fold", eta_seconds=30.0)
    assert time_left(store.get(lease.job_id)) == TimeLeft(30.0, "stage"), "as older servers tell it"
    assert store.request_stop(lease.job_id).accepted
    assert store.stopping(lease, reason=None)
    assert time_left(store.get(lease.job_id)) is None


def test_documents_say_what_is_learnt_from(store: SqlJobStore) -> None:
    market = {"symbols": ["ADA/USDT", "ETH/USDT"], "timeframe": "1h"}
    job = store.submit(JobRequest("train", {"plan": {}, "market": market})).job
    document = job_document(job)
    assert document["market"] == market
    assert learns_from(documented(document)) == learns_from(job) == "ADA/USDT, ETH/USDT, 1h"
    many = replace(job, request=replace(job.request, spec={"market": {**market, "symbols": list("a" * 14)}}))
    assert (learns_from(many) or "").endswith("a and 2 more, 1h")
    other = store.submit(JobRequest("import", {"files": []})).job
    assert job_document(other)["market"] is None
    assert learns_from(documented(job_document(other))) is None


def test_documents_say_how_long_it_goes_on_and_of_what(store: SqlJobStore) -> None:
    lease = begun(store, request())
    assert job_document(store.get(lease.job_id))["eta"] is None
    told(store, lease, "progress", stage="fold", eta_seconds=30.0, job_eta_seconds=None)
    document = job_document(store.get(lease.job_id))
    assert document["eta"] == {"seconds": 30.0, "of": "stage"}
    assert document["progress"]["eta_seconds"] == 30.0, "where clients found it before"
    told(store, lease, "progress", stage="fold", eta_seconds=30.0, job_eta_seconds=1e6)
    document = job_document(store.get(lease.job_id))
    assert document["eta"]["of"] == "job"
    assert time_left(documented(document), NOON) == TimeLeft(1e6, "job"), "a client can ask the same"
    assert store.finish(lease, SUCCESS)
    assert job_document(store.get(lease.job_id))["eta"] is None


@pytest.mark.parametrize(
    "progress",
    [{}, {"eta_seconds": None}, {"eta_seconds": 0.0}, {"eta_seconds": "soon", "job_eta_seconds": True}],
)
def test_nothing_is_left_where_nothing_is_told(progress: dict[str, Any]) -> None:
    assert told_left(progress) is None


@pytest.mark.parametrize(
    ("seconds", "about"),
    [
        (0.0, 1),
        (0.2, 1),
        (7.4, 7),
        (12.0, 10),
        (88.0, 90),
        (90.0, 90),
        (179.0, 180),
        (590.0, 600),
        (1_000.0, 1_020),
        (5_400.0, 5_400),
        (5_800.0, 6_000),
        (129_600.0, 129_600),
        (200_000.0, 201_600),
    ],
)
def test_an_estimate_claims_no_more_than_it_knows(seconds: float, about: float) -> None:
    assert TimeLeft(seconds, "job").about == about
