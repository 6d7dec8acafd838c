"""Copies: fetched once, checked every time, bounded, never half there."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from onward.errors import StorageError
from onward.storage import LocalCopies


def writes(content, log=None):
    def fetch(path):
        if log is not None:
            log.append(path)
        path.write_bytes(content)

    return fetch


def equals(content):
    return lambda path: path.read_bytes() == content


def test_a_copy_is_fetched_once_and_again_when_it_is_damaged(tmp_path):
    copies, log = LocalCopies(tmp_path), []
    for _ in range(3):
        path = copies.get("data/x", writes(b"abc", log), equals(b"abc"))
    assert (path.read_bytes(), len(log)) == (b"abc", 1)
    path.write_bytes(b"abx")
    assert copies.get("data/x", writes(b"abc", log), equals(b"abc")).read_bytes() == b"abc"
    assert len(log) == 2
    copies.drop("data/x")
    assert not path.exists()
    copies.drop("data/x")


def test_threads_fetch_the_same_once(tmp_path):
    copies, log, got = LocalCopies(tmp_path), [], []

    def fetch(path):
        time.sleep(0.1)
        writes(b"abc", log)(path)

    threads = [
        threading.Thread(target=lambda: got.append(copies.get("x", fetch, equals(b"abc")))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log) == 1
    assert got == [tmp_path / "x"] * 8


FETCHER = """
    import sys, time
    from onward.storage.copies import LocalCopies

    def fetch(path):
        time.sleep(0.3)
        with open(sys.argv[2], "a") as log:
            log.write("x")
        path.mkdir()
        (path / "manifest.json").write_text("whole")

    print("ready", flush=True)
    sys.stdin.readline()
    sound = lambda path: (path / "manifest.json").read_text() == "whole"
    print(LocalCopies(sys.argv[1]).get("models/b", fetch, sound).name)
"""


def test_processes_fetch_the_same_once(tmp_path):
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(FETCHER),
        str(tmp_path / "copies"),
        str(tmp_path / "log"),
    ]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    said = [process.communicate("go\n", timeout=60)[0] for process in processes[:1]]
    said += [process.communicate("go\n", timeout=60)[0] for process in processes[1:]]
    assert said == ["b\n", "b\n"]
    assert (tmp_path / "log").read_text() == "x"


def test_what_fetching_raises_leaves_nothing(tmp_path):
    copies = LocalCopies(tmp_path)

    def fail(path):
        path.mkdir()
        (path / "half").write_bytes(b"x")
        raise StorageError("the store is away")

    with pytest.raises(StorageError, match="away"):
        copies.get("models/b", fail, lambda _: True)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_the_least_recently_used_go_but_never_those_just_asked_for(tmp_path):
    copies = LocalCopies(tmp_path, max_bytes=250)
    for name in ("a", "b/c", "d"):
        copies.get(f"data/{name}", writes(b"x" * 100), lambda _: True)
    assert (tmp_path / "data" / "a").exists(), "all were used in the last minutes"
    for age, name in enumerate(("d", "b/c", "a")):
        os.utime(tmp_path / "data" / name, (time.time() - 4000 - age, time.time() - 4000 - age))
    bundle = tmp_path / "models" / "m" / "1"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_bytes(b"x" * 60)
    (bundle / "deep").mkdir()
    (bundle / "deep" / "weights").write_bytes(b"x" * 60)
    os.utime(bundle, (time.time() - 9000, time.time() - 9000))
    copies.get("data/e", writes(b"x" * 100), lambda _: True)
    assert not bundle.exists(), "a bundle goes whole"
    left = {
        path.name for path in tmp_path.rglob("*") if path.is_file() and not path.parent.name.startswith(".")
    }
    assert left == {"d", "e"}


def test_names_do_not_lead_out(tmp_path):
    for name in ("../x", "/etc/passwd", "a/../../b", ""):
        with pytest.raises(StorageError, match="name of an artifact"):
            LocalCopies(tmp_path / "copies").get(name, writes(b""), lambda _: True)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_directory_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be kept"):
        LocalCopies(tmp_path / "file").get("a", writes(b""), lambda _: True)
