"""Bundles in a store: whole before a row speaks of them, checked before they are handed out."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest

from onward.database import open_database, writing
from onward.errors import BundleError, RegistryNotFoundError, StorageError
from onward.registry import EmbeddedRegistry, verify_bundle
from onward.registry.remote_placement import RemotePlacement
from onward.storage import LocalCopies, S3Store, StoreAwayError
from onward.testing.registry import Workshop, stage_bundle

FILES = 7
"""Objects of a staged bundle, its manifest included."""


@pytest.fixture
def world(sqlite_template, object_server, tmp_path):
    """Return what makes a registry of a host: all share one database and one prefix."""
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    options = object_server.options(patience_seconds=1.0)
    engines = []

    def host(name):
        engines.append(open_database(f"sqlite:///{tmp_path}/onward.db"))
        places = RemotePlacement(S3Store(options), LocalCopies(tmp_path / name))
        return EmbeddedRegistry(engines[-1], places)

    yield host, S3Store(options), Workshop(tmp_path)
    for engine in engines:
        engine.dispose()


def objects(store):
    return [info.name for info in store.list("models/")]


def test_another_host_opens_what_one_published_and_needs_the_store_once(world, object_server):
    host, _, workshop = world
    here, there = host("a"), host("b")
    version = here.publish(workshop.bundle())
    opened = there.open("btc-1h/1")
    assert verify_bundle(opened).digest == version.digest
    assert (opened / "report.html").is_file()
    with object_server.fault("busy"):
        assert there.open("btc-1h/1") == opened
        with pytest.raises(StoreAwayError):
            host("c").open("btc-1h/1")
    assert host("c").open("btc-1h/1").is_dir()


@pytest.mark.parametrize("damage", ["flipped", "truncated", "longer", "missing", "manifest", "another"])
def test_damage_in_the_store_is_refused_by_name(world, damage):
    host, store, workshop = world
    host("a").publish(workshop.bundle())
    names = objects(store)
    name = next(n for n in names if n.endswith("manifest.json" if damage == "manifest" else "weights.bin"))
    content = store.read(name)[0]
    if damage == "missing":
        store.delete([name])
    elif damage == "another":
        host("a").publish(workshop.bundle(), "other")
        other = next(
            n for n in objects(store) if n.startswith("models/other/") and n.endswith("manifest.json")
        )
        name = next(n for n in names if n.endswith("manifest.json"))
        store.write(name, store.read(other)[0])
    else:
        flipped = bytes([content[0] ^ 1]) + content[1:]
        store.write(name, {"truncated": content[:-3], "longer": content + b"x"}.get(damage, flipped))
    with pytest.raises(BundleError) as caught:
        host("b").open("btc-1h/1")
    if damage != "another":
        assert name.rpartition("/")[2] in str(caught.value)
    assert ".making" not in str(caught.value)


def test_a_store_that_is_away_publishes_nothing_and_keeps_the_bundle(world, object_server):
    host, _, workshop = world
    registry, staged = host("a"), workshop.bundle()
    with object_server.fault("busy", method="PUT"), pytest.raises(StoreAwayError):
        registry.publish(staged)
    assert list(registry.list_models()) == []
    assert verify_bundle(staged)
    with object_server.fault("busy", count=1, method="PUT"):
        assert registry.publish(staged).number == 1
    registry.open("btc-1h/1")


def test_a_refused_insertion_takes_the_upload_back(world, monkeypatch):
    host, store, workshop = world
    registry, staged = host("a"), workshop.bundle()
    monkeypatch.setattr(
        registry, "insert", lambda *_: (_ for _ in ()).throw(StorageError("database is away"))
    )
    with pytest.raises(StorageError, match="away"):
        registry.publish(staged)
    assert objects(store) == []
    assert verify_bundle(staged)


PUBLISHER = """
    import sys, time
    from pathlib import Path
    from onward.database import open_database
    from onward.registry import EmbeddedRegistry
    from onward.registry.remote_placement import RemotePlacement
    from onward.storage import LocalCopies, S3Store, StoreOptions

    address, endpoint, home, staged = sys.argv[1:]

    class Slow(S3Store):
        def upload(self, file, name):
            if name.endswith("weights.bin"):
                print("here", flush=True)
                time.sleep(60)
            super().upload(file, name)

    store = Slow(StoreOptions(address, endpoint=endpoint, region="us-east-1", key="k", secret="s"))
    engine = open_database(f"sqlite:///{home}/onward.db")
    EmbeddedRegistry(engine, RemotePlacement(store, LocalCopies(home + "/dead"))).publish(Path(staged))
