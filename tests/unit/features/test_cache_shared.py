"""Feature matrices of other hosts: found, checked, bounded, and never in the way."""

from __future__ import annotations

import time

import numpy as np
import pytest

from onward.features.cache import FeatureCache
from onward.features.cache_shared import SharedMatrices
from onward.storage import S3Store

KEY = "0" * 40
SHAPE = (1000, 3)


@pytest.fixture
def options(object_server):
    return object_server.options(patience_seconds=0.3)


@pytest.fixture
def host(options, tmp_path):
    def make(name, *, max_bytes=None, room=None):
        return FeatureCache(
            tmp_path / name, max_bytes=max_bytes, shared=SharedMatrices(S3Store(options), max_bytes=room)
        )

    return make


def built(cache, key=KEY, value=7.0):
    """Return the matrix, and whether it was computed here."""
    computed = []

    def fill(matrix):
        computed.append(True)
        matrix[:] = value

    matrix = cache.build(key, SHAPE, np.float32, fill)
    return matrix, bool(computed)


def test_what_one_host_computed_others_map(host, options):
    assert built(host("a"))[1]
    matrix, computed = built(host("b"))
    assert not computed
    assert isinstance(matrix, np.memmap)
    assert (matrix == 7.0).all()
    with_own = host("b")
    S3Store(options).delete([info.name for info in S3Store(options).list("features/")])
    assert not built(with_own)[1], "the directory comes first"


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-5], lambda c: c[:-1] + b"\x01", lambda _: b"", lambda c: c + b"x"]
)
def test_a_damaged_entry_is_passed_over_and_replaced(host, options, damage):
    built(host("a"))
    store = S3Store(options)
    (entry,) = store.list("features/")
    store.write(entry.name, damage(store.read(entry.name)[0]))
    matrix, computed = built(host("b"))
    assert computed
    assert (matrix == 7.0).all()
    assert not built(host("c"))[1]


def test_entries_that_are_none_are_not_looked_at(host, options):
    store = S3Store(options)
    for name in (f"{KEY}.npy", f"{KEY}.a.b.npy", f"{KEY}.abc.txt", f"{KEY}.a-b.npy"):
        store.write(f"features/{name}", b"x")
    assert built(host("a"))[1]


def test_the_room_of_the_store_is_kept_and_too_large_ones_stay_at_home(host, options):
    size = 4 * 3 * 1000 + 128
    for number in range(4):
        built(host("a", room=2 * size), key=f"{number:040d}")
        time.sleep(1.01 if number == 1 else 0)  # the clock of the store counts seconds
    held = [info.name.split("/")[1].split(".")[0] for info in S3Store(options).list("features/")]
    assert held == [f"{number:040d}" for number in (2, 3)]
    built(host("b", room=size - 1), key="9" * 40)
    assert len(S3Store(options).list("features/")) == 2


def test_the_limit_of_the_directory_holds_for_what_comes_from_elsewhere(host):
    built(host("a"))
    _, computed = built(host("b", max_bytes=1000))
    assert computed, "there is no room for it here"
    built(host("c", max_bytes=13_000), key="1" * 40)
    assert not built(host("c", max_bytes=13_000))[1]
    assert host("c").stats().n_entries == 1


def test_a_store_that_is_away_costs_one_warning_and_a_moment(host, object_server, caplog):
    cache = host("a")
    with object_server.fault("busy"):
        assert built(cache)[1]
        began, before = time.monotonic(), object_server.requests()
        assert built(cache, key="1" * 40)[1]
        assert object_server.requests() == before, "it is passed over for a while"
        assert time.monotonic() - began < 2
    assert len([r for r in caplog.records if "passed over" in r.message and r.levelname == "WARNING"]) == 1
    with object_server.fault("deny"):
        assert built(host("b"), key="2" * 40)[1]


def test_without_room_nothing_is_asked(host, object_server):
    before = object_server.requests()
    assert built(host("a", max_bytes=0))[1]
    assert object_server.requests() == before
