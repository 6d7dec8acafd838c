"""Publishing with real processes, real kills and real disks that are full."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from onward.database import reading, writing
from onward.errors import RegistryError, StorageError
from onward.registry import EmbeddedRegistry, verify_bundle
from onward.registry.placement import Placement
from onward.testing.registry import stage_bundle

OPEN = """
import sys, time
from pathlib import Path
from onward.database import open_database, upgrade, writing
from onward.registry import EmbeddedRegistry, RunStore
from onward.registry.runvalues import RunRecord
from onward.testing.registry import stage_bundle
home = Path(sys.argv[1])
engine = open_database(f"sqlite:///{home}/onward.db")
upgrade(engine)
registry = EmbeddedRegistry(engine, home / "models")
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OPEN + code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def places(tmp_path: Path) -> list[str]:
    models = tmp_path / "models"
    return sorted(p.relative_to(models).as_posix() for p in models.glob("[a-z]*/*"))


def test_processes_at_once_get_versions_and_counts_of_their_own(
    registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    code = """
me = int(sys.argv[2])
store = RunStore(engine)
runs = [store.record(RunRecord("train", {}, f"{me}-{n}", "data", "family")) for n in range(5)]
print("ready", flush=True)
sys.stdin.readline()
for n, run in enumerate(runs):
    staged = home / f"staged-{me}-{n}"
    stage_bundle(staged, seed=100 * me + n)
    print(registry.publish(staged).number, store.mark_looked_at(run.id))
"""
    processes = [start(code, tmp_path, me) for me in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [err for _, err in outputs] == ["", ""]
    words = [[int(word) for word in out.split()] for out, _ in outputs]
    numbers, counts = [mine[0::2] for mine in words], [mine[1::2] for mine in words]
    assert sorted(itertools.chain(*numbers)) == list(range(1, 11))
    assert all(mine == sorted(mine) for mine in numbers)
    assert sorted(itertools.chain(*counts)) == list(range(1, 11))
    versions = registry.list_versions("btc-1h")
    assert len({version.digest for version in versions}) == 10
    for version in versions:
        registry.open(version.ref)


KILLED_AT = {
    "after placing": """
registry.place(staged)
print("here", flush=True); time.sleep(60)
""",
    "inside the transaction": """
placed = registry.place(staged)
with writing(engine) as connection:
    registry.insert(connection, placed)
    print("here", flush=True); time.sleep(60)
""",
}


def test_a_version_prints_in_a_line_without_its_manifest(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "staged")
    shown = repr(registry.publish(tmp_path / "staged"))
    assert "number=1" in shown
    assert "manifest" not in shown


@pytest.mark.parametrize("point", KILLED_AT)
def test_a_kill_between_placing_and_committing_leaves_no_version(
    registry: EmbeddedRegistry, tmp_path: Path, point: str
) -> None:
    first = stage_bundle(tmp_path / "first", seed=1)
    registry.publish(tmp_path / "first")
    staging = 'staged = home / "staged"; stage_bundle(staged, seed=2)\n'
    process = start(staging + KILLED_AT[point], tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL

    assert [version.number for version in registry.list_versions("btc-1h")] == [1]
    assert len(places(tmp_path)) == 2
    assert registry.sweep_orphans() == (), "it is young: a publisher may be at work"
    (swept,) = registry.sweep_orphans(older_than_hours=0)
    assert swept.parent.name == "btc-1h"
    assert places(tmp_path) == [f"btc-1h/{first.digest[:16]}"]
    stage_bundle(tmp_path / "again", seed=2)
    assert registry.publish(tmp_path / "again").number == 2
    registry.open("btc-1h/1")


def test_a_version_appears_with_the_transaction_it_joins(
    registry: EmbeddedRegistry, engine: Engine, tmp_path: Path
) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE jobs (id INTEGER PRIMARY KEY, state TEXT)"))
        connection.execute(text("INSERT INTO jobs VALUES (1, 'running')"))
    stage_bundle(tmp_path / "staged")
    placed = registry.place(tmp_path / "staged")

    def finish(*, fails: bool) -> None:
        with writing(engine) as connection:
            connection.execute(text("UPDATE jobs SET state = 'succeeded'"))
            assert registry.insert(connection, placed).number == 1
            if fails:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        finish(fails=True)
    assert registry.list_models() == ()
    finish(fails=False)
    assert registry.resolve("btc-1h/latest").manifest == placed.manifest
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT state FROM jobs")) == "succeeded"


def test_a_placed_bundle_that_was_swept_is_not_published(
    registry: EmbeddedRegistry, engine: Engine, tmp_path: Path
) -> None:
    stage_bundle(tmp_path / "staged")
    placed = registry.place(tmp_path / "staged")
    registry.sweep_orphans(older_than_hours=0)

    def insert() -> None:
        with writing(engine) as connection:
            registry.insert(connection, placed)

    with pytest.raises(StorageError, match="placed bundle is gone"):
        insert()
    assert registry.list_models() == ()


def test_a_refusing_database_gives_the_bundle_back(
    registry: EmbeddedRegistry, engine: Engine, tmp_path: Path
) -> None:
    with writing(engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    def fill() -> None:
        for number in range(50):
            stage_bundle(tmp_path / "staged", seed=number)
            registry.publish(tmp_path / "staged")

    with pytest.raises(StorageError, match="disk is full"):
        fill()
    published = len(registry.list_versions("btc-1h")) if registry.list_models() else 0
    assert verify_bundle(tmp_path / "staged").plan_hash == f"{published:064x}"
    assert len(places(tmp_path)) == published


def test_sweeping_leaves_what_is_not_ours(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "staged")
    registry.publish(tmp_path / "staged")
    models = tmp_path / "models"
    (models / "btc-1h" / "my notes").mkdir()
    (models / "btc-1h" / "readme.txt").write_text("mine")
    (models / ".git" / "0123456789abcdef").mkdir(parents=True)
    for leftover in (
        ".staging/import",
        ".trash/deleted",
        "btc-1h/.0123456789abcdef.draft",
        "old/0123456789abcdef",
    ):
        (models / leftover).mkdir(parents=True)
    swept = registry.sweep_orphans(older_than_hours=0)
    assert sorted(path.relative_to(models).as_posix() for path in swept) == [
        ".staging/import",
        ".trash/deleted",
        "btc-1h/.0123456789abcdef.draft",
        "old/0123456789abcdef",
    ]
    assert (models / "btc-1h" / "my notes").is_dir()
    assert (models / "btc-1h" / "readme.txt").exists()
    assert (models / ".git" / "0123456789abcdef").is_dir()
    registry.open("btc-1h/1")


def test_an_orphan_that_is_published_while_sweeping_stays(
    registry: EmbeddedRegistry, engine: Engine, tmp_path: Path
) -> None:
    stage_bundle(tmp_path / "staged")
    placed = registry.place(tmp_path / "staged")

    class Late(Placement):
        def orphans(self, referenced: set[str], before: float) -> Iterator[Path]:
            for orphan in super().orphans(referenced, before):
                with writing(engine) as connection:
                    registry.insert(connection, placed)
                yield orphan

    sweeper = EmbeddedRegistry(engine, tmp_path / "models")
    sweeper._placement = Late(tmp_path / "models")
    assert sweeper.sweep_orphans(older_than_hours=0) == ()
    registry.open("btc-1h/1")


def test_publishing_heals_a_damaged_place(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "staged")
    version = registry.publish(tmp_path / "staged")
    (version.directory / "model" / "model.txt").write_text("damaged")
    stage_bundle(tmp_path / "again")
    assert registry.publish(tmp_path / "again") == version
    registry.open(version.ref)


def test_publishing_across_file_systems(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    if not Path("/dev/shm").is_dir() or os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:  # noqa: PTH116
        pytest.skip("there is no second file system to try")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        staged = Path(elsewhere) / "staged"
        manifest = stage_bundle(staged)
        registry.publish(staged)
        assert not staged.exists()
    assert verify_bundle(registry.open("btc-1h/1")) == manifest


def test_a_full_disk_while_publishing(engine: Engine, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        registry = EmbeddedRegistry(engine, small / "models")
        manifest = stage_bundle(tmp_path / "staged", model_bytes=3_000_000)
        with pytest.raises(StorageError, match="No space left"):
            registry.publish(tmp_path / "staged")
        assert verify_bundle(tmp_path / "staged") == manifest
        assert registry.list_models() == ()
        assert not list((small / "models").glob("*/*"))
        with pytest.raises(StorageError, match="nothing was left half-written"):
            stage_bundle(small / "bundle", model_bytes=3_000_000)
        assert not list(small.glob("bundle*"))
        stage_bundle(small / "bundle")
        registry.publish(small / "bundle")
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    code = """
import resource
from onward.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    stage_bundle(home / "bundle", model_bytes=3_000_000)
except StorageError as error:
    print(error.remedy)
"""
    out, err = start(code, tmp_path).communicate(timeout=60)
    assert (out, err) == (
        "Free some space (or raise the quota) and try again; nothing was left half-written.\n",
        "",
    )
    assert not list(tmp_path.glob("*bundle*"))


def test_a_directory_that_cannot_be_written(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file in the way")
    manifest = stage_bundle(tmp_path / "staged")
    with pytest.raises(StorageError, match="publish the bundle"):
        registry.publish(tmp_path / "staged")
    assert verify_bundle(tmp_path / "staged") == manifest


def test_a_deleted_directory_is_named(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "staged")
    version = registry.publish(tmp_path / "staged")
    shutil.rmtree(version.directory)
    with pytest.raises(RegistryError, match="no model bundle here"):
        registry.open(version.ref)


def test_a_whole_bundle_in_anothers_place_is_refused(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "staged")
    version = registry.publish(tmp_path / "staged")
    shutil.rmtree(version.directory)
    stage_bundle(version.directory, seed=666)
    with pytest.raises(RegistryError, match="not the one that was published"):
        registry.open(version.ref)


def test_a_killed_import_leaves_nothing_visible(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "staged")
    registry.publish(tmp_path / "staged")
    registry.export_version("btc-1h/1", tmp_path / "export")
    code = """
from onward.registry import store
def stop(*arguments):
    print("here", flush=True); time.sleep(60)
registry.publish = stop
registry.import_version(home / "export", "twin")
"""
    process = start(code, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.kill()
    process.communicate(timeout=30)
    assert [model.name for model in registry.list_models()] == ["btc-1h"]
    assert len(registry.sweep_orphans(older_than_hours=0)) == 1
    assert not list(Placement(tmp_path / "models").staging.iterdir())