"""


def test_a_publisher_killed_half_way_leaves_an_orphan_that_is_swept(world, tmp_path, object_server):
    host, store, workshop = world
    staged = workshop.bundle()
    command = [str(store.address), object_server.endpoint, str(tmp_path), str(staged)]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PUBLISHER), *command], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    registry = host("a")
    registry.publish(workshop.bundle())
    assert [model.latest for model in registry.list_models()] == [1]
    assert registry.publish(staged).number == 2, "the staged bundle is whole: it is published again"
    registry.open("btc-1h/2")
    assert registry.sweep_orphans() == (), "it may belong to a publisher at work"
    orphaned = len(objects(store)) - 2 * FILES
    swept = registry.sweep_orphans(older_than_hours=-1.0)
    assert len(swept) == (orphaned > 0)
    assert len(objects(store)) == 2 * FILES
    for version in registry.list_versions("btc-1h"):
        host("b").open(version.ref)


def test_objects_go_after_the_row_and_an_interrupted_deletion_is_finished_by_the_sweep(world, object_server):
    host, store, workshop = world
    registry = host("a")
    registry.publish(workshop.bundle())
    registry.publish(workshop.bundle())
    with object_server.fault("busy", method="POST"):  # a list of deletions
        registry.delete("btc-1h/1")
    with pytest.raises(RegistryNotFoundError):
        registry.open("btc-1h/1")
    assert len(objects(store)) == 2 * FILES, "what could not be deleted is an orphan"
    assert len(registry.sweep_orphans(older_than_hours=-1.0)) == 1
    assert len(objects(store)) == FILES
    host("b").open("btc-1h/2")


def test_a_version_deleted_while_it_is_read_is_unknown_not_damaged(world, monkeypatch):
    host, _, workshop = world
    here, there = host("a"), host("b")
    here.publish(workshop.bundle())
    fetch = RemotePlacement.fetch

    def late(self, directory, digest):
        here.delete("btc-1h/1")
        return fetch(self, directory, digest)

    monkeypatch.setattr(RemotePlacement, "fetch", late)
    with pytest.raises(RegistryNotFoundError):
        there.open("btc-1h/1")


def test_equal_content_from_two_hosts_at_once_is_one_version(world, tmp_path):
    host, store, _ = world
    registries = [host("a"), host("b")]
    for number in range(2):
        stage_bundle(tmp_path / f"same-{number}", seed=7)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda r, n: r.publish(tmp_path / f"same-{n}"), registries, range(2)))
    assert {version.number for version in found} == {1}
    assert len(objects(store)) == FILES, "the second upload is taken back at once"
    registries[1].open("btc-1h/1")


def test_an_upload_that_was_swept_is_not_inserted(world):
    host, _, workshop = world
    registry = host("a")
    placed = registry.place(workshop.bundle())
    registry.sweep_orphans(older_than_hours=-1.0)
    with pytest.raises(StorageError, match="gone"), writing(registry._engine) as connection:
        registry.insert(connection, placed)


def test_bundles_copied_from_a_single_host_are_found(world, tmp_path):
    """`aws s3 sync models/ s3://bucket/prefix/models/` moves an installation."""
    host, store, workshop = world
    local = EmbeddedRegistry(open_database(f"sqlite:///{tmp_path}/onward.db"), tmp_path / "models")
    version = local.publish(workshop.bundle())
    for path in version.directory.rglob("*"):
        if path.is_file():
            store.write(path.relative_to(tmp_path).as_posix(), path.read_bytes())
    there = host("b")
    assert verify_bundle(there.open("btc-1h/1")).digest == version.digest
    assert there.sweep_orphans(older_than_hours=-1.0) == ()
    local._engine.dispose()
