"""Who counts as silent: by the watcher's own clock, and only while he watches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onward.jobs.reaper import SilenceWatch, look_seconds
from onward.jobs.values import Lease


def lease(beat: int = 0, *, attempt: int = 1, owner: str = "other") -> Lease:
    return Lease("job", owner, attempt, beat)


def looks(watch: SilenceWatch, what: Lease, begin: float, end: float) -> list[Lease]:
    found: list[Lease] = []
    for tick in range(int(begin), int(end) + 1):
        found = watch.silent([what], float(tick))
    return found


def test_silence_of_the_whole_time_loses_the_lease() -> None:
    watch = SilenceWatch(60.0)
    assert looks(watch, lease(), 0, 59) == []
    assert looks(watch, lease(), 60, 60) == [lease()]


def test_every_sign_of_life_begins_anew() -> None:
    for sign in (lease(1), lease(attempt=2), lease(owner="third")):
        watch = SilenceWatch(60.0)
        assert looks(watch, lease(), 0, 50) == []
        assert looks(watch, sign, 51, 110) == []
        assert looks(watch, sign, 111, 111) == [sign]


def test_an_error_of_the_database_begins_anew() -> None:
    watch = SilenceWatch(60.0)
    looks(watch, lease(), 0, 59)
    watch.forget()
    assert looks(watch, lease(), 60, 119) == []


def test_a_watcher_that_was_suspended_reaps_nobody() -> None:
    watch = SilenceWatch(60.0)
    looks(watch, lease(), 0, 10)
    assert watch.silent([lease()], 110.0) == []
    assert looks(watch, lease(), 111, 169) == []
    assert looks(watch, lease(), 170, 170) == [lease()]


@given(st.lists(st.floats(0.01, 2.0), min_size=1, max_size=200))
def test_whoever_beats_in_time_is_never_silent(pauses: list[float]) -> None:
    watch, now = SilenceWatch(6.0), 0.0
    for beat, pause in enumerate(pauses):
        now += pause
        assert watch.silent([lease(beat)], now) == []


def test_a_look_never_takes_so_long_that_the_watch_begins_anew() -> None:
    assert look_seconds(2.0, 60.0) == 2.0
    watch = SilenceWatch(60.0)
    looks(watch, lease(), 0, 59)
    assert watch.silent([lease()], 60.0 + look_seconds(600.0, 60.0)) == [lease()]
