"""What all commands share: help, options, exit codes, errors that teach, Ctrl-C."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from onward.cli.app import COMMANDS, app
from onward.cli.problems import as_problem
from onward.cli.session import group, verb
from onward.errors import OnwardError

ONWARD = [sys.executable, "-c", "from onward.cli import main; main()"]


def every_verb() -> list[tuple[str, ...]]:
    context = typer.Context(typer.main.get_command(app))
    return [
        path for name in COMMANDS for path in paths_below((name,), context.command.get_command(context, name))
    ]


def paths_below(path: tuple[str, ...], command: object) -> list[tuple[str, ...]]:
    verbs = getattr(command, "commands", None)
    if not verbs:
        return [path]
    return [below for name, verb in verbs.items() for below in paths_below((*path, name), verb)]


def test_the_verbs_are_those_that_are_promised() -> None:
    assert {" ".join(v) for v in every_verb()} == {
        "demo",
        "audit",
        "train",
        "tune",
        "predict",
        "worker",
        "serve",
        *(f"jobs {v}" for v in ("list", "show", "watch", "logs", "stop", "retry", "prune")),
        *(f"jobs submit {v}" for v in ("train", "tune", "features", "import", "predict", "audit")),
        *(f"keys {v}" for v in ("create", "list", "revoke", "log")),
        "config show",
        "config init",
        "db upgrade",
        *(f"data {v}" for v in ("import", "list", "remove", "check", "convert")),
        *(f"features {v}" for v in ("list", "build")),
        *(f"cache {v}" for v in ("show", "clear")),
        *(f"runs {v}" for v in ("list", "show", "compare", "report")),
        *(
            f"models {v}"
            for v in (
                "list",
                "show",
                "alias",
                "history",
                "rollback",
                "export",
                "import",
                "delete",
                "cleanup",
            )
        ),
    }


@pytest.mark.parametrize("path", every_verb(), ids=" ".join)
def test_every_verb_has_help_and_the_common_options(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    for option in ("--home", "--set", "--json", "--help"):
        assert option in result.stdout
    first = result.stdout.split("\n\n")[1].strip()
    assert first[0].isupper()
    assert first.endswith(".")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from onward.cli.app import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = 'pandas numpy pydantic sqlalchemy pyarrow scipy sklearn lightgbm numba alembic rich'\n"
        "print([m for m in heavy.split() if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_no_arguments_show_the_help() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "onward demo" in result.output


def test_a_misspelt_command_is_answered_with_the_nearest(cli) -> None:
    assert "Did you mean 'config'?" in cli.fails("confi", "show")


def test_version(cli) -> None:
    from onward import __version__

    assert cli.ok("--version").strip() == f"onward {__version__}"


def test_options_count_before_and_after_the_verb(cli, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for arguments in (
        ["--home", other, "--set", "model.n_rounds=7", "--json", "config", "show", "model"],
        ["config", "show", "model", "--home", other, "--set", "model.n_rounds=7", "--json"],
    ):
        shown = json.loads(cli.ok(*arguments))
        assert shown["home"] == str(other)
        assert shown["settings"]["model.n_rounds"] == {"value": 7, "from": "--set"}


def test_the_option_nearest_to_the_verb_wins(cli) -> None:
    shown = json.loads(
        cli.ok("--set", "model.n_rounds=7", "config", "show", "--set", "model.n_rounds=8", "--json")
    )
    assert shown["settings"]["model.n_rounds"]["value"] == 8


def test_a_user_error_teaches_without_a_traceback(cli) -> None:
    shown = cli.fails("config", "show", "--set", "model.learning_raet=1")
    assert shown.splitlines()[0] == "Error: there is no setting model.learning_raet (from --set)"
    assert "  got:     model.learning_raet" in shown
    assert "  allowed: model.name, " in shown
    assert "  fix:     Did you mean model.learning_rate?" in shown


def test_a_user_error_as_json(cli) -> None:
    problem = json.loads(cli.fails("config", "show", "--set", "model.learning_raet=1", "--json"))
    assert problem["error"] == "ConfigError"
    assert problem["exit_code"] == 2
    assert problem["remedy"] == "Did you mean model.learning_rate?"


@pytest.mark.parametrize(
    "arguments",
    ["data list", "jobs list", "models list", "runs list", "config show", "config init", "cache show",
     "serve", "db upgrade", "keys list", "worker"],
)  # fmt: skip
def test_a_home_that_is_a_file_is_refused_at_once(cli, arguments: str) -> None:
    said = cli.fails("--home", "/dev/null", *arguments.split(), code=1)
    assert "The home directory is no directory" in said


def refusing(error: Exception) -> typer.Typer:
    small = group("Refuses.")

    @verb(small)
    def refuse(_session: object) -> None:
        """Refuse."""
        raise error

    return small


def test_what_the_system_refuses_is_no_traceback_either() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/x/y")
    result = CliRunner().invoke(refusing(full), ["refuse"])
    assert result.exit_code == 1
    assert "No space left on device (/x/y)" in result.stderr
    assert "nothing was left half-written" in result.stderr


def test_errors_that_are_not_the_users_have_code_one() -> None:
    assert CliRunner().invoke(refusing(OnwardError("it broke")), ["refuse"]).exit_code == 1


def test_a_bug_is_not_dressed_up_as_a_mistake_of_the_user() -> None:
    result = CliRunner().invoke(refusing(ZeroDivisionError()), ["refuse"])
    assert isinstance(result.exception, ZeroDivisionError)


def test_every_refusal_has_a_remedy() -> None:
    for number in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOENT, errno.EIO):
        problem = as_problem(OSError(number, os.strerror(number)))
        assert problem.remedy
        assert os.strerror(number) in str(problem.got)


def test_a_reader_that_leaves_early_is_no_error(cli) -> None:
    command = subprocess.Popen(
        [*ONWARD, "config", "show"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    command.stdout.close()
    _, problem = command.communicate(timeout=60)
    assert "Traceback" not in problem


BUSY = """
import hashlib, time
from onward.cli.interrupt import stop_within
with stop_within(seconds=0.5):
    try:
        print("ready", flush=True)
        {work}
    finally:
        print("cleaned", flush=True)
