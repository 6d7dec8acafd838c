"""What the overview says of models, jobs and data, from plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onward.dashboard.views.overview import OverviewView, overview_view, series_lines
from onward.jobs.remaining import TimeLeft
from onward.jobs.values import Job, JobRequest
from onward.naming.sample import SAMPLE_DATA_HASH
from onward.registry import ModelSummary, Version
from onward.registry.bundle import read_manifest
from onward.server.coverage import Reach
from onward.testing.registry import stage_bundle

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    directory = tmp_path_factory.mktemp("bundle") / "staged"
    stage_bundle(directory)
    manifest = read_manifest(directory)
    return Version("btc-1h", 3, "digest", Path("nowhere"), manifest, NOW - timedelta(days=1), ("champion",))


def coverage(last: str, *, symbol: str = "BTC/USD", first: str = "2026-01-01", rows: int = 100) -> Reach:
    begin, end = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (first, last))
    return Reach("candles", symbol, "1h", begin, end, rows, 0, 0, timedelta(hours=1))


def job(number: str, state: Any, **changes: Any) -> Job:
    none: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
    request = JobRequest("train", changes.pop("spec", {"save": "btc-1h"}))
    given = {"id": number, "request": request, "state": state, "attempt": 1, "beat": 0, "progress": {}}
    return Job(**none | given | {"queued_at": NOW - timedelta(minutes=5)} | changes)


def view(**changes: Any) -> OverviewView:
    given: dict[str, Any] = {"summaries": (), "in_use": (), "running": (), "ended": (), "counts": {}}
    given |= {"failed": (), "n_failed": 0}
    return overview_view(**given | {"coverage": (), "now": NOW} | changes)


def test_nothing_at_all_is_empty_and_without_alarm() -> None:
    shown = view()
    assert shown.is_empty
    assert shown.alarms == shown.series == shown.models == ()


@pytest.mark.parametrize(
    ("last", "missed", "limit", "alarm"),
    [
        ("2026-11-22T11:00", 0, 2, None),
        ("2026-11-22T09:00", 2, 2, None),
        ("2026-11-22T08:00", 3, 2, "stale"),
        ("2026-11-22T08:00", 3, 24, None),
        ("2026-11-22T08:00", 3, None, "stale"),
    ],
)
def test_a_model_is_stale_when_predictions_would_be_refused(
    version: Version, last: str, missed: int, limit: int | None, alarm: str | None
) -> None:
    shown = view(in_use=[version], coverage=[coverage(last)], most_missed=limit)
    (model,) = shown.models
    assert model.freshness.bars_missed == missed
    assert [one.kind for one in shown.alarms] == ([alarm] if alarm else [])
    assert (model.direction, model.range) == ("evidence of skill", None)


def test_a_model_without_candles_of_its_market_is_an_alarm(version: Version) -> None:
    shown = view(in_use=[version], coverage=[coverage("2026-11-22T11:00", symbol="ETH/USD")])
    assert [one.kind for one in shown.alarms] == ["no_data"]
    assert shown.alarms[0].address == "/data?symbol=BTC%2FUSD&timeframe=1h", "which asks for their file"
    assert not shown.alarms[0].of_sample


def test_what_a_model_of_the_sample_lacks_is_the_sample(version: Version) -> None:
    manifest = version.manifest.model_copy(update={"data_hash": SAMPLE_DATA_HASH})
    (alarm,) = view(in_use=[replace(version, manifest=manifest)]).alarms
    assert (alarm.kind, alarm.of_sample) == ("no_data", True)


def test_of_several_symbols_the_one_that_is_missing_is_asked_for(version: Version) -> None:
    manifest = version.manifest.model_copy(update={"symbols": ("BTC/USD", "ETH/USD")})
    stored = [coverage("2026-11-22T11:00")]
    (alarm,) = view(in_use=[replace(version, manifest=manifest)], coverage=stored).alarms
    assert alarm.series == ("ETH/USD", "1h")


@pytest.mark.parametrize(
    ("changes", "done", "following"),
    [
        ({}, [], "data"),
        ({"coverage": [coverage("2026-02-01")]}, ["data"], "train"),
        ({"has_run": True}, ["train"], "data"),
        ({"coverage": [coverage("2026-02-01")], "has_run": True}, ["data", "train"], "trust"),
        ({"summaries": [ModelSummary("a", NOW, 1, 1, ())]}, ["train"], "data"),
        (
            {"coverage": [coverage("2026-02-01")], "summaries": [ModelSummary("a", NOW, 1, 1, (("x", 1),))]},
            ["data", "train", "trust"],
            None,
        ),
    ],
)
def test_first_steps_are_ticked_once_they_are_done(
    changes: dict[str, Any], done: list[str], following: str | None
) -> None:
    shown = view(**changes)
    assert [name for name, is_done in shown.steps if is_done] == done
    assert shown.next_step == following


def test_those_that_ended_last_come_first_and_lines_know_when_they_were_asked_for() -> None:
    hours = {"a": 5, "b": 1, "c": 3}
    ended = [
        job(
            name,
            "succeeded",
            started_at=NOW - timedelta(hours=n, seconds=90),
            finished_at=NOW - timedelta(hours=n),
        )
        for name, n in hours.items()
    ]
    shown = view(ended=ended)
    assert [line.id for line in shown.recent] == ["b", "c", "a"]
    assert {line.asked for line in shown.recent} == {NOW - timedelta(minutes=5)}
    assert {line.seconds for line in shown.recent} == {90.0}


def test_alarms_that_have_no_line_are_counted(version: Version) -> None:
    failed = [
        job(f"{n}", "failed", reason="oom", finished_at=NOW - timedelta(hours=n), queued_at=NOW)
        for n in (7, 1, 4, 2)
    ]
    models = [replace(version, name=f"m-{n}") for n in range(8)]
    shown = view(failed=failed, n_failed=60, in_use=models)
    assert [one.job_id for one in shown.alarms if one.kind == "job_failed"] == ["1", "2", "4"]
    assert [one.subject for one in shown.alarms if one.kind == "no_data"] == [f"m-{n}" for n in range(5)]
    assert (shown.n_alarms, shown.more_failed, shown.more_stale) == (68, 57, 3)


def test_lines_that_there_is_no_room_for_are_counted(version: Version) -> None:
    """Each alias has a line, those named champion first; whether data are old is asked of all models."""
    models = [replace(version, name=f"m-{n:02}", aliases=("champion", "next")) for n in range(20)]
    stored = [coverage("2026-11-22T11:00"), *(coverage("2026-02-01", symbol=f"S{n}") for n in range(14))]
    shown = view(
        in_use=models,
        coverage=stored,
        running=[job(f"{n}", "queued") for n in range(12)],
        counts={"running": 3, "stopping": 1, "queued": 40},
    )
    assert {line.alias for line in shown.models} == {"champion"}
    assert [line.name for line in shown.models] == [f"m-{n:02}" for n in range(12)]
    assert (shown.more_models, shown.more_live, shown.more_series) == (28, 32, 3)
    assert (view().more_models, view().more_live, view().more_series) == (0, 0, 0)


def test_running_jobs_carry_their_progress_and_what_they_are_about() -> None:
    progress = {"stage": "folds", "fraction": 0.25, "eta_seconds": 90.0}
    spec = {"plan": {"data": {"symbols": ["BTC/USD", "ETH/USD"]}}}
    shown = view(
        running=[job("a", "running", progress=progress, spec=spec)], counts={"running": 1, "queued": 4}
    )
    (line,) = shown.running
    assert (line.subject, line.fraction, line.left, line.live) == (
        "BTC/USD, ETH/USD",
        0.25,
        TimeLeft(90.0, "stage"),
        True,
    )
    assert (shown.n_running, shown.n_waiting) == (1, 4)
    assert not shown.is_empty


@pytest.mark.parametrize(
    ("spec", "subject"),
    [
        ({"save": "btc-1h"}, "btc-1h"),
        ({"files": ["/home/x/inbox/btc.parquet"]}, "btc.parquet"),
        ({"files": ["/home/x/a.csv"], "symbol": "X/Y"}, "X/Y"),
        ({"plan": {"data": {"symbols": ["A", "B", "C"]}}}, "A, B, C"),
        ({"plan": {"data": {"symbols": ["A", "B", "C", "D", "E"]}}}, "A, B, C +2"),
        ({"plan": "fast"}, ""),
        ({}, ""),
    ],
)
def test_a_job_is_named_by_what_it_is_about(spec: dict[str, Any], subject: str) -> None:
    assert view(running=[job("a", "queued", spec=spec)]).running[0].subject == subject


def test_models_and_rows_are_counted() -> None:
    summaries = [
        ModelSummary("a", NOW, 3, 3, (("champion", 3), ("old", 1))),
        ModelSummary("b", NOW, 1, 1, ()),
    ]
    shown = view(summaries=summaries, coverage=[coverage("2026-02-01"), coverage("2026-03-01", symbol="X")])
    assert (shown.n_models, shown.n_in_use, shown.n_series, shown.n_rows) == (2, 1, 2, 200)


def test_series_lie_on_one_axis_of_time() -> None:
    whole = coverage("2026-01-11", first="2026-01-01")
    part = coverage("2026-01-08", first="2026-01-06", symbol="ETH/USD")
    first, second = series_lines([whole, part])
    assert (first.left, first.width) == (0.0, 100.0)
    assert (second.left, second.width) == (50.0, 20.0)
    assert series_lines([coverage("2026-01-01", first="2026-01-01")])[0].width == 0.5, "a moment is seen"
