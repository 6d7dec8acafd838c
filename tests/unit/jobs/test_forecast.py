"""When a job will have ended: exact on a repeated course, bounded and calm on every other."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.jobs.course import MOST, Course, Stretch, Walk, course_of
from onward.jobs.forecast import foretold, remaining_seconds
from onward.jobs.values import JobEvent

RECORDED: dict[str, list[list[Any]]] = json.loads(
    (Path(__file__).parents[2] / "fixtures/jobs/courses.json").read_text()
)
"""Real jobs of one sample: seconds, kind of event, stage or state, fraction."""
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def events_of(name: str) -> Iterator[JobEvent]:
    for seq, (seconds, kind, what, fraction) in enumerate(RECORDED[name], 1):
        told = {"state": what} if kind == "state" else {"stage": what, "fraction": fraction}
        yield JobEvent("j", seq, 1, NOON + timedelta(seconds=seconds), kind, told)


def total(course: Course) -> float:
    return sum(stretch.seconds for stretch in course)


def part(course: Course, seconds: float, pace: float = 1.0) -> Course:
    """Return what was known of a course, walked at some pace, after so many seconds."""
    walk, began = Walk(), 0.0
    for stretch in course:
        if began > seconds:
            break
        walk.begin(stretch.stage, began)
        for fraction, at in stretch.marks:
            if began + at * pace <= seconds:
                walk.mark(fraction, began + at * pace)
        began += stretch.seconds * pace
    return walk.until(seconds)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Return stages that take turns, each with a fraction that rises in any way, or with none."""
    stretches = []
    for stage in draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=6)):
        if stretches and stretches[-1].stage == stage:
            continue
        seconds = draw(st.floats(0.5, 500.0))
        n = draw(st.integers(0, 5))
        fractions = sorted(draw(st.lists(st.floats(0.01, 1.0), min_size=n, max_size=n)))
        shares = sorted(draw(st.lists(st.floats(0.0, 1.0), min_size=n, max_size=n)))
        walk = Walk()
        walk.begin(stage, 0.0)
        for fraction, share in zip([0.0, *fractions], [0.0, *shares], strict=True):
            if n:
                walk.mark(fraction, share * seconds)
        stretches += walk.until(seconds)
    return tuple(stretches)


def moments(course: Course, pace: float = 1.0, n: int = 40) -> list[float]:
    return [total(course) * pace * step / n for step in range(n)]


# -- properties -----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(courses())
def test_a_course_that_repeats_itself_ends_when_it_is_said_to(course: Course) -> None:
    for moment in moments(course):
        left = remaining_seconds(course, part(course, moment))
        assert left == pytest.approx(total(course) - moment, abs=1e-6 * total(course))


@settings(max_examples=60, deadline=None)
@given(courses(), st.floats(0.3, 3.5))
def test_a_slower_or_faster_machine_is_told_between_as_before_and_its_own_pace(
    course: Course, pace: float
) -> None:
    for moment in moments(course, pace):
        left = remaining_seconds(course, part(course, moment, pace))
        assert left is not None
        gone = moment / pace
        rest = total(course) - gone
        # What was told since the last news counts by the clock, at whichever pace was expected.
        slack = 1e-6 * total(course) + max(stretch.seconds for stretch in course) * abs(1.0 - pace)
        assert min(1.0, pace) * rest - slack <= left <= max(1.0, pace) * rest + slack


@settings(max_examples=60, deadline=None)
@given(courses(), courses())
def test_whatever_the_courses_it_is_never_negative_and_finite(before: Course, present: Course) -> None:
    for moment in moments(present, n=20):
        left = remaining_seconds(before, part(present, moment))
        assert left is None or 0.0 <= left < 1e9


@settings(max_examples=60, deadline=None)
@given(courses(), courses(), st.floats(0.0, 100.0))
def test_without_news_it_falls_with_the_clock_or_stands_still(
    before: Course, present: Course, pause: float
) -> None:
    now = part(present, total(present) / 2)
    later = (*now[:-1], Stretch(now[-1].stage, now[-1].seconds + pause, now[-1].marks))
    first, second = remaining_seconds(before, now), remaining_seconds(before, later)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert first - pause - 1e-6 <= second <= first + 1e-6


