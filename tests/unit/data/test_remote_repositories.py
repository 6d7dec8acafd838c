"""Market data in a store: two writers neither lose nor mix rows, readers see one state, damage is told."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from onward.data.repositories.parquet import ParquetCandleRepository
from onward.data.repositories.remote import (
    RemoteCandleRepository,
    RemoteDataStore,
    RemoteFundingRateRepository,
)
from onward.data.repositories.shelf import Shelf
from onward.errors import DataError, StorageError, TimeframeError
from onward.storage import LocalCopies, S3Store, StoreAwayError
from onward.testing.repositories import rows_of

SYMBOL = "BTC/USDT"
PLACE = "data/candles/BTC%2FUSDT/1h"
ROWS = rows_of("candles", 96)


@pytest.fixture
def world(object_server, tmp_path):
    """Return what makes the candles of a host, and the store that all share."""
    options = object_server.options(patience_seconds=2.0)

    def host(name, **arguments):
        copies = LocalCopies(tmp_path / name / "copies")
        return RemoteCandleRepository(Shelf(S3Store(options), copies, tmp_path / name, **arguments), "1h")

    return host, S3Store(options)


def parts(store):
    return sorted(info.name for info in store.list("data/") if info.name.endswith(".parquet"))


def test_hosts_read_what_others_wrote_and_copies_spare_the_network(world, object_server):
    host, _ = world
    here, there = host("a"), host("b")
    here.upsert(SYMBOL, ROWS[:60])
    assert len(there.read(SYMBOL)) == 60
    here.upsert(SYMBOL, ROWS)
    pd.testing.assert_frame_equal(there.read(SYMBOL), here.read(SYMBOL))
    before = object_server.requests()
    there.read(SYMBOL)
    assert object_server.requests() - before == 1, "the manifest alone"


WRITER = """
    import sys
    from pathlib import Path
    from onward.data.repositories.remote import RemoteCandleRepository
    from onward.data.repositories.shelf import Shelf
    from onward.storage import LocalCopies, S3Store, StoreOptions
    from onward.testing.repositories import rows_of

    address, endpoint, home, number = sys.argv[1:]
    options = StoreOptions(address, endpoint=endpoint, region="us-east-1", key="k", secret="s")
    shelf = Shelf(S3Store(options), LocalCopies(Path(home) / "copies"), Path(home) / "data")
    repository, rows = RemoteCandleRepository(shelf, "1h"), rows_of("candles", 96)
    repository.symbols()
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(16 * int(number), 96, 2 * 16):
        report = repository.upsert("BTC/USDT", rows.iloc[start : start + 16])
        assert report.added == 16, report
