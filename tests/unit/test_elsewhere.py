"""Scripts in another process: as new as one that was just started, whichever way it comes about."""

import os
import sys
from pathlib import Path

import pytest

from onward.testing import elsewhere
from onward.testing.elsewhere import run_elsewhere


@pytest.fixture(params=["a copy", "a new one"])
def either(request, monkeypatch):
    if request.param == "a new one":
        monkeypatch.delattr(os, "fork", raising=False)


@pytest.mark.usefixtures("either")
def test_it_says_what_the_script_said_and_nothing_stays_behind(tmp_path):
    script = "import sys, os; print(sys.argv[1:], os.getcwd()); sys.stderr.write('oh'); seen = 1"
    found = run_elsewhere(script, "a b", "ü", folder=tmp_path)
    assert found.returncode == 0
    assert found.stdout == f"['a b', 'ü'] {tmp_path}\n"
    assert found.stderr == "oh"
    assert run_elsewhere("print('seen' in globals())").stdout == "False\n"


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit('no')", "no"),
        ("import warnings; warnings.warn('hm')", "UserWarning: hm"),
    ],
)
def test_errors_and_warnings_end_it(script, words):
    found = run_elsewhere(script)
    assert found.returncode == 1
    assert words in found.stderr


@pytest.mark.usefixtures("either")
def test_modules_are_found_as_they_are_here(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("KNOWN = 7")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert run_elsewhere("import only_here; print(only_here.KNOWN)").stdout == "7\n"


def test_it_is_another_process_that_knows_nothing_of_this_one():
    sys.modules["onward_only_in_memory"] = sys
    try:
        said = run_elsewhere("import os, sys; print(os.getppid(), 'onward_only_in_memory' in sys.modules)")
        assert said.stdout.split()[1] == "False"
        assert int(said.stdout.split()[0]) != os.getpid()  # a copy of the other process, not of this one
    finally:
        del sys.modules["onward_only_in_memory"]


def test_a_copy_that_dies_and_a_process_that_died_are_told_and_replaced():
    assert run_elsewhere("import os; os.kill(os.getpid(), 9)").returncode == -9
    process = elsewhere._Nursery._process
    assert process is not None
    process.kill()
    process.wait()
    assert run_elsewhere("print(1)").stdout == "1\n"  # by a new interpreter
    assert elsewhere._Nursery._process is None
    assert run_elsewhere("print(Path.cwd())", folder=Path("/")).returncode == 1
    assert elsewhere._Nursery._process is not None


def test_nothing_can_be_read_from_its_standard_input():
    assert run_elsewhere("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"
