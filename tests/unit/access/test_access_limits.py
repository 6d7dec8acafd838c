"""So many a minute, in bounded memory."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.access.buckets import Buckets
from onward.access.limits import RateLimits
from onward.access.values import LOCAL, NOBODY, Caller
from onward.errors import RateLimitError


class Timer:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def reference(per_minute: float, arrivals: list[float]) -> list[bool]:
    """A token bucket as the books draw it: a level that rises with time and falls with requests."""
    size = max(per_minute, 1.0)
    level, before, let = size, arrivals[0] if arrivals else 0.0, []
    for now in arrivals:
        level = min(size, level + (now - before) * per_minute / 60)
        before = now
        let.append(level >= 1 - 1e-6)
        level -= let[-1]
    return let


@given(
    st.integers(1, 500),
    st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.25, 1.0, 7.0, 90.0]), min_size=1, max_size=200),
)
def test_it_lets_through_what_a_bucket_lets_through(per_minute: int, pauses: list[float]) -> None:
    timer = Timer()
    buckets = Buckets(per_minute, timer=timer)
    arrivals, let = [], []
    for pause in pauses:
        timer.now += pause
        arrivals.append(timer.now)
        before = buckets.wait("a")
        let.append(buckets.take("a") == 0)
        assert (before == 0) == let[-1], "looking tells what taking will find"
    assert let == reference(per_minute, arrivals)


def test_it_says_when_to_come_again() -> None:
    timer = Timer()
    buckets = Buckets(30, timer=timer)
    assert [buckets.take("a") for _ in range(30)] == [0.0] * 30
    assert buckets.take("a") == pytest.approx(2.0)
    assert buckets.take("b") == 0.0, "each for itself"
    timer.now += 1.99
    assert buckets.take("a") == pytest.approx(0.01)
    timer.now += 0.02
    assert buckets.take("a") == 0.0


def test_memory_is_bounded() -> None:
    buckets = Buckets(1, capacity=100)
    for number in range(10_000):
        buckets.take(str(number))
    assert len(buckets) == 100
    assert buckets.take("9999") > 0, "the newest are remembered"
    assert buckets.take("0") == 0.0


def test_threads_together_get_no_more() -> None:
    timer = Timer()
    buckets = Buckets(500, timer=timer)
    let: list[float] = []

    def ask() -> None:
        let.extend(buckets.take("a") for _ in range(200))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(seconds == 0 for seconds in let) == 500


def test_each_key_and_each_class_has_its_own() -> None:
    timer = Timer()
    limits = RateLimits({"read": 2, "run": 1, "admin": None}, timer=timer)
    ann, bob = (Caller("key", key_id, key_id, "admin") for key_id in ("ann", "bob"))
    limits.charge(ann, "read")
    limits.charge(ann, "read")
    with pytest.raises(RateLimitError, match="limit_read_per_minute") as caught:
        limits.charge(ann, "read")
    assert caught.value.retry_after == pytest.approx(30.0)
    limits.charge(bob, "read")
    limits.charge(ann, "run")
    for caller in (ann, LOCAL, NOBODY):
        for _ in range(5):
            limits.charge(caller, "admin")
    for _ in range(5):
        limits.charge(LOCAL, "read")
