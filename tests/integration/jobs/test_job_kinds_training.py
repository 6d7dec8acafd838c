"""Trainings and searches as jobs: published with the job's end, resumed after a kill, closed after a stop."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.jobs.values import Job
from onward.types import ProgressEvent
from tests.integration.jobs.workshop import SEARCHED, Workshop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    shop = Workshop(tmp_path_factory.mktemp("shop"), n_bars=450)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def straight(shop: Workshop) -> Job:
    """A search that nothing interrupted; its model is ``searched``."""
    return shop.succeeded(shop.submit("tune", {"plan": SEARCHED, "audit": False, "save": "searched"}))


def without_times(result: object) -> object:
    """Return what two runs of the same plan have in common, whatever was looked at between them."""
    told = json.loads(json.dumps(result))
    for name in ("run", "seconds", "model", "alias", "report", "files"):
        told.pop(name)
    told["certificate"].pop("created_at")
    for verdict in (told["verdict"]["direction"], told["verdict"]["range"]):
        for name in ("n_looked_at", "corrected_p", "level", "sentence"):
            verdict.pop(name)
    return told


def run_of(shop: Workshop, job: Job) -> object:
    (run,) = shop.application.runs.of_job(job.id)
    return run


def test_a_training_publishes_model_alias_report_and_run_with_its_end(shop: Workshop) -> None:
    job = shop.submit("train", {"save": "whole", "alias": "champion", "actor": "somebody"})
    done = shop.succeeded(job)
    assert done.result is not None
    (run,) = shop.application.runs.of_job(job.id)
    assert done.result["run"] == run.id
    assert (done.result["model"], done.result["alias"]) == ("models:/whole/1", "champion")
    assert (run.record.status, run.record.model_ref, run.record.looked_at) == (
        "succeeded",
        "models:/whole/1",
        True,
    )
    assert run.record.scores["pooled"] == done.result["scores"]["pooled"]
    assert run.record.verdicts["direction"].level == done.result["verdict"]["direction"]["level"]
    report = shop.home / done.result["report"]
    assert run.record.report_path == done.result["report"]
    assert report.read_text("utf-8").startswith("<!")
    (event,) = shop.application.registry.alias_history("whole")
    (entry, *_) = shop.application.access.log(action="alias.set").entries
    assert (entry.who, entry.name, entry.subject) == (f"job:{job.id}", "somebody", "whole@champion")
    assert (event.actor, event.reason) == ("somebody", f"job {job.id}")
    scores = shop.events(job, "score")
    assert [event.payload["message"] for event in scores] == ["fold 1", "fold 2", "fold 3"]
    assert {"direction_auc", "range_auc", "log_loss_skill"} == set(scores[0].payload["values"])
    assert any("Recognised" in event.payload["text"] for event in shop.events(job, "log"))
    # Nothing of the attempt is left but its log.
    attempts = shop.home / "jobs" / job.id
    shop.until(lambda: {name for _, _, names in os.walk(attempts) for name in names} == {"log.txt"})


def test_a_training_as_a_job_equals_one_in_this_process(shop: Workshop) -> None:
    from onward.data.read import read_market

    job = shop.succeeded(shop.submit("train", {"audit": False, "save": "apart"}))
    result = shop.application.training.train(
        read_market(shop.bars), shop.application.settings.plan, audit=False
    )
    assert job.result is not None
    assert job.result["scores"]["pooled"] == result.scores.to_dict()["pooled"]
    assert job.result["verdict"]["direction"]["p"] == result.verdict.direction.p
    version = result.save("here")
    assert shop.model_files("apart")["model.txt"] == (version.directory / "model" / "model.txt").read_bytes()


def test_an_attempt_after_a_kill_goes_on_from_finished_folds_and_ends_alike(shop: Workshop) -> None:
    plain = shop.succeeded(shop.submit("train", {"audit": False, "save": "straight"}))
    job = shop.lost(
        lambda number: shop.submit("train", {"audit": False, "save": f"killed-{number}"}),
        lambda job: list((shop.home / "jobs" / job.id / "shared" / "folds").glob("*/fold-1")),
    )
    done = shop.succeeded(job)
    told = [e.payload["message"] for e in shop.events(job, "score") if e.attempt == 2]
    assert told[:2] == [f"fold {n} was finished by an earlier attempt" for n in (1, 2)]
    assert len(told) == 3
    name = done.request.spec["save"]
    assert shop.model_files(name) == shop.model_files("straight")
    assert without_times(done.result) == without_times(plain.result)
    (run,) = shop.application.runs.of_job(job.id)
    assert (run.record.status, run.record.model_ref) == ("succeeded", f"models:/{name}/1")


def test_an_attempt_after_a_kill_goes_on_from_finished_trials_and_ends_alike(
    shop: Workshop, straight: Job
) -> None:
    spec = {"plan": SEARCHED, "audit": False}
    job = shop.lost(
        lambda number: shop.submit("tune", {**spec, "save": f"searched-again-{number}"}),
        lambda job: len([e for e in shop.events(job, "score") if e.payload["stage"] == "search"]) >= 3,
    )
    done = shop.succeeded(job)
    before, after = (trials_told(shop, job, attempt=number) for number in (1, 2))
    assert list(before) == list(after)[: len(before)], "told again, first"
    assert {trial: after[trial] for trial in before} == before
    assert list(after) == every_trial()
    assert "stage" in {event.kind for event in shop.store.events(job.id)}
    folds = [e.payload for e in shop.events(job, "score") if e.payload["stage"] == "fold" and e.attempt == 2]
    assert [one["message"] for one in folds] == ["fold 1", "fold 2", "fold 3"]
    assert set(folds[0]["values"]) == {"direction_auc", "range_auc", "log_loss_skill"}
    assert shop.model_files(done.request.spec["save"]) == shop.model_files("searched")
    assert without_times(done.result) == without_times(straight.result)
    assert done.result is not None
    home = shop.home / "runs" / done.result["run"]
    assert {path.name for path in home.iterdir()} == {"report.html", "search.journal", "search.json"}
    kept = json.loads((home / "search.json").read_text("utf-8"))
    assert (home / kept["place"]).is_file(), "named as it lies now, not where its worker had it"


def trials_told(shop: Workshop, job: Job, *, attempt: int) -> dict[tuple[str, int], dict[str, float]]:
    """Return the figures of each trial that an attempt told of, in the order in which it did."""
    told = [e.payload for e in shop.events(job, "score") if e.attempt == attempt]
    searched = [one for one in told if one["stage"] == "search"]
    trials = {(one["message"].partition(",")[0], one["values"]["trial"]): one["values"] for one in searched}
    assert len(trials) == len(searched), "each once"
    return trials


def every_trial() -> list[tuple[str, int]]:
    searches = [*(f"fold {number} of 3" for number in (1, 2, 3)), "all rows"]
    return [(search, number) for search in searches for number in range(SEARCHED["optimization.trials"])]


def test_a_search_that_failed_is_tried_again_from_its_trials_and_ends_alike(
    shop: Workshop, straight: Job
) -> None:
    spec = {"plan": SEARCHED, "audit": False}
    for number in range(5):  # on a busy machine the moment may be over before anybody looks
        job = shop.submit("tune", {**spec, "save": f"retried-{number}"}, max_attempts=1)
        shop.until(lambda job=job: len(shop.events(job, "score")) >= 6 or shop.store.get(job.id).finished_at)
        shop.kill_worker(job)
        if (failed := shop.ended(job)).state == "failed":
            break
    assert (failed.state, failed.reason) == ("failed", "worker_lost")
    (run,) = shop.application.runs.of_job(job.id)
    kept = shop.until(lambda: _whole_lines(shop.home / "runs" / run.id / "search.journal"))
    assert run.record.looked_at, "the score of its first outer fold was told"
    again = shop.manager.retry(job.id).job
    done = shop.succeeded(again)
    (second,) = shop.application.runs.of_job(again.id)
    assert (shop.home / "runs" / second.id / "search.journal").read_bytes().startswith(kept)
    assert list(trials_told(shop, again, attempt=1)) == every_trial(), "told by the new job as well"
    assert shop.model_files(done.request.spec["save"]) == shop.model_files("searched")
    assert without_times(done.result) == without_times(straight.result)


def _whole_lines(journal: Path) -> bytes:
    told = journal.read_bytes() if journal.exists() else b""
    return told[: told.rfind(b"\n") + 1]


def test_the_trials_of_a_stopped_search_are_there_to_go_on_from(shop: Workshop) -> None:
    from onward.data.read import read_market
    from onward.training.plan import TrainingPlan

    job = shop.submit("tune", {"plan": SEARCHED, "audit": False})
    shop.until(lambda: len([e for e in shop.events(job, "score") if e.payload["stage"] == "search"]) >= 2)
    shop.manager.request_stop(job.id)
    shop.ended(job)
    (run,) = shop.until(
        lambda: [r for r in shop.application.runs.of_job(job.id) if r.record.status != "running"]
    )
    shop.until(lambda: not (shop.home / "jobs" / job.id / "shared").exists())
    events: list[ProgressEvent] = []
    result = shop.application.training.tune(
        read_market(shop.bars),
        TrainingPlan(**job.request.spec["plan"]),
        resume=run.id,
        audit=False,
        progress=events.append,
    )
    first, second, *_ = (event for event in events if event.stage == "search")
    assert (first.done, first.values["trial"], second.values["trial"]) == (1, 0, 1), "not from nothing"
    assert result.run_id == run.id


def test_a_stopped_training_leaves_a_cancelled_run_that_counts_and_no_model(shop: Workshop) -> None:
    job = shop.submit("train", {"save": "stopped"})
    shop.until(lambda: shop.events(job, "score"))
    shop.manager.request_stop(job.id)
    assert shop.ended(job).state == "cancelled"
    runs = shop.until(
        lambda: [r for r in shop.application.runs.of_job(job.id) if r.record.status != "running"]
    )
    assert [(run.record.status, run.record.looked_at) for run in runs] == [("cancelled", True)]
    assert "stopped" not in [model.name for model in shop.application.registry.list_models()]


def test_a_failed_training_closes_its_run(shop: Workshop) -> None:
    job = shop.submit("train", {"save": "starved"}, memory_limit_mb=64)
    done = shop.ended(job)
    assert (done.state, done.reason) == ("failed", "oom")
    runs = shop.until(
        lambda: [run for run in shop.application.runs.of_job(job.id) if run.record.error is not None]
    )
    # Jobs are pruned; the row says on its own why it failed.
    assert [(run.record.status, run.record.error["what"]) for run in runs] == [("failed", done.error["what"])]


def test_an_alias_is_refused_without_a_passed_audit_and_the_model_is_published(shop: Workshop) -> None:
    job = shop.submit("train", {"audit": False, "save": "unaudited", "alias": "champion"})
    done = shop.succeeded(job)
    assert done.result is not None
    assert (done.result["model"], done.result["alias"]) == ("models:/unaudited/1", None)
    assert any("champion was not given" in warning for warning in done.result["warnings"])
    assert shop.application.registry.resolve("unaudited/1").aliases == ()


def test_a_waiting_job_that_lost_an_attempt_closes_its_run_when_it_is_stopped(shop: Workshop) -> None:
    from datetime import timedelta

    from onward.database.moments import utc_now
    from onward.registry import RunRecord

    job = shop.submit("train", {}, run_after=utc_now() + timedelta(hours=1))
    record = RunRecord("train", {}, "p", "d", "threshold", status="running", job_id=job.id)
    run = shop.application.runs.take_up(record)
    assert shop.manager.request_stop(job.id).job.state == "cancelled"
    assert shop.application.runs.get(run.id).record.status == "cancelled"
