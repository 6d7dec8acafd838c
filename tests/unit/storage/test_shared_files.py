"""Reports and outputs: read on another host once published, checked, and swept when superseded."""

from __future__ import annotations

import hashlib

import pytest

from onward.errors import StorageError
from onward.storage import LocalCopies, MissingObjectError, S3Store, SharedFiles

REPORT = "runs/01/report.html"


@pytest.fixture
def store(object_server):
    return S3Store(object_server.options())


def test_another_host_reads_what_was_published_and_nothing_before(store, tmp_path):
    here, there = (SharedFiles(store, LocalCopies(tmp_path / host)) for host in "ab")
    file = tmp_path / "report.html"
    file.write_text("<p>first</p>")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    here.upload(REPORT, file, digest)
    with pytest.raises(MissingObjectError):
        there.fetch(REPORT)
    here.publish(REPORT, digest)
    assert there.fetch(REPORT).read_text() == "<p>first</p>"
    assert there.fetch(REPORT).suffix == ".html", "a browser must know what it is"
    file.write_text("<p>second</p>")
    here.put(REPORT, file)
    assert there.fetch(REPORT).read_text() == "<p>second</p>"


def test_damage_is_never_handed_out(store, tmp_path):
    file = tmp_path / "report.html"
    file.write_text("<p>whole</p>")
    SharedFiles(store, LocalCopies(tmp_path / "a")).put(REPORT, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    store.write(f"files/{REPORT}/{digest}", b"<p>who")
    with pytest.raises(StorageError, match="damaged"):
        SharedFiles(store, LocalCopies(tmp_path / "b")).fetch(REPORT)
    store.write(f"files/{REPORT}/current", b"../../etc/passwd")
    with pytest.raises(StorageError, match="damaged"):
        SharedFiles(store, LocalCopies(tmp_path / "b")).fetch(REPORT)
    with pytest.raises(StorageError, match="name of an artifact"):
        SharedFiles(store, LocalCopies(tmp_path / "b")).fetch("../report.html")


def test_what_does_not_count_goes_after_the_grace_time(store, tmp_path):
    files, file = SharedFiles(store, LocalCopies(tmp_path / "a")), tmp_path / "report.html"
    for text in ("first", "second"):
        file.write_text(text)
        files.put(REPORT, file)
    files.upload("outputs/half.parquet", file, "0" * 64)
    assert files.sweep() == 0
    assert files.sweep(older_than_hours=-1.0) == 2
    assert files.fetch(REPORT).read_text() == "second"
    assert [info.name.split("/")[1] for info in store.list("files/")] == ["runs", "runs"]