"""


def test_two_processes_importing_at_once_lose_no_row(world, object_server, tmp_path):
    host, store = world
    here, reader = host("here"), host("reader")
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(store.address), object_server.endpoint]
    other = subprocess.Popen(
        [*command, str(tmp_path / "other"), "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    seen = [0]
    for start in range(0, 96, 32):
        assert here.upsert(SYMBOL, ROWS[start : start + 16]).added == 16
        seen.append(len(reader.read(SYMBOL)))
    _, said = other.communicate(timeout=120)
    assert other.returncode == 0, said
    assert seen == sorted(seen), "rows never vanish"
    read = host("c").read(SYMBOL)
    np.testing.assert_array_equal(read["volume"], ROWS["volume"])
    assert list(read["timestamp"]) == list(ROWS["timestamp"])


def test_who_was_overtaken_merges_again(world):
    host, store = world
    here, there = host("a"), host("b")
    first, second = here.prepare(SYMBOL, ROWS[:50]), there.prepare(SYMBOL, ROWS[40:])
    assert (first.report.added, second.report.added) == (50, 56)
    assert len(here.read(SYMBOL)) == 0, "nothing is visible yet"
    second.swap()
    first.swap()
    first.swap()
    assert (first.report.added, first.report.unchanged) == (40, 10)
    first.settle()
    second.settle()
    assert len(here.read(SYMBOL)) == 96
    manifest = json.loads(store.read(f"{PLACE}/manifest.json")[0])
    named = {*manifest["files"].values(), *(name for name, _ in manifest["retired"])}
    assert {name.rpartition("/")[2] for name in parts(store)} == named, "what lost the race is gone"


def test_a_first_import_that_loses_the_race_faces_the_grid_of_the_winner(world):
    host, _ = world
    off = ROWS.assign(timestamp=ROWS["timestamp"] + pd.Timedelta("30min"))
    late = host("a").prepare(SYMBOL, off)
    host("b").upsert(SYMBOL, ROWS)
    with pytest.raises(TimeframeError, match="grid"):
        late.swap()
    assert len(host("c").read(SYMBOL)) == 96


def test_taking_back_restores_what_was_there(world):
    host, _ = world
    repository = host("a")
    repository.upsert(SYMBOL, ROWS[:50])
    for swapped in (True, False):
        more = repository.prepare(SYMBOL, ROWS)
        if swapped:
            more.swap()
            assert len(host("b").read(SYMBOL)) == 96
        more.back()
        assert len(host("b").read(SYMBOL)) == 50
    only = repository.prepare("ETH/USDT", ROWS)
    only.swap()
    assert repository.symbols() == [SYMBOL, "ETH/USDT"]
    only.back()
    assert repository.symbols() == [SYMBOL]
    assert len(repository.read("ETH/USDT")) == 0
    repository.upsert("ETH/USDT", ROWS[:7])
    assert repository.symbols() == [SYMBOL, "ETH/USDT"]


def test_nobody_takes_back_what_others_have_built_upon(world):
    host, _ = world
    first = host("a").prepare(SYMBOL, ROWS[:50])
    first.swap()
    host("b").upsert(SYMBOL, ROWS[50:])
    first.back()
    assert len(host("c").read(SYMBOL)) == 96


def test_replaced_files_stay_for_readers_and_go_later(world, monkeypatch):
    host, store = world
    repository = host("a")
    repository.upsert(SYMBOL, ROWS[:50])
    held = repository._shelf.state(repository._directory(SYMBOL))
    repository.upsert(SYMBOL, ROWS)
    old = host("b")._load_of(held, host("b")._directory(SYMBOL), lambda _: True, repository.columns)
    assert len(old) == 50, "whoever read the manifest before still gets its rows"
    monkeypatch.setattr("onward.data.repositories.shelf.RETIRED_FOR", timedelta(0))
    repository.upsert(SYMBOL, ROWS.assign(volume=ROWS["volume"] + 1))
    current = set(repository._shelf.state(repository._directory(SYMBOL)).files.values())
    assert len(parts(store)) == len(current) + 2, "those of the last switch are still there"


def test_what_a_writer_who_died_left_goes_after_a_day(world, monkeypatch):
    host, store = world
    repository = host("a")
    host("dead").prepare(SYMBOL, ROWS[:50]).leave()
    assert len(parts(store)) == 2
    repository.upsert(SYMBOL, ROWS[:60])
    assert len(parts(store)) == 4
    monkeypatch.setattr("onward.data.repositories.shelf.ABANDONED_AFTER", timedelta(hours=-1))
    repository.upsert(SYMBOL, ROWS)
    state = repository._shelf.state(repository._directory(SYMBOL))
    assert len(parts(store)) == len(state.files) + len(state.retired)
    assert len(repository.read(SYMBOL)) == 96


def test_damaged_files_are_told_by_name_and_a_damaged_copy_is_mended(world):
    host, store = world
    repository = host("a")
    repository.upsert(SYMBOL, ROWS)
    repository.read(SYMBOL)
    for copy in repository._shelf._copies.directory.rglob("*.parquet"):
        copy.write_bytes(copy.read_bytes()[:-8])
    assert len(repository.read(SYMBOL)) == 96
    name = parts(store)[0]
    store.write(name, store.read(name)[0][:-8])
    with pytest.raises(StorageError, match="damaged") as caught:
        host("b").read(SYMBOL)
    assert name in str(caught.value)
    store.delete([name])
    with pytest.raises(StorageError, match="no such artifact"):
        host("c").read(SYMBOL)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"files": {"2020": "../../../../etc/passwd"}}',
        b'{"files": {"2020": "2020-x/y.parquet"}}',
        b'{"files": {"x": "2020-0123456789ab.parquet"}}',
        b'{"files": {}, "retired": [["/etc/passwd", "2020-01-01T00:00:00+00:00"]]}',
        b'{"files": {}, "retired": [["2020-0123456789ab.parquet", "2020-01-01"]]}',
    ],
)
def test_a_manifest_that_names_anything_else_is_refused(world, content):
    host, store = world
    store.write(f"{PLACE}/manifest.json", content)
    with pytest.raises(StorageError, match="manifest of the store is damaged"):
        host("a").read(SYMBOL)
    with pytest.raises(StorageError, match="manifest of the store is damaged"):
        host("a").upsert(SYMBOL, ROWS)


def test_a_store_that_is_away_changes_nothing(world, object_server):
    host, _ = world
    repository = host("a")
    repository.upsert(SYMBOL, ROWS[:50])
    with object_server.fault("busy", method="PUT"), pytest.raises(StoreAwayError):
        repository.upsert(SYMBOL, ROWS)
    assert len(host("b").read(SYMBOL)) == 50
    with object_server.fault("lose", count=2, method="PUT"):
        assert repository.upsert(SYMBOL, ROWS).added == 46
    assert len(host("b").read(SYMBOL)) == 96


def test_whoever_is_always_overtaken_gives_up_and_says_so(world, monkeypatch):
    host, _ = world
    monkeypatch.setattr("onward.data.repositories.remote.WRITE_ATTEMPTS", 3)
    monkeypatch.setattr("onward.data.repositories.remote.LONGEST_PAUSE_SECONDS", 0.0)
    slow, fast = host("a"), host("b")
    switch, rows = slow._shelf.switch, iter(range(8, 96, 8))

    def late(place, seen, current):
        start = next(rows)
        fast.upsert(SYMBOL, ROWS[start : start + 8])
        return switch(place, seen, current)

    monkeypatch.setattr(slow._shelf, "switch", late)
    with pytest.raises(StorageError, match="overtaken 3 times"):
        slow.upsert(SYMBOL, ROWS[:8])
    assert len(fast.read(SYMBOL)) == 24


def test_a_store_without_conditional_writes_needs_a_lock(object_server, tmp_path):
    lock = threading.Lock()

    @contextmanager
    def turns(name):
        assert name == f"{PLACE}/manifest.json"
        with lock:
            yield

    with object_server.fault("careless"):
        options = object_server.options()

        def host(name, taken):
            shelf = Shelf(S3Store(options), LocalCopies(tmp_path / name), tmp_path / name, turns=taken)
            return RemoteCandleRepository(shelf, "1h")

        with pytest.raises(StorageError, match="no conditional writes"):
            host("a", None).upsert(SYMBOL, ROWS)
        hosts = [host(str(number), turns) for number in range(3)]
        threads = [
            threading.Thread(target=lambda h=h, n=n: h.upsert(SYMBOL, ROWS[32 * n : 32 * n + 32]))
            for n, h in enumerate(hosts)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(hosts[0].read(SYMBOL)) == 96
        overtaken = host("x", lambda _: nullcontext()).prepare(SYMBOL, ROWS.assign(volume=ROWS["volume"] + 1))
        hosts[0].upsert(SYMBOL, ROWS.assign(volume=ROWS["volume"] + 2))
        overtaken.swap()
        assert overtaken.report.refused == 96, "the larger volume stays"


def test_data_copied_from_a_single_host_are_read_and_grow(world, tmp_path):
    """`aws s3 sync data/ s3://bucket/prefix/data/` moves an installation."""
    host, store = world
    local = ParquetCandleRepository(tmp_path / "data", "1h")
    local.upsert(SYMBOL, ROWS[:50])
    for path in (tmp_path / "data").rglob("*.*"):
        if path.suffix in (".json", ".parquet"):
            store.write(path.relative_to(tmp_path).as_posix(), path.read_bytes())
    repository = host("a")
    pd.testing.assert_frame_equal(repository.read(SYMBOL), local.read(SYMBOL))
    assert repository.upsert(SYMBOL, ROWS).added == 46
    assert len(host("b").read(SYMBOL)) == 96


def test_all_data_of_a_store_together(object_server, tmp_path):
    shelf = Shelf(S3Store(object_server.options()), LocalCopies(tmp_path / "copies"), tmp_path / "data")
    store = RemoteDataStore(shelf)
    assert store.timeframes() == []
    assert store.coverage() == []
    store.candles("1h").upsert(SYMBOL, ROWS)
    store.candles("1d").upsert(
        "ETH/USDT",
        rows_of("candles", 24).assign(timestamp=pd.date_range("2020-01-01", periods=24, freq="D", tz="UTC")),
    )
    store.funding.upsert(f"{SYMBOL}:USDT", rows_of("funding"))
    store.fear_greed.upsert("", rows_of("fear_greed"))
    assert store.timeframes() == ["1h", "1d"]
    assert [(c.kind, c.symbol, c.timeframe) for c in store.coverage()] == [
        ("candles", SYMBOL, "1h"),
        ("candles", "ETH/USDT", "1d"),
        ("funding", f"{SYMBOL}:USDT", ""),
        ("fear_greed", "", ""),
    ]
    market = store.market([SYMBOL], series=("funding", "fear_greed"))
    assert (len(market), sorted(market.series)) == (96, ["fear_greed", "funding"])
    with pytest.raises(DataError, match="did you mean 'BTC/USDT'"):
        store.market(["BTC/USD"], timeframe="1h")
    assert isinstance(store.side("funding"), RemoteFundingRateRepository)
    assert datetime.now(UTC) - shelf._store.list("data/")[0].modified < timedelta(minutes=5)
