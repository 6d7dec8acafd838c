"""What the verbs of jobs are made of: who is there, when a worker may end, how things are said."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onward.cli.jobs.background import who_runs
from onward.cli.jobs.following import QUIET_SECONDS, Concern
from onward.cli.jobs.idleness import Idleness
from onward.cli.jobs.lines import event_line, work_done
from onward.cli.jobs.logfiles import LogFile
from onward.cli.jobs.outcome import exit_code, problem_of
from onward.config.jobs import JobConfig
from onward.jobs.presence import Presence
from onward.jobs.remaining import TimeLeft
from onward.jobs.values import Job, JobEvent, JobRequest, Outcome, Reason
from onward.settings import load_settings
from onward.wiring import build_application
from tests.unit.cli.job_ways import begun, ended_in

QUICK = JobConfig(poll_seconds=0.02, heartbeat_seconds=0.2, fence_seconds=1, lease_seconds=2)


@pytest.fixture
def application(tmp_path: Path):
    services = build_application(load_settings(home=tmp_path / "home", cwd=tmp_path, environ={}))
    yield services
    services.close()


def event(kind: str, payload: dict, attempt: int = 1) -> JobEvent:
    return JobEvent("j", 1, attempt, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), kind, payload)


@pytest.mark.parametrize(
    ("kind", "payload", "line"),
    [
        ("state", {"state": "failed", "reason": "oom"}, "failed (oom)"),
        ("score", {"stage": "fold", "message": "fold 2", "values": {"auc": 0.5}}, "fold 2: auc 0.5"),
        ("score", {"stage": "search 1", "message": "trial 3", "values": {"v": 1}}, "search 1 trial 3: v 1"),
        (
            "score",
            {
                "stage": "search",
                "message": "fold 1 of 5, pruned",
                "values": {"trial": 3, "best inner auc": 0.6},
            },
            "search fold 1 of 5, pruned: trial 3, best inner auc 0.6",
        ),
        ("log", {"level": "info", "text": "hello"}, "hello"),
        ("log", {"level": "error", "text": "hello"}, "error: hello"),
    ],
)
def test_events_are_lines(kind: str, payload: dict, line: str) -> None:
    assert event_line(event(kind, payload)) == f"03:04:05  {line}"


@pytest.mark.parametrize("kind", ["progress", "stage"])
def test_how_far_it_is_is_no_line(kind: str) -> None:
    assert event_line(event(kind, {"stage": "fold"})) is None


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        ({}, ""),
        ({"stage": "fold", "done": 2.0, "total": 5.0, "eta_seconds": 90.0}, "fold 2/5"),
        ({"stage": "features", "done": 1.5, "total": 6.0, "fraction": 0.25}, "features 25%"),
        ({"stage": "trials", "done": 7.0, "total": 0.0, "fraction": None}, "trials 7"),
        ({"stage": "reading", "done": 0.0, "total": 0.0}, "reading"),
    ],
)
def test_progress_is_said_in_a_few_words(progress: dict, words: str) -> None:
    assert work_done(progress) == words
    left = TimeLeft(5_700.0, "job")
    assert work_done(progress, left) == (
        f"{words}; about 1 h 40 min left, if as busy as in the run before" if words else ""
    )


@pytest.mark.parametrize(
    ("left", "words", "brief"),
    [
        (
            TimeLeft(92.0, "stage"),
            "about 1 min 30 s left in this stage",
            "about 1 min 30 s left in this stage",
        ),
        (TimeLeft(181.0, "job"), "about 3 min left, if as busy as in the run before", "about 3 min left"),
        (TimeLeft(3.2, "job", paced=True), "about 3 s left", "about 3 s left"),
        (TimeLeft(0.0, "job"), "any moment now, if as busy as in the run before", "any moment now"),
        (None, "", ""),
    ],
)
def test_what_is_left_is_said_with_what_it_is_of(left: TimeLeft | None, words: str, brief: str) -> None:
    progress = {"stage": "fold", "done": 2.0, "total": 5.0}
    assert work_done(progress, left) == (f"fold 2/5; {words}" if words else "fold 2/5")
    assert work_done(progress, left, brief=True) == (f"fold 2/5; {brief}" if brief else "fold 2/5")


def test_a_second_attempt_says_so() -> None:
    assert (
        event_line(event("state", {"state": "running", "reason": None}, 2)) == "03:04:05  running, attempt 2"
    )


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome("succeeded"), 0),
        (Outcome("succeeded", result={"passed": True}), 0),
        (Outcome("succeeded", result={"passed": False}), 1),
        (Outcome("failed", "error", error={"error": "DataError", "what": "x"}), 2),
        (Outcome("failed", "error", error={"error": "StorageError", "what": "x"}), 1),
        (Outcome("failed", "error", error={"error": "ValueError", "what": "x"}), 1),
        (Outcome("failed", "oom", error={"error": "JobError", "what": "x"}), 1),
        (Outcome("failed", "worker_lost"), 1),
        (Outcome("cancelled"), 3),
    ],
)
def test_the_code_is_that_of_the_same_work_in_the_foreground(
    application, outcome: Outcome, code: int
) -> None:
    job = begun(application)
    if outcome.state == "cancelled":
        application.job_store.request_stop(job.id)
    ended_in(application, job, outcome)
    assert exit_code(application.job_store.get(job.id)) == code


@pytest.mark.parametrize(("reason", "option"), [("oom", "--memory MB"), ("timeout", "--timeout SECONDS")])
def test_what_ran_out_can_be_given_more_of(application, reason: Reason, option: str) -> None:
    job = begun(application)
    ended_in(application, job, Outcome("failed", reason, error={"error": "JobError", "remedy": "More."}))
    remedy = problem_of(application.job_store.get(job.id)).remedy
    assert remedy == f"More. Try it again: onward jobs retry {job.id} {option}"


def waiting(application) -> Job:
    return application.job_store.submit(JobRequest("train", {})).job


def test_whoever_waits_is_told_once_that_nobody_takes_the_job(application) -> None:
    concern, job = Concern(), waiting(application)
    assert concern.about(job, 0.0) is None
    assert "none knows jobs of kind 'train', or there is none (onward worker)" in str(concern.about(job, 6.0))
    assert concern.about(job, 60.0) is None
    later = dataclasses.replace(
        job, request=JobRequest("train", {}, run_after=datetime(2040, 1, 1, tzinfo=UTC))
    )
    concern = Concern()
    concern.about(later, 0.0)
    assert "not to start before 2040-01-01" in str(concern.about(later, 6.0))


def test_a_heartbeat_that_stands_still_is_noticed_and_one_that_grows_is_not(application) -> None:
    concern, job = Concern(), begun(application)
    concern.about(job, 0.0)
    grown = dataclasses.replace(job, beat=job.beat + 1)
    assert concern.about(grown, QUIET_SECONDS + 1) is None
    assert "No heartbeat of its owner elsewhere:1" in str(concern.about(grown, 2 * QUIET_SECONDS + 2))


def test_a_presence_is_seen_until_it_leaves(tmp_path: Path) -> None:
    one, two = Presence(tmp_path, "sqlite:///a"), Presence(tmp_path, "sqlite:///a")
    other = Presence(tmp_path, "sqlite:///b")
    assert not one.anybody()
    one.take()
    two.take()
    assert Presence(tmp_path, "sqlite:///a").anybody()
    assert not other.anybody()
    one.leave()
    assert Presence(tmp_path, "sqlite:///a").anybody()
    two.leave()
    assert not one.anybody()


def test_whoever_runs_jobs_elsewhere_than_asked_is_nobody(tmp_path: Path) -> None:
    both = Presence(tmp_path, "sqlite:///a", ["local", "ray"])
    here, there, neither = (Presence(tmp_path, "sqlite:///a", [name]) for name in ("local", "ray", "x"))
    both.take()
    both.take()
    assert (here.anybody(), there.anybody(), neither.anybody()) == (True, True, False)
    both.leave()
    assert not here.anybody()


def test_those_who_look_do_not_take_each_other_for_workers(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    looks = [Presence(tmp_path, "sqlite:///a") for _ in range(200)]
    with ThreadPoolExecutor(2) as pool:
        assert not any(pool.map(Presence.anybody, looks))


def test_who_runs_a_job_is_found_out_without_a_list_of_workers(application) -> None:
    store, presence = application.job_store, Presence(application.home.jobs, "here")
    job = waiting(application)
    assert who_runs(store, job.id, QUICK, presence) is None
    presence.take()
    assert who_runs(store, job.id, QUICK, Presence(application.home.jobs, "here")) == "busy"
    presence.leave()
    store.claim("elsewhere:1", limit=1)
    assert who_runs(store, job.id, QUICK, presence) == "taken"


def test_an_owner_elsewhere_counts_only_while_its_heartbeat_grows(application) -> None:
    import threading
    import time

    store, presence = application.job_store, Presence(application.home.jobs, "here")
    begun(application)
    job = waiting(application)
    assert who_runs(store, job.id, QUICK, presence) is None  # its lease stands still
    beating = threading.Event()

    def beat() -> None:
        while not beating.is_set():
            store.renew("elsewhere:1")
            time.sleep(0.05)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        assert who_runs(store, job.id, QUICK, presence) == "busy"
    finally:
        beating.set()
        thread.join()


def test_a_worker_is_idle_when_nothing_is_due(application) -> None:
    store = application.job_store
    idleness = Idleness(store, "me:1", 6.0, kinds=["train", "echo"])
    assert idleness.reached(0.0)
    store.submit(JobRequest("train", {}, run_after=datetime(2040, 1, 1, tzinfo=UTC)))
    store.submit(JobRequest("train", {}, backend="ray"))
    store.submit(JobRequest("newer", {}))
    assert idleness.reached(1.0)  # later, elsewhere, and by a server that knows it
    job = waiting(application)
    assert not idleness.reached(2.0)
    store.claim("me:1", limit=1, kinds=["train"])
    assert not idleness.reached(3.0)  # it is my own now
    store.request_stop(job.id)
    assert not idleness.reached(4.0)


def test_a_worker_waits_for_jobs_of_silent_owners_but_not_of_live_ones(application) -> None:
    store = application.job_store
    job, idleness = begun(application), Idleness(application.job_store, "me:1", 6.0)
    assert not idleness.reached(0.0)  # nothing is known of its owner yet
    store.renew("elsewhere:1")
    assert idleness.reached(2.0)  # it lives, so it sees to its job itself
    assert idleness.reached(7.0)
    assert not idleness.reached(9.0)  # silent: somebody is to take the job over
    ended_in(application, job, Outcome("failed", "oom"))
    assert idleness.reached(10.0)


def test_a_growing_log_is_read_line_by_line(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log.txt")
    assert log.read() == []
    with (tmp_path / "log.txt").open("w") as file:
        for text, lines in (("a\nb", ["a"]), ("c\n", ["bc"]), ("d", [])):
            file.write(text)
            file.flush()
            assert log.read() == lines
    assert log.read(whole=True) == ["d"]
