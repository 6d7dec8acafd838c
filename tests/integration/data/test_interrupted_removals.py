"""Rows that are removed are gone or there, never half: whoever is killed, whatever is full or damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from onward.data.repositories import DataStore, ParquetCandleRepository, files, removing
from onward.data.repositories.files import locked
from onward.errors import DataNotFoundError, StorageError
from onward.testing.repositories import rows_of

SYMBOL = "BTC/USDT"
ROWS = rows_of("candles", 96)
PART = {"start": ROWS["timestamp"].iloc[20], "end": ROWS["timestamp"].iloc[40]}

SCENES = {
    ("part", "before the manifest"): False,
    ("part", "before the rename"): False,
    ("part", "after the rename"): True,
    ("part", "before the sweep"): True,
    ("whole", "before the rename"): False,
    ("whole", "before the sweep"): True,
}
"""What is removed, where the process dies, and whether the rows are gone then."""

DYING = """
    import json, os, signal, sys
    from onward.data.repositories import ParquetCandleRepository, files, removing
    from onward.testing.repositories import rows_of

    POINTS = {
        "before the manifest": (files, "draft_manifest"),
        "before the rename": (removing.FileRemoval, "swap"),
        "after the rename": (removing.FileRemoval, "__exit__"),
        "before the sweep": (files, "sweep"),
    }
    times = rows_of("candles", 96)["timestamp"]
    for root, part, point in json.loads(sys.argv[1]):
        child = os.fork()
        if child == 0:
            setattr(*POINTS[point], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
            span = {"start": times.iloc[20], "end": times.iloc[40]} if part == "part" else {}
            ParquetCandleRepository(root, "1h").remove("BTC/USDT", **span)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, point
"""


@pytest.fixture
def repository(tmp_path: Path) -> ParquetCandleRepository:
    repository = ParquetCandleRepository(tmp_path, "1h", lock_timeout_seconds=5)
    repository.upsert(SYMBOL, ROWS)
    return repository


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """A store for each scene, after its process died."""
    roots = {scene: tmp_path_factory.mktemp("dying") for scene in SCENES}
    for root in roots.values():
        ParquetCandleRepository(root, "1h").upsert(SYMBOL, ROWS)
    orders = json.dumps([(str(root), *scene) for scene, root in roots.items()])
    code = [sys.executable, "-c", textwrap.dedent(DYING), orders]
    subprocess.run(code, check=True, timeout=60, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return roots


@pytest.mark.parametrize("scene", SCENES, ids=" ".join)
def test_a_killed_removal_has_happened_or_not(
    scenes: dict[tuple[str, str], Path], scene: tuple[str, str]
) -> None:
    (part, _), gone = scene, SCENES[scene]
    repository = ParquetCandleRepository(scenes[scene], "1h", lock_timeout_seconds=5)
    span = PART if part == "part" else {}
    left = ROWS.drop(index=range(20, 40)).reset_index(drop=True) if part == "part" else ROWS[:0]
    read = repository.read(SYMBOL)
    assert list(read["timestamp"]) == list((left if gone else ROWS)["timestamp"])
    assert repository.symbols() == ([] if gone and part == "whole" else [SYMBOL])
    if not gone:
        assert repository.remove(SYMBOL, **span).rows == (20 if part == "part" else 96)
    repository.upsert(SYMBOL, ROWS)
    pd.testing.assert_frame_equal(repository.read(SYMBOL), ROWS)
    assert len(list(repository.root.rglob("*.parquet"))) == 2, "what the dead one left is swept"
    assert not list(repository.root.rglob("*.tmp"))


def test_a_removal_leaves_no_file_behind(repository: ParquetCandleRepository) -> None:
    repository.remove(SYMBOL, **PART)
    assert len(list(repository.root.rglob("*.parquet"))) == 2
    repository.remove(SYMBOL)
    assert [path.name for path in repository.root.rglob("*") if path.is_file()] == [files.LOCK]
    store = DataStore(repository.root)
    assert (store.timeframes(), store.coverage()) == ([], [])


def test_a_series_that_is_not_there_leaves_no_directory(repository: ParquetCandleRepository) -> None:
    for symbol in ("NO/PE", "../etc"):
        with pytest.raises(DataNotFoundError, match="No such series"):
            repository.remove(symbol)
    assert len(list((repository.root / "candles").iterdir())) == 1


def test_rows_that_an_import_has_not_decided_about_are_taken_back_first(
    repository: ParquetCandleRepository,
) -> None:
    more = rows_of("candles", 120)
    prepared = repository.prepare(SYMBOL, more)
    prepared.swap()
    prepared.leave()  # as a server that dies does
    assert len(repository.read(SYMBOL)) == 120
    assert repository.remove(SYMBOL, **PART).left == 76
    assert list(repository.read(SYMBOL)["timestamp"].iloc[[0, -1]]) == list(ROWS["timestamp"].iloc[[0, -1]])


def test_a_writer_keeps_removals_out(
    repository: ParquetCandleRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "PATIENCE_SECONDS", 0.05)
    directory = next(repository.root.rglob("manifest.json")).parent
    with (
        locked(directory, timeout_seconds=1),
        pytest.raises(StorageError, match="Another process is writing"),
    ):
        repository.remove(SYMBOL)
    with repository.prepare_removal(SYMBOL) as prepared:
        impatient = ParquetCandleRepository(repository.root, "1h", lock_timeout_seconds=0.05)
        with pytest.raises(StorageError, match="Another process is writing"):
            impatient.upsert(SYMBOL, ROWS)
        prepared.swap()
    assert impatient.upsert(SYMBOL, ROWS).added == 96


def test_a_full_disk_removes_nothing(
    repository: ParquetCandleRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    before = sorted(repository.root.rglob("*"))
    with monkeypatch.context() as patched:
        patched.setattr(files, "write_atomically", full)
        with pytest.raises(StorageError, match="The disk is full while removing rows"):
            repository.remove(SYMBOL, **PART)
    assert sorted(repository.root.rglob("*")) == before
    assert repository.remove(SYMBOL, **PART).rows == 20, "the lock is free again"


@pytest.mark.parametrize("damage", [b"garbage", None])
def test_a_damaged_series_goes_as_a_whole(repository: ParquetCandleRepository, damage: bytes | None) -> None:
    path = next(repository.root.rglob("2019-*.parquet"))
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(StorageError, match="no part can be removed"):
        repository.remove(SYMBOL, **PART)
    told = repository.removal(SYMBOL)
    assert (told.unreadable, told.rows, told.left) == (1, 66, 0)
    assert repository.remove(SYMBOL).unreadable == 1
    assert repository.symbols() == []
    assert repository.upsert(SYMBOL, ROWS).added == 96


def test_a_reader_in_the_middle_of_a_removal_sees_one_state(
    repository: ParquetCandleRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its manifest still names the files, which are gone when it opens them."""
    read, removals = files.read_manifest, ExitStack()
    removals.callback(repository.remove, SYMBOL)

    def overtaken(directory: Path) -> dict[int, str]:
        manifest = read(directory)
        monkeypatch.setattr(files, "read_manifest", read)
        removals.close()
        return manifest

    monkeypatch.setattr(files, "read_manifest", overtaken)
    assert len(repository.read(SYMBOL)) == 0
