"""The cache on disks that are full, damaged or refuse."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from onward.features.cache import FeatureCache
from tests.unit.features.cache_entries import keys, put


def _is_device(path: str) -> bool:
    return Path(path).is_char_device()


def test_a_cache_that_cannot_be_written_warns_once(tmp_path, caplog):
    cache = FeatureCache(tmp_path, max_bytes=100)
    for number, key in enumerate("abc"):
        assert (put(cache, key, float(number)) == number).all()
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "is computed again next time" in warnings[0].getMessage()


def test_a_full_disk_first_costs_old_entries(tmp_path, monkeypatch, caplog):
    cache = FeatureCache(tmp_path)
    put(cache, "old")
    save = np.save

    def full_while_old_is_there(*args, **kwargs):
        if "old" in keys(tmp_path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(*args, **kwargs)

    monkeypatch.setattr(np, "save", full_while_old_is_there)
    assert isinstance(put(cache, "new"), np.memmap)
    assert keys(tmp_path) == ["new"]
    assert caplog.text == ""


def test_a_write_that_the_system_refuses_midway_costs_speed_only(tmp_path):
    script = (
        "import logging, resource, sys\nimport numpy as np\n"
        "from onward.features.cache import FeatureCache\n"
        "logging.basicConfig(level=logging.WARNING)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))\n"
        "matrix = FeatureCache(sys.argv[1]).build('a', (500, 2), np.float64, lambda out: out.fill(8.0))\n"
        "print(matrix.sum())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == 8_000.0
    assert "cannot be written" in done.stderr
    assert "the matrix stays in memory" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not _is_device("/dev/full"), reason="no device /dev/full on this system")
def test_a_disk_that_is_really_full_costs_speed_only(tmp_path, monkeypatch, caplog):
    fdopen = os.fdopen

    def onto_a_full_device(handle, mode):
        if mode != "wb":
            return fdopen(handle, mode)
        os.close(handle)
        return fdopen(os.open("/dev/full", os.O_WRONLY), mode)  # never made, never cut

    monkeypatch.setattr("onward.features.cache.os.fdopen", onto_a_full_device)
    matrix = put(FeatureCache(tmp_path), "a", 8.0)
    assert (matrix == 8.0).all()
    assert "No space left on device" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_an_empty_or_absent_directory_has_nothing(tmp_path):
    cache = FeatureCache(tmp_path / "absent")
    stats = cache.stats()
    assert (stats.n_entries, stats.n_bytes, stats.last_used) == (0, 0, None)
    assert cache.clear().n_entries == 0


def test_an_entry_that_cannot_be_read_is_computed_anew(tmp_path):
    cache = FeatureCache(tmp_path)
    put(cache, "a")
    (path,) = tmp_path.glob("*.npy")
    path.rename(tmp_path / "a.000000000000000000000000.npy")
    assert (put(cache, "a", 9.0) == 9.0).all()
    assert len(keys(tmp_path)) == 1


def test_a_directory_where_an_entry_should_be_is_passed_over(tmp_path, caplog):
    stray = tmp_path / "a.000000000000000000000000.npy"
    (stray / "inside").mkdir(parents=True)
    cache = FeatureCache(tmp_path, max_bytes=100_000)
    assert not cache.holds("a")
    assert (put(cache, "a", 9.0) == 9.0).all()
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "no sound entry and cannot be removed" in warnings[0]
    assert "remove it by hand" in warnings[0]
    assert isinstance(put(cache, "a", 1.0), np.memmap)  # the sound entry beside it is found
    assert (put(cache, "a", 1.0) == 9.0).all()
    assert cache.stats().n_entries == 1
    cache.clear()
    assert (stray / "inside").is_dir()


def test_a_directory_in_the_very_place_of_an_entry_costs_speed_only(tmp_path, caplog):
    cache = FeatureCache(tmp_path)
    put(cache, "a", 9.0)
    (path,) = tmp_path.glob("*.npy")
    path.unlink()
    (path / "inside").mkdir(parents=True)
    for _ in range(2):
        assert (put(cache, "a", 9.0) == 9.0).all()
    assert "cannot be written" in caplog.text
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_in_the_place_of_the_lock_costs_nothing(tmp_path):
    (tmp_path / "a.lock").mkdir()
    assert (put(FeatureCache(tmp_path), "a", 9.0) == 9.0).all()
    assert len(keys(tmp_path)) == 1


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o555])
@pytest.mark.parametrize("damaged", [False, True])
def test_a_cache_without_permission_costs_speed_only(mode, damaged):
    script = (
        "import logging, os, sys\nimport numpy as np\n"
        "from onward.features.cache import FeatureCache\n"
        "logging.basicConfig(level=logging.WARNING)\n"
        "if os.geteuid() == 0:\n    os.seteuid(65534)\n"
        "cache = FeatureCache(sys.argv[1])\n"
        "matrix = cache.build('a', (500, 2), np.float64, lambda out: out.fill(8.0))\n"
        "print(matrix.sum(), cache.stats().n_entries, cache.clear().n_entries, cache.holds('a'))\n"
    )
    with tempfile.TemporaryDirectory() as outer:
        directory = Path(outer) / "cache"
        put(FeatureCache(directory), "a", 8.0)
        (path,) = directory.glob("*.npy")
        path.chmod(0o644)
        if damaged:
            path.write_bytes(b"nothing")
        Path(outer).chmod(0o755)
        directory.chmod(mode)
        try:
            done = subprocess.run(
                [sys.executable, "-c", script, str(directory)], capture_output=True, text=True, check=True
            )
        finally:
            directory.chmod(0o755)
        assert path.exists()
    total, _, removed, _ = done.stdout.split()
    assert (float(total), removed) == (8_000.0, "0")
    if damaged and mode == 0o555:
        assert "cannot be removed" in done.stderr
    assert ("the matrix stays in memory" in done.stderr) == (damaged or mode != 0o555)