@settings(max_examples=60, deadline=None)
@given(courses(), st.lists(st.floats(0.5, 2.0), min_size=6, max_size=6))
def test_news_moves_the_end_by_no_more_than_some_of_what_was_just_done(
    course: Course, paces: list[float]
) -> None:
    """However uneven the machine: thirty times the work and time since the last look, at most."""
    present = tuple(
        Stretch(one.stage, one.seconds * pace, tuple((f, at * pace) for f, at in one.marks))
        for one, pace in zip(course, itertools.cycle(paces), strict=False)
    )
    looks = sorted(
        {
            began + at
            for began, one in zip(
                itertools.accumulate((one.seconds for one in present), initial=0.0), present, strict=False
            )
            for _, at in one.marks
        }
    )
    ends = [(at, at + (remaining_seconds(course, part(present, at)) or 0.0)) for at in looks]
    for (then, said), (now, says) in itertools.pairwise(ends):
        assert abs(says - said) <= 30.0 * (now - then) + 1e-6 * total(course)


# -- real courses ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_events_are_a_course(name: str) -> None:
    course = course_of(events_of(name))
    assert total(course) == pytest.approx(RECORDED[name][-1][0])
    stages = [stretch.stage for stretch in course]
    told = [what for _, kind, what, _ in RECORDED[name] if kind == "stage"]
    assert [stage for stage, _ in itertools.groupby(stages)] == [
        stage for stage, _ in itertools.groupby(told)
    ]


def test_a_real_training_on_a_machine_that_is_free_again() -> None:
    """The one before took three times as long; whoever subtracts what has passed stays wrong by that."""
    before, present = (course_of(events_of(name)) for name in ("train, loaded machine", "train, again"))
    excess = total(before) - total(present)
    assert excess > 60.0
    errors = []
    for moment in moments(present):
        left = remaining_seconds(before, part(present, moment))
        assert left is not None
        errors.append(abs(left - (total(present) - moment)))
    assert max(errors) <= excess + 1e-6
    assert sum(errors) / len(errors) < 0.3 * excess


# -- decisions ------------------------------------------------------------------------------

BEFORE: Course = (
    Stretch("features", 100.0, ((0.0, 0.0), (1.0, 100.0))),
    Stretch("fold", 200.0, ((0.0, 0.0), (0.5, 100.0), (1.0, 200.0))),
    Stretch("audit", 100.0),
)


def test_what_a_cache_saved_says_little_about_the_rest() -> None:
    present = (Stretch("features", 0.5, ((0.0, 0.0), (1.0, 0.5))), Stretch("fold", 0.0, ((0.0, 0.0),)))
    left = remaining_seconds(BEFORE, present)
    assert left == pytest.approx(300.0, rel=0.03)


def test_what_an_earlier_attempt_finished_is_not_done_again() -> None:
    present = (Stretch("features", 100.0, ((0.0, 0.0), (1.0, 100.0))), Stretch("fold", 0.0, ((0.5, 0.0),)))
    assert remaining_seconds(BEFORE, present) == pytest.approx(200.0)


def test_within_a_stage_that_is_slow_its_own_pace_counts_most() -> None:
    present = (*BEFORE[:1], Stretch("fold", 300.0, ((0.0, 0.0), (0.5, 300.0))))
    left = remaining_seconds(BEFORE, present)
    assert left is not None
    assert 250.0 + 100.0 < left < 300.0 + 300.0


def test_a_stage_that_tells_nothing_is_over_when_it_was_and_then_time_stands_still() -> None:
    told = [
        remaining_seconds(BEFORE, (*BEFORE[:2], Stretch("audit", at))) for at in (0.0, 40.0, 100.0, 900.0)
    ]
    assert told == [100.0, 60.0, 0.0, 0.0]


def test_where_the_earlier_job_never_was_nothing_is_known() -> None:
    assert remaining_seconds(BEFORE, ()) is None
    assert remaining_seconds((), BEFORE) is None
    assert remaining_seconds(BEFORE, (Stretch("search", 1.0),)) is None
    again = (*BEFORE[:2], Stretch("features", 1.0))
    assert remaining_seconds(BEFORE, again) is None, "it was there once, not twice"
    elsewhere = (BEFORE[0], Stretch("search", 50.0), Stretch("fold", 0.0))
    assert remaining_seconds(BEFORE, elsewhere) == pytest.approx(300.0)


