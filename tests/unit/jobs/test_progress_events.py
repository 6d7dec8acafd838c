"""From messages to events: few rows of progress, every stage and score, not every line."""

from __future__ import annotations

from typing import Any

import pytest

from onward.jobs.course import Course, Stretch
from onward.jobs.progress import MOST_LINES, EventBuffer, progress_payload


def progress(done: float, total: float = 10.0, stage: str = "fit", **more: Any) -> dict[str, Any]:
    return {"type": "progress", "stage": stage, "done": done, "total": total, "message": "m", **more}


def line(text: str) -> dict[str, Any]:
    return {"type": "log", "level": "info", "text": text}


def test_nothing_is_due_before_something_was_said() -> None:
    assert not EventBuffer(1.0).due(100.0)


def test_one_row_of_progress_in_a_while() -> None:
    buffer = EventBuffer(1.0)
    buffer.add(progress(1), 0.0)
    assert buffer.due(0.0)
    buffer.take(0.0)
    for step in range(2, 10):
        buffer.add(progress(step), step / 10)
        assert not buffer.due(step / 10)
    assert buffer.due(1.0)
    ((kind, payload),) = buffer.take(1.0)
    assert (kind, payload["done"], payload["fraction"]) == ("progress", 9.0, 0.9)
    assert not buffer.due(99.0)


def test_every_score_is_kept_in_order() -> None:
    buffer = EventBuffer(1.0)
    for step in range(5):
        buffer.add(progress(step, values={"auc": step / 10}), 0.0)
    events = buffer.take(0.0)
    assert [kind for kind, _ in events] == ["stage"] + ["score"] * 5 + ["progress"]
    assert [payload["values"]["auc"] for kind, payload in events if kind == "score"] == [
        0.0,
        0.1,
        0.2,
        0.3,
        0.4,
    ]


def test_every_stage_is_told_when_it_begins_however_soon_it_is_over() -> None:
    buffer = EventBuffer(1.0)
    for stage in ("read", "fit", "fit", "read", "x" * 1000):
        buffer.add(progress(1, stage=stage), 0.0)
    events = buffer.take(0.0)
    begun = [payload["stage"] for kind, payload in events if kind == "stage"]
    assert begun == ["read", "fit", "read", "x" * 200]
    buffer.put_back(events)
    buffer.add(progress(1, stage="fit"), 2.0)
    again = [payload["stage"] for kind, payload in buffer.take(2.0) if kind == "stage"]
    assert again == [*begun, "fit"]


def test_a_flood_of_lines_is_cut_and_says_so() -> None:
    buffer = EventBuffer(1.0)
    for number in range(MOST_LINES + 7):
        buffer.add(line(f"line {number}" + "x" * 10_000), 0.0)
    events = buffer.take(0.0)
    assert len(events) == MOST_LINES + 1
    assert events[-1][1] == {"level": "warning", "text": "7 lines were left out here"}
    assert all(len(payload["text"]) <= 4_000 for _, payload in events)


def test_what_could_not_be_written_comes_first_the_next_time() -> None:
    buffer = EventBuffer(0.0)
    buffer.add(progress(1, values={"auc": 1.0}), 0.0)
    buffer.add(line("a"), 0.0)
    events = buffer.take(0.0)
    buffer.add(line("b"), 1.0)
    buffer.add(progress(2, values={"auc": 2.0}), 1.0)
    buffer.put_back(events)
    again = buffer.take(1.0)
    assert [payload["text"] for kind, payload in again if kind == "log"] == ["a", "b"]
    assert [payload["values"]["auc"] for kind, payload in again if kind == "score"] == [1.0, 2.0]
    assert [payload["done"] for kind, payload in again if kind == "progress"] == [2.0]


@pytest.mark.parametrize(
    ("done", "total", "elapsed", "fraction", "eta"),
    [
        (5, 10, 30.0, 0.5, 30.0),
        (0, 10, 30.0, 0.0, None),
        (10, 10, 30.0, 1.0, 0.0),
        (12, 10, 30.0, 1.0, 0.0),
        (3, 0, 30.0, None, None),
        (5, 10, 0.0, 0.5, None),
    ],
)
def test_what_is_left(
    done: float, total: float, elapsed: float, fraction: float | None, eta: float | None
) -> None:
    payload = progress_payload(progress(done, total), elapsed=elapsed)
    assert (payload["fraction"], payload["eta_seconds"]) == (fraction, eta)


