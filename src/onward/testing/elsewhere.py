"""Scripts in another process than this one, soon: its imports are done once.

What a contract asks of another process is that nothing which this one has in memory is needed. A
process that imported Onward and has seen nothing else is as good as a new one, and a copy of it
(``fork``) is there in milliseconds instead of two seconds. Where processes cannot be copied, or a
copy cannot be had, a new interpreter runs the script.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

__all__ = ["Elsewhere", "run_elsewhere", "serve"]

IMPORTED = (
    "onward.ensembles",
    "onward.models",
    "onward.testing.fitted_stages",
    "onward.testing.models",
)
"""What scripts are likely to import: none of it learns, or imports what learns, before it is used."""


@dataclass(frozen=True)
class Elsewhere:
    """How a script ended: its exit code, what it printed and what it complained of."""

    returncode: int
    stdout: str
    stderr: str


def run_elsewhere(script: str, *arguments: str, folder: str | Path | None = None) -> Elsewhere:
    """Run a script in a process that has seen nothing of this one; warnings are errors there.

    Parameters
    ----------
    script
        Python source; ``sys.argv[1:]`` are the arguments.
    arguments
        Text.
    folder
        Working directory; this one by default. Modules are found as they are here.
    """
    place = str(Path(folder or ".").resolve())
    paths = [str(Path.cwd()), *sys.path]
    found = _Nursery.ask(script, arguments, place, paths) if hasattr(os, "fork") else None
    return found or _anew(script, arguments, place, paths)


def _anew(script: str, arguments: Sequence[str], folder: str, paths: Sequence[str]) -> Elsewhere:
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    return Elsewhere(finished.returncode, finished.stdout, finished.stderr)


class _Nursery:
    """The process that copies are made of, begun when it is first asked."""

    _process: subprocess.Popen[str] | None = None

    @classmethod
    def ask(
        cls, script: str, arguments: Sequence[str], folder: str, paths: Sequence[str]
    ) -> Elsewhere | None:
        """Return how a script ended in a copy; None when there is no copy to be had."""
        process = cls._begun(paths)
        assert process.stdin is not None
        assert process.stdout is not None
        with tempfile.TemporaryDirectory() as scratch:
            asked = {"script": script, "arguments": arguments, "folder": folder, "paths": paths}
            try:
                process.stdin.write(json.dumps(asked | {"scratch": scratch}) + "\n")
                process.stdin.flush()
                code = process.stdout.readline()
            except OSError:
                code = ""
            if not code:
                cls.end()
                return None
            said, complaints = (
                (Path(scratch) / name).read_text(encoding="utf-8", errors="replace")
                for name in ("out", "err")
            )
        return Elsewhere(int(code), said, complaints)

    @classmethod
    def _begun(cls, paths: Sequence[str]) -> subprocess.Popen[str]:
        if cls._process is None:
            code = "from onward.testing.elsewhere import serve; serve()"
            cls._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
            atexit.register(cls.end)
        return cls._process

    @classmethod
    def end(cls) -> None:
        """End the process."""
        process, cls._process = cls._process, None
        if process is not None:
            process.kill()
            process.communicate()
        atexit.unregister(cls.end)


def serve() -> None:
    """Copy this process for every line on the standard input, and tell the exit code of each copy."""
    for module in IMPORTED:
        import_module(module)
    for line in sys.stdin:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of copies beside idle threads of BLAS
            child = os.fork()
        if child == 0:
            _be(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _be(asked: dict[str, str | list[str]]) -> None:
    """Run a script as if the interpreter had been started for it, and end."""
    scratch = Path(str(asked["scratch"]))
    for file, descriptor in ((os.devnull, 0), (scratch / "out", 1), (scratch / "err", 2)):
        opened = os.open(file, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout, sys.stderr = (open(n, "w", closefd=False, encoding="utf-8") for n in (1, 2))  # noqa: SIM115
    os.chdir(str(asked["folder"]))
    sys.path[:] = asked["paths"]
    sys.argv = ["-c", *asked["arguments"]]
    code: int = 0
    try:
        exec(compile(str(asked["script"]), "<elsewhere>", "exec"), {"__name__": "__main__"})  # noqa: S102
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stderr.write(end.code if isinstance(end.code, str) else "")
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