@pytest.mark.parametrize("pace", [1 / 12, 1 / 3, 3.0])
def test_a_machine_that_is_as_busy_no_more_is_seen_soon(pace: float) -> None:
    """A run of minutes was foretold, by one on a busy machine, and took 38 seconds."""
    marked = tuple((step / 50, step * 4.0) for step in range(51))
    before = (
        Stretch("features", 100.0, tuple((step / 20, step * 5.0) for step in range(21))),
        Stretch("fold", 200.0, marked),
        Stretch("audit", 180.0, tuple((step / 20, step * 9.0) for step in range(21))),
    )
    off = []
    for share in (0.1, 0.25, 0.5, 0.75):
        seconds = share * total(before) * pace
        left = remaining_seconds(before, part(before, seconds, pace))
        assert left is not None
        off.append(max(left, 1e-9) / (total(before) * pace - seconds))
    wrong = [max(one, 1 / one) for one in off]
    as_before = max(pace, 1 / pace)
    assert wrong[0] < as_before**0.55
    assert wrong[1] < as_before**0.35
    assert wrong[2] < as_before**0.25
    assert wrong[3] < as_before**0.2


def test_a_job_is_as_the_one_before_until_it_has_a_pace_of_its_own() -> None:
    def paced(seconds: float) -> bool:
        found = foretold(BEFORE, part(BEFORE, seconds))
        assert found is not None
        return found.paced

    assert not paced(0.0)
    assert not paced(50.0), "nothing was told of that stage since it began"
    assert paced(100.0)
    cached = (Stretch("features", 0.5, ((0.0, 0.0), (1.0, 0.5))), Stretch("fold", 0.0, ((0.0, 0.0),)))
    found = foretold(BEFORE, cached)
    assert found is not None
    assert not found.paced, "what a cache saved is no pace"


# -- courses --------------------------------------------------------------------------------


def test_a_stage_whose_fraction_falls_has_begun_anew() -> None:
    walk = Walk()
    for stage, fraction, at, new in (
        ("audit", 0.1, 0.0, True),
        ("audit", 1.0, 5.0, False),
        ("audit", 0.9, 6.0, False),
        ("audit", None, 6.0, False),
        ("audit", 0.14, 7.0, True),
        ("audit", 1.0, 20.0, False),
    ):
        assert walk.is_new(stage, fraction) is new
        if new:
            walk.begin(stage, at)
        walk.mark(fraction, at)
    assert walk.until(21.0) == (
        Stretch("audit", 7.0, ((0.1, 0.0), (1.0, 5.0))),
        Stretch("audit", 14.0, ((0.14, 0.0), (1.0, 13.0))),
    )


def test_a_course_keeps_few_marks_and_gives_up_on_what_never_settles() -> None:
    walk = Walk()
    walk.begin("talk", 0.0)
    for step in range(100_001):
        walk.mark(step / 100_000, step / 1000)
    ((_, _, marks),) = [(one.stage, one.seconds, one.marks) for one in walk.until(100.0)]
    assert len(marks) <= 202
    assert marks[-1][0] == 1.0
    for step in range(MOST + 1):
        walk.begin("ab"[step % 2], 100.0 + step)
    assert walk.until(2_000.0) == ()


@pytest.mark.parametrize("name", RECORDED)
def test_what_did_not_succeed_or_tells_nothing_is_no_course(name: str) -> None:
    events = list(events_of(name))
    assert course_of(events[:-1]) == ()
    assert course_of(events[-1:]) == ()


def test_events_with_strange_payloads_do_no_harm() -> None:
    odd = [
        {"stage": None},
        {"stage": "a", "fraction": "x"},
        {},
        {"fraction": 0.5},
        {"stage": "a", "fraction": 2},
    ]
    events = [
        JobEvent("j", n, 1, NOON + timedelta(seconds=n), "progress", told) for n, told in enumerate(odd)
    ]
    end = JobEvent("j", 9, 1, NOON - timedelta(hours=1), "state", {"state": "succeeded"})
    course = course_of([*events, end])
    left = remaining_seconds(course, course[:1])
    assert left is not None
    assert left >= 0.0