"""
SLEEPING = "time.sleep(30)"
NATIVE = "hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)"  # no way back to Python for long


EARLY = """
import signal, sys

class Early:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == "onward.cli.interrupt":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Early)
from onward.cli import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent to POSIX processes")
def test_ctrl_c_while_starting_leaves_no_traceback() -> None:
    finished = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=False)
    assert finished.returncode == 130
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("work", [SLEEPING, NATIVE], ids=["python", "native"])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to POSIX processes")
def test_ctrl_c_and_whoever_ends_programs_stop_within_a_second(work: str, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY.format(work=work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)  # well inside the work
    sent = time.monotonic()
    process.send_signal(number)
    rest, problem = process.communicate(timeout=20)
    took = time.monotonic() - sent
    assert process.returncode == 128 + number
    assert "Traceback" not in problem
    assert took < 5  # a second on a machine that is not overloaded
    if work is SLEEPING:
        assert rest == "cleaned\n"
    else:
        assert "Everything that was written is whole." in problem


CAUGHT = """
import signal
from onward.cli.interrupt import stop_within, unhurried
with stop_within(seconds=0.5):
    with unhurried():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        raise SystemExit(130)  # as typer does
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to POSIX processes")
def test_the_exit_code_tells_the_signal_whoever_caught_the_interrupt() -> None:
    finished = subprocess.run([sys.executable, "-c", CAUGHT], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (143, "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to POSIX processes")
def test_nohup_goes_on_without_its_terminal() -> None:
    code = "import signal; from onward.cli.interrupt import stop_within\nwith stop_within(seconds=0.5):\n"
    code += "    signal.raise_signal(signal.SIGHUP); print('went on')"
    ignoring = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
    ignoring += "os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])"
    finished = subprocess.run(
        [sys.executable, "-c", ignoring, code], capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stdout) == (0, "went on\n")


SWALLOWED = """
import ctypes, signal, time
from onward.cli.interrupt import stop_within
with stop_within(seconds=20):
    def call():
        signal.raise_signal({number})
    ctypes.CFUNCTYPE(None)(call)()  # native code cannot pass the exception on
    time.sleep(10)
    print("went on")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_native_code_swallows_comes_again(number: signal.Signals) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", SWALLOWED.format(number=int(number))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (128 + number, "", "")
