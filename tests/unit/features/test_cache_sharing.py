"""The cache among several processes, and at its limit."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from onward.errors import ConfigError
from onward.features.cache import FeatureCache
from onward.storage.file_locks import held_alone, hold_for_reading, is_held, remove_unless_held
from tests.unit.features.cache_entries import SHAPE, SIZE, age, keys, put


def test_the_least_recently_used_entries_go_first(tmp_path):
    cache = FeatureCache(tmp_path, max_bytes=3 * SIZE)
    for number, key in enumerate("abc"):
        put(cache, key)
        age(tmp_path, key, 1_000 - number)
    assert cache.get("a") is not None  # used just now, so b is the oldest
    put(cache, "d")
    assert keys(tmp_path) == ["a", "c", "d"]
    assert cache.stats().n_bytes <= 3 * SIZE


def test_being_used_is_noted_without_touching_the_time_of_writing(tmp_path):
    cache = FeatureCache(tmp_path)
    put(cache, "a")
    age(tmp_path, "a", 5_000)
    (path,) = tmp_path.glob("*.npy")
    written = path.stat().st_mtime_ns
    cache.get("a")
    assert path.stat().st_mtime_ns == written
    assert time.time() - cache.stats().last_used[1] < 60


def test_an_entry_that_is_mapped_is_never_removed(tmp_path, caplog):
    cache = FeatureCache(tmp_path, max_bytes=SIZE)
    view = put(cache, "a", 4.0)[3:, :1]  # a view keeps the map, and so the entry
    assert cache.stats().n_in_use == 1
    kept = put(cache, "b", 5.0)
    assert not isinstance(kept, np.memmap)
    assert (kept == 5.0).all()
    assert "do not fit the limit" in caplog.text
    removal = cache.clear()
    assert (removal.n_entries, removal.n_in_use) == (0, 1)
    assert keys(tmp_path) == ["a"]
    assert (view == 4.0).all()
    del view
    assert cache.stats().n_in_use == 0
    assert isinstance(put(cache, "b", 5.0), np.memmap)
    assert keys(tmp_path) == ["b"]


def test_an_entry_mapped_by_another_process_stays_until_that_process_is_killed(tmp_path):
    cache = FeatureCache(tmp_path)
    put(cache, "a")
    script = (
        "import sys, time\nfrom onward.features.cache import FeatureCache\n"
        "matrix = FeatureCache(sys.argv[1]).get('a')\nprint('mapped', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout.readline().strip() == "mapped"
        stats = cache.stats()
        assert (stats.n_in_use, stats.n_entries) == (1, 1)
        assert stats.bytes_in_use == stats.n_bytes
        assert cache.clear().n_entries == 0
        reader.send_signal(signal.SIGKILL)
    removal = cache.clear()
    assert (removal.n_entries, removal.n_in_use, cache.stats().n_entries) == (1, 0, 0)


def _build_slowly(directory: str, seconds: float, counter: str) -> float:
    def fill(matrix: np.ndarray) -> None:
        with Path(counter).open("a", encoding="ascii") as file:
            file.write("x")
        time.sleep(seconds)
        matrix[:] = 2.0

    return float(FeatureCache(directory).build("key", SHAPE, np.float64, fill).sum())


def test_two_processes_that_need_the_same_entry_build_it_once(tmp_path):
    counter = tmp_path / "counter"
    directory = tmp_path / "cache"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        sums = pool.starmap(_build_slowly, [(str(directory), 1.0, str(counter))] * 2)
    assert sums == [2.0 * 500 * 2] * 2
    assert counter.read_text() == "x"
    assert [path.suffix for path in directory.iterdir()] == [".npy"]


def test_threads_that_need_the_same_entry_build_it_once(tmp_path):
    counter = tmp_path / "counter"
    results: list[float] = []
    threads = [
        threading.Thread(target=lambda: results.append(_build_slowly(str(tmp_path / "c"), 0.2, str(counter))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [2_000.0] * 3
    assert counter.read_text() == "x"


def test_after_the_timeout_the_entry_is_computed_all_the_same(tmp_path, caplog):
    cache = FeatureCache(tmp_path, lock_timeout=0.1)
    with held_alone(tmp_path / "key.lock", 0.0) as held:
        assert held
        assert (put(cache, "key", 3.0) == 3.0).all()
    assert "may be computed twice" in caplog.text
    assert keys(tmp_path) == ["key"]


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from onward.storage.file_locks import held_alone\n"
        "with held_alone(Path(sys.argv[1]), 0.0):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    lock = tmp_path / "key.lock"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout.readline().strip() == "held"
        with held_alone(lock, 0.05) as held:
            assert not held
        owner.send_signal(signal.SIGKILL)
    with held_alone(lock, 0.0) as held:
        assert held
    assert not lock.exists()


def test_a_lock_that_cannot_be_written_does_not_stop_the_work(tmp_path):
    with held_alone(tmp_path / "absent" / "key.lock", 1.0) as held:
        assert not held


def test_a_failed_computation_lets_go_of_its_lock(tmp_path):
    cache = FeatureCache(tmp_path, lock_timeout=0.0)

    def fail(_matrix: np.ndarray) -> None:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        cache.build("key", SHAPE, np.float64, fail)
    assert list(tmp_path.iterdir()) == []
    assert isinstance(put(cache, "key"), np.memmap)


def test_readers_share_and_a_removed_file_cannot_be_held(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"x")
    first, second = hold_for_reading(file), hold_for_reading(file)
    assert is_held(file)
    os.close(first)
    assert not remove_unless_held(file)
    os.close(second)
    assert not is_held(file)
    assert remove_unless_held(file)
    assert hold_for_reading(file) is None
    assert not is_held(file)
    assert not remove_unless_held(file)


def test_what_killed_writers_left_is_swept_once_it_is_old(tmp_path):
    cache = FeatureCache(tmp_path)
    put(cache, "a")
    for name, seconds in (("old", 7_200), ("fresh", 0)):
        part = tmp_path / f"{name}.1.part"
        part.write_bytes(b"x" * 100)
        os.utime(part, (time.time() - seconds,) * 2)
    assert cache.stats().n_unfinished == 2
    assert cache.stats().n_bytes > 200
    cache.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["fresh.1.part"]


def test_an_entry_beyond_the_limit_stays_in_memory(tmp_path, caplog):
    matrix = put(FeatureCache(tmp_path, max_bytes=100), "a", 6.0)
    assert (matrix == 6.0).all()
    assert keys(tmp_path) == []
    assert "the matrix stays in memory" in caplog.text


def test_without_a_limit_nothing_is_removed(tmp_path):
    cache = FeatureCache(tmp_path, max_bytes=None)
    for key in "abcd":
        put(cache, key)
    assert len(keys(tmp_path)) == 4
    assert cache.stats().max_bytes is None


def test_a_limit_of_nothing_switches_the_cache_off(tmp_path, caplog):
    kept = put(FeatureCache(tmp_path), "a", 6.0)
    cache = FeatureCache(tmp_path, max_bytes=0)
    assert (put(cache, "a", 7.0) == 7.0).all()
    assert not cache.holds("a")
    assert (kept == 6.0).all()
    assert keys(tmp_path) == ["a"]
    assert caplog.text == ""


def test_what_the_system_will_not_remove_is_told_apart_from_what_is_in_use(tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path)
    held = put(cache, "a")
    put(cache, "b")
    monkeypatch.setattr("onward.features.cache_room.remove_unless_held", lambda _: False)
    removal = cache.clear()
    assert (removal.n_entries, removal.n_in_use, removal.n_refused) == (0, 1, 1)
    assert held.any()


def test_clearing_while_another_process_builds_harms_neither(tmp_path):
    counter, directory = tmp_path / "counter", tmp_path / "cache"
    cache = FeatureCache(directory)
    put(cache, "old")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        running = pool.starmap_async(_build_slowly, [(str(directory), 0.5, str(counter))] * 2)
        n_removed = 0
        while not running.ready():
            n_removed += cache.clear().n_entries
            assert cache.stats().n_in_use <= 2
            time.sleep(0.002)
        assert running.get() == [2.0 * 500 * 2] * 2
    assert n_removed >= 1
    assert {path.suffix for path in directory.iterdir()} <= {".npy"}


@pytest.mark.parametrize("wrong", [{"max_bytes": -1}, {"lock_timeout": -0.5}, {"lock_timeout": float("nan")}])
def test_wrong_limits_are_refused(tmp_path, wrong):
    with pytest.raises(ConfigError, match="negative"):
        FeatureCache(tmp_path, **wrong)
