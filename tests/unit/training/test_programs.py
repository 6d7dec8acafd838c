"""Which program trains, and whether one that was noted is still there."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from onward.jobs.local import processes
from onward.training.programs import is_gone, this_program

HERE = this_program()


def test_this_program_is_there() -> None:
    assert this_program()["pid"] == os.getpid()
    assert not is_gone(this_program())


def test_a_program_that_ended_is_gone() -> None:
    code = "import json; from onward.training.programs import this_program; print(json.dumps(this_program()))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert is_gone(json.loads(told.stdout))


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"start": 1}, True),  # the number was given anew
        ({"boot": "another"}, True),
        ({"host": "elsewhere", "start": 1}, False),  # nothing is known of other hosts
    ],
)
def test_number_start_boot_and_host_name_a_program(changes: dict[str, Any], gone: bool) -> None:
    assert is_gone(this_program() | changes) is gone


def test_what_cannot_be_looked_at_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(_: int) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(processes, "find", exhausted)
    assert not is_gone({**HERE, "start": 1})


def test_without_a_start_nothing_is_known() -> None:
    assert not is_gone({name: value for name, value in HERE.items() if name != "start"})
