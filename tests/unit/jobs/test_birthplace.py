"""Notes of who the warden of an attempt is: damaged ones, foreign ones, and places that take none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from onward.errors import JobError
from onward.jobs.local import LocalBackend
from onward.jobs.local.birthplace import NOTE, bear_sign, note_warden, noted_warden, signed_warden
from onward.jobs.local.processes import boot_id, find, host_name
from onward.testing.job_backends import ENTRIES, begun, ended, job_of


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    note_warden(tmp_path)
    own = find(os.getpid())
    assert own is not None
    assert noted_warden(tmp_path) == (own.pid, own.start)
    assert [path.name for path in tmp_path.iterdir()] == [NOTE]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "elsewhere"},
        {"boot": "another boot"},
        {"pid": None},
        {"pid": "1"},
        {"pid": float("inf")},
        {"start": None},
        {"start": [0]},
        {"start": 1.5},
    ],
    ids=str,
)
def test_a_note_that_names_nobody_here_says_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    note = {"host": host_name(), "boot": boot_id(), "pid": 1, "start": 0}
    (tmp_path / NOTE).write_text(json.dumps(note))
    assert noted_warden(tmp_path) == (1, 0)
    (tmp_path / NOTE).write_text(json.dumps(note | changes))
    assert noted_warden(tmp_path) is None


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"null", b"\0" * 90, b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_note_says_nothing(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / NOTE).write_bytes(damaged)
    assert noted_warden(tmp_path) is None


BEARER = """
import signal
from onward.jobs.local.birthplace import NAME, bear_sign
from onward.jobs.local.control import set_name
set_name(NAME)
bear_sign("abc/1")
print("born", flush=True)
signal.pause()
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="there are no signs")


@linux
def test_a_sign_is_found_while_its_bearer_lives_and_is_no_other_attempts() -> None:
    with subprocess.Popen([sys.executable, "-c", BEARER], stdout=subprocess.PIPE) as bearer:
        try:
            assert bearer.stdout is not None
            assert bearer.stdout.readline() == b"born\n"
            process = find(bearer.pid)
            assert process is not None
            assert signed_warden("abc/1") == (bearer.pid, process.start)
            assert signed_warden("abc/11") is None
            assert signed_warden("bc/1") is None
        finally:
            bearer.kill()
    assert signed_warden("abc/1") is None


@linux
def test_a_sign_counts_on_a_warden_alone() -> None:
    sign = bear_sign("abc/2")
    assert sign is not None
    try:
        assert signed_warden("abc/2") is None, "whoever copies it is no warden"
    finally:
        os.close(sign)


@linux
def test_what_is_too_long_for_a_sign_leaves_the_note() -> None:
    assert bear_sign("x" * 300) is None


def test_an_attempt_that_cannot_be_noted_is_refused_and_says_why(tmp_path: Path) -> None:
    """Nothing is born that nobody would find; whoever works stays, and the warm process too."""
    backend = LocalBackend(ENTRIES)
    try:
        with begun(backend, "echo", {}, tmp_path, begin=False) as other:
            warm = backend._nursery
            with pytest.raises(JobError, match="could not be started") as caught:
                backend.start(job_of("echo", {}), tmp_path / "missing" / "1")
            assert caught.value.got == "No such file or directory"
            assert "disk" in str(caught.value.remedy)
            assert backend._nursery is warm
            other.begin()
            messages, _ = ended(other)
            assert messages[-1]["type"] == "result"
    finally:
        backend.close()