def test_a_new_stage_has_its_own_pace() -> None:
    """What it had when it began, from an earlier attempt or a cache, says nothing of it."""
    buffer = EventBuffer(0.0)
    buffer.add(progress(5, stage="read"), 0.0)
    buffer.add(progress(6, stage="fit"), 100.0)
    buffer.add(progress(8, stage="fit"), 110.0)
    *_, (_, payload) = buffer.take(110.0)
    assert payload["eta_seconds"] == 10.0


def test_a_stage_that_begins_anew_says_so_and_has_a_new_pace() -> None:
    buffer = EventBuffer(0.0)
    for done, now in ((0, 0.0), (10, 5.0), (0, 5.0), (5, 45.0)):
        buffer.add(progress(done, stage="audit"), now)
    events = buffer.take(45.0)
    assert [payload["stage"] for kind, payload in events if kind == "stage"] == ["audit", "audit"]
    assert events[-1][1]["eta_seconds"] == 40.0


def test_the_whole_job_is_foretold_by_an_earlier_one_asked_for_once() -> None:
    asked: list[str] = []

    def recall() -> Course:
        asked.append("now")
        return (Stretch("fit", 100.0, ((0.0, 0.0), (1.0, 100.0))), Stretch("audit", 50.0))

    buffer = EventBuffer(1.0, recall)
    buffer.add(line("a"), 0.0)
    buffer.take(0.0)
    assert asked == [], "lines need no estimate"
    told = []
    for step in range(11):
        buffer.add(progress(step), 1.0 + 20.0 * step)
        told.append(buffer.take(1.0 + 20.0 * step)[-1][1])
    assert asked == ["now"]
    assert told[0]["job_eta_seconds"] == 150.0
    assert [one["eta_seconds"] for one in told[1:3]] == [180.0, 160.0]
    assert told[5]["job_eta_seconds"] > 100.0, "it is slower than the one before"
    assert told[10]["job_eta_seconds"] < 100.0
    buffer.add(progress(0, total=0, stage="audit"), 221.0)
    events = buffer.take(231.0)
    assert 40.0 < events[-1][1]["job_eta_seconds"] < 90.0, "when it is written, not when it was told"
    buffer.put_back(events)
    assert buffer.take(241.0)[-1][1]["job_eta_seconds"] == pytest.approx(
        events[-1][1]["job_eta_seconds"] - 10.0
    )
    buffer.add(progress(1, stage="elsewhere"), 250.0)
    assert buffer.take(250.0)[-1][1]["job_eta_seconds"] is None


def test_without_an_earlier_job_nothing_is_foretold() -> None:
    buffer = EventBuffer(0.0)
    buffer.add(progress(5), 0.0)
    assert buffer.take(0.0)[-1][1]["job_eta_seconds"] is None


def test_the_share_of_the_whole_job_never_falls_and_is_never_all() -> None:
    """A stage has its own share, which begins anew with each."""
    before = (
        Stretch("read", 10.0, ((0.0, 0.0), (1.0, 10.0))),
        Stretch("fit", 100.0, ((0.0, 0.0), (1.0, 100.0))),
        Stretch("last", 10.0),
    )
    buffer = EventBuffer(0.0, lambda: before)
    shares: list[float] = []
    now = 0.0
    for stage, seconds in (("read", 10.0), ("fit", 300.0), ("last", 10.0), ("unknown", 20.0), ("last", 90.0)):
        for step in range(11):
            buffer.add(progress(step, stage=stage), now + seconds * step / 10)
            shares.append(buffer.take(now + seconds * step / 10)[-1][1]["job_fraction"])
        now += seconds
    assert shares[0] == 0.0
    assert shares == sorted(shares)
    assert shares[11] < 0.2, "one stage of three is done, and not the longest"
    assert 0.6 < shares[33] <= shares[-1] <= 0.99
    unknown = EventBuffer(0.0)
    unknown.add(progress(5), 0.0)
    assert unknown.take(0.0)[-1][1]["job_fraction"] is None
