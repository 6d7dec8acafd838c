"""The store keeps its promises against a real server, and against one that misbehaves."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from onward.errors import StorageError
from onward.storage import MissingObjectError, OversizedObjectError, S3Store, StoreAwayError


@pytest.fixture
def store(object_server):
    return S3Store(object_server.options(patience_seconds=20.0))


def test_what_was_written_is_read_listed_and_deleted(store, object_server):
    names = ["a/b", "a/c/d", "ab", "a/%2E%2E", "a/BTC%2FUSDT@1h", "a/Ünï"]
    for name in names:
        store.write(name, name.encode())
    assert store.read("a/Ünï")[0] == "a/Ünï".encode()
    assert [info.name for info in store.list("")] == sorted(names)
    assert [info.name for info in store.list("a/")] == sorted(n for n in names if n.startswith("a/"))
    assert store.list("a/b")[0].size == 3
    assert abs(store.list("a/b")[0].modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert S3Store(object_server.options()).list("") == [], "another prefix is another store"
    store.delete([*names, "never/was"])
    assert store.list("") == []
    with pytest.raises(MissingObjectError, match="a/b"):
        store.read("a/b")


def test_listings_of_more_than_a_page(store, monkeypatch):
    monkeypatch.setattr("onward.storage.s3.BATCH", 3)
    for number in range(8):
        store.write(f"n/{number}", b"")
    assert len(store.list("n/")) == 8
    store.delete([f"n/{number}" for number in range(8)])
    assert store.list("n/") == []


def test_only_who_has_read_the_newest_may_replace_it(store):
    first = store.replace("m", b"1", None)
    assert first is not None
    assert store.replace("m", b"2", None) is None
    second = store.replace("m", b"2", first)
    assert store.replace("m", b"3", first) is None
    assert store.read("m") == (b"2", second)
    assert store.replace("gone", b"3", second) is None
    with pytest.raises(MissingObjectError):
        store.read("gone")


def test_of_many_writers_at_once_one_wins_each_round(store):
    assert store.conditional
    tag, wins = store.replace("m", b"start", None), []

    def write(number):
        if store.replace("m", f"{number}".encode(), tag) is not None:
            wins.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1
    assert store.read("m")[0] == f"{wins[0]}".encode()


def test_a_write_whose_answer_was_lost_counts_as_made(store, object_server):
    tag = store.replace("m", b"1", None)
    with object_server.fault("lose", count=1, method="PUT"):
        assert store.replace("m", b"2", tag) == store.read("m")[1]
    assert store.read("m")[0] == b"2"


def test_an_older_store_is_found_out(store, object_server):
    with object_server.fault("careless"):
        assert not store.conditional
        assert store.list("") == [], "what was tried leaves nothing"


def test_large_files_travel_in_parts(store, tmp_path, monkeypatch):
    monkeypatch.setattr("onward.storage.s3.PART_BYTES", 5 * 2**20)
    content = os.urandom(11 * 2**20)
    (tmp_path / "large").write_bytes(content)
    store.upload(tmp_path / "large", "large")
    store.download("large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    with pytest.raises(OversizedObjectError, match="larger"):
        store.download("large", tmp_path / "third", max_bytes=1000)
    assert not (tmp_path / "third").exists()


def test_parts_of_an_upload_that_was_interrupted_are_swept(store):
    system, address = store._open(), store.address
    system.call_s3("create_multipart_upload", Bucket=address.bucket, Key=address.key("models/half"))
    assert store.list("models/") == [], "half of an object is no object"
    # this server says that every upload was begun in November 2010
    assert store.sweep_uploads("models/", datetime(2010, 1, 1, tzinfo=UTC)) == 0
    assert store.sweep_uploads("models/", datetime.now(UTC)) == 1
    assert store.sweep_uploads("models/", datetime.now(UTC)) == 0


def test_a_store_that_is_busy_for_a_moment_is_asked_again(store, object_server):
    store.write("a", b"1")
    with object_server.fault("busy", count=2):
        assert store.read("a")[0] == b"1"
    with object_server.fault("truncate", count=1, method="GET"):
        assert store.read("a")[0] == b"1"


@pytest.mark.parametrize("fault", ["busy", "truncate", "hang"])
def test_a_store_that_stays_away_is_given_up_in_time(object_server, fault, tmp_path):
    store = S3Store(object_server.options(patience_seconds=0.5, read_seconds=0.5, connect_seconds=0.5))
    store.write("a", b"12345678")
    began = time.monotonic()
    with object_server.fault(fault, method="GET"):
        with pytest.raises(StoreAwayError, match="cannot be reached"):
            store.read("a")
        with pytest.raises(StoreAwayError):
            store.download("a", tmp_path / "a")
    assert time.monotonic() - began < 15


def test_refusals_say_at_once_what_to_repair(object_server, monkeypatch):
    options = object_server.options(patience_seconds=60.0)
    store = S3Store(options)
    began = time.monotonic()
    with object_server.fault("deny"), pytest.raises(StorageError, match=r"credentials.*artifacts_key"):
        store.write("a", b"")
    with pytest.raises(StorageError, match="no such bucket"):
        S3Store(replace(options, url="s3://nobody-made-it/x")).write("a", b"")
    with pytest.raises(StorageError, match="no such bucket"):
        S3Store(replace(options, url="s3://nobody-made-it/x")).read("a")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(StorageError, match="credentials"):
        S3Store(replace(options, key=None, secret=None)).read("a")
    assert time.monotonic() - began < 10


def test_nobody_at_the_address(object_server):
    store = S3Store(object_server.options(endpoint="http://127.0.0.1:9", patience_seconds=0.3))
    with pytest.raises(StoreAwayError, match="artifacts_endpoint"):
        store.list("")


def test_a_disk_that_refuses_is_not_blamed_on_the_store(store, tmp_path):
    store.write("a", b"1")
    with pytest.raises(StorageError, match="copy of an artifact cannot be written") as caught:
        store.download("a", tmp_path / "no" / "such" / "directory")
    assert not isinstance(caught.value, StoreAwayError)
