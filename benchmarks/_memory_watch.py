"""Watches the resident memory of a child process, and of what it starts, while it works."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._process import ROOT

__all__ = ["Watched", "watch"]

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
SECONDS_BETWEEN_LOOKS = 0.002


@dataclass
class Watched:
    """What a child's memory was, from the moment at which it said ``ready``.

    Attributes
    ----------
    seconds, resident_mb
        Looks, in order of time.
    told
        The JSON that the child printed at its end.
    """

    seconds: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)


def watch(command: Sequence[str], environment: Mapping[str, str], *, family: bool = False) -> Watched:
    """Run a child that prints ``ready``, works, prints JSON and waits for a line of input.

    With ``family`` the memory of all processes that it starts is added to its own, pages that
    they share counted once for each.

    Raises
    ------
    RuntimeError
        When it ends before.
    """
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environment), cwd=ROOT
    )
    seen = Watched()
    try:
        with contextlib.closing(_lines_or_looks(child, family)) as events:
            for event in events:
                if event == "ready":
                    start = time.perf_counter()
                    break
            for event in events:
                if isinstance(event, float):
                    seen.seconds.append(time.perf_counter() - start)
                    seen.resident_mb.append(event)
                elif event.startswith("{"):
                    seen.told = json.loads(event)
                    return seen
        raise RuntimeError(f"{command[1]} ended with exit code {child.wait()}")
    finally:
        child.kill()
        child.communicate()


def _lines_or_looks(child: subprocess.Popen[bytes], family: bool) -> Iterator[str | float]:
    """Yield lines that a child prints, and between them the resident memory, in 10^6 bytes."""
    assert child.stdout is not None
    output, text = child.stdout.fileno(), b""
    while True:
        while b"\n" in text:
            line, _, text = text.partition(b"\n")
            yield line.decode()
        if select.select([output], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            part = os.read(output, 1 << 16)
            if not part:
                return
            text += part
        else:
            yield sum(map(_resident_mb, _family(child.pid) if family else [child.pid]))


def _resident_mb(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_MB
    except OSError:  # ended meanwhile
        return 0.0


def _family(process: int) -> set[int]:
    """Return a process with all that descend from it."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                # The name of the command, in parentheses, may hold anything.
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found, before = {process}, 0
    while len(found) > before:
        before = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found
