"""``onward serve`` as a process of its own, for tests that end, starve or cut off a whole server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ONWARD", "Served", "environment", "served"]

ONWARD = [sys.executable, "-m", "onward"]


@dataclass(frozen=True)
class Served:
    """A server that runs: where it listens, its process, and its home."""

    address: str
    pid: int
    home: Path


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing of Onward is set but this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    return {**kept, "ONWARD_HOME": str(home), **more}


@contextmanager
def served(home: Path, *options: str, **more: str) -> Iterator[Served]:
    """Run a server on a port of its own choice until the block ends; ``more`` goes into its environment."""
    home.mkdir(parents=True, exist_ok=True)
    with (home.parent / f"{home.name}.log").open("w") as log:
        process = subprocess.Popen(
            [*ONWARD, "--json", "serve", "--port", "0", *options],
            cwd=home.parent,
            env=environment(home, **more),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert process.stdout is not None
            text = ""
            while not text.rstrip().endswith("}"):
                line = process.stdout.readline()
                assert line, Path(log.name).read_text()
                text += line
            yield Served(json.loads(text)["address"], process.pid, home)
            assert process.poll() is None, "the server has ended"
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()
                process.communicate()
