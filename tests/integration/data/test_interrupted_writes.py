"""A store survives a killed process, a full disk and a second writer: real ones."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

from onward.data.repositories import ParquetCandleRepository
from onward.data.repositories.files import locked
from onward.errors import StorageError
from onward.testing.repositories import rows_of

SYMBOL = "BTC/USDT"


def grown(rows):
    """Return the same bars with more volume, as if they had been unfinished before."""
    return rows.assign(volume=rows["volume"] + 1.0)


def child(code, *arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


WRITER = """
    import sys, time
    from onward.data.repositories import ParquetCandleRepository, files
    from onward.testing.repositories import rows_of

    root, stop_before = sys.argv[1:3]
    written = files.write_atomically

    def slow(path, data):
        # the worst moments: before a new file, and before the manifest that makes it count
        if stop_before in path.name:
            print("here", flush=True)
            time.sleep(60)
        written(path, data)

    files.write_atomically = slow
    rows = rows_of("candles", 96)
    ParquetCandleRepository(root, "1h").upsert("BTC/USDT", rows.assign(volume=rows["volume"] + 1.0))
"""


@pytest.mark.parametrize("moment", ["2020-", "manifest.next"])
def test_a_killed_import_leaves_the_old_rows_and_the_next_one_completes(tmp_path, moment):
    repository = ParquetCandleRepository(tmp_path, "1h", lock_timeout_seconds=5)
    repository.upsert(SYMBOL, rows_of("candles", 96)[:60])
    before = repository.read(SYMBOL)

    process = child(WRITER, tmp_path, moment)
    assert process.stdout.readline() == "here\n", process.stderr.read()
    assert len(list(tmp_path.rglob("*.parquet"))) > 2  # something new is on disk already
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL

    pd.testing.assert_frame_equal(repository.read(SYMBOL), before)
    report = repository.upsert(SYMBOL, grown(rows_of("candles", 96)))
    assert (report.added, report.replaced) == (36, 60)
    assert len(list(tmp_path.rglob("*.parquet"))) == 2  # the orphans of the killed one are gone
    assert not list(tmp_path.rglob("*.tmp"))


REPEATER = """
    import sys
    from onward.data.repositories import ParquetCandleRepository
    from onward.testing.repositories import rows_of

    rows = rows_of("candles", 96)
    repository = ParquetCandleRepository(sys.argv[1], "1h")
    print("go", flush=True)
    for i in range(1, 100_000):
        repository.upsert("BTC/USDT", rows.assign(volume=rows["volume"] + i))
"""


def test_rows_are_whole_whenever_a_writer_is_killed_and_while_it_writes(tmp_path):
    rows = rows_of("candles", 96)
    repository = ParquetCandleRepository(tmp_path, "1h", lock_timeout_seconds=5)
    repository.upsert(SYMBOL, rows)
    chance = random.Random(5)
    for _ in range(2):
        process = child(REPEATER, tmp_path)
        assert process.stdout.readline() == "go\n", process.stderr.read()
        until = time.monotonic() + chance.uniform(0.1, 0.4)
        while time.monotonic() < until:
            _one_state(repository.read(SYMBOL), rows)
        process.kill()
        process.communicate()
        _one_state(repository.read(SYMBOL), rows)


def _one_state(read, rows):
    """All rows of one write, both years: never a mixture of two writes."""
    more = (read["volume"] - rows["volume"]).round(6).unique()
    assert len(read) == len(rows)
    assert len(more) == 1


FULL = """
    import resource, sys
    from onward.data.repositories import ParquetCandleRepository
    from onward.errors import StorageError
    from onward.testing.repositories import rows_of

    root, limit = sys.argv[1], int(sys.argv[2])
    rows = rows_of("candles", 96)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        ParquetCandleRepository(root, "1h").upsert("BTC/USDT", rows.assign(volume=rows["volume"] + 1.0))
    except StorageError as error:
        print(error)
        sys.exit(error.exit_code)
"""


def test_a_full_disk_is_an_error_that_loses_nothing(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    repository.upsert(SYMBOL, rows_of("candles", 96)[:60])
    before, files = repository.read(SYMBOL), sorted(tmp_path.rglob("*"))
    process = child(FULL, tmp_path, 3_000)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert "The disk is full" in output
    assert "what was stored before is untouched" in output
    pd.testing.assert_frame_equal(repository.read(SYMBOL), before)
    assert sorted(tmp_path.rglob("*")) == files


def test_a_second_writer_waits_and_then_gives_up_with_a_reason(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h", lock_timeout_seconds=0.1)
    repository.upsert(SYMBOL, rows_of("candles", 10))
    directory = next(tmp_path.rglob("manifest.json")).parent
    with (
        locked(directory, timeout_seconds=1),
        pytest.raises(StorageError, match="Another process is writing"),
    ):
        repository.upsert(SYMBOL, rows_of("candles", 20))
    assert repository.upsert(SYMBOL, rows_of("candles", 20)).added == 10


PARALLEL = """
    import sys
    from onward.data.repositories import ParquetCandleRepository
    from onward.testing.repositories import rows_of

    rows = rows_of("candles", 96)[int(sys.argv[2]) : 20 : 2]
    repository = ParquetCandleRepository(sys.argv[1], "1h")
    for i in range(len(rows)):
        repository.upsert("BTC/USDT", rows[i : i + 1])
"""


def test_writers_in_parallel_lose_no_row(tmp_path):
    processes = [child(PARALLEL, tmp_path, i) for i in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    read = ParquetCandleRepository(tmp_path, "1h").read(SYMBOL)
    np.testing.assert_array_equal(read["close"], rows_of("candles", 96)["close"][:20])


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_store_says_which_file(tmp_path, damage):
    repository = ParquetCandleRepository(tmp_path, "1h")
    repository.upsert(SYMBOL, rows_of("candles", 10))
    path = next(tmp_path.rglob("2019-*.parquet"))
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(StorageError, match=path.name) as caught:
        repository.read(SYMBOL)
    assert "import" in str(caught.value)


def test_a_damaged_manifest_says_so(tmp_path):
    repository = ParquetCandleRepository(tmp_path, "1h")
    repository.upsert(SYMBOL, rows_of("candles", 10))
    next(tmp_path.rglob("manifest.json")).write_text("{")
    with pytest.raises(StorageError, match="manifest of the store is damaged"):
        repository.read(SYMBOL)


def test_a_root_that_is_a_file_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="refused"):
        ParquetCandleRepository(tmp_path / "file", "1h").upsert(SYMBOL, rows_of("candles", 3))
