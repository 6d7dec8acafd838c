"""The outside auditor: a process that looks every 50 ms which processes of which attempt live.

It knows nothing of wardens and sessions: a process belongs to an attempt when its standard output
goes to the attempt's log, or when it bears the attempt's marker. One auditor serves all worlds of a
runner. Into the ``audit.jsonl`` of each world it writes a line when what it sees there has changed,
and another when that lasted: ``{"at": wall second before the look, "live": {"job/attempt":
[running, suspended]}}``.

It also tells how the machine treats whoever only wants to look and to sleep: ``stalls.jsonl`` has a
line for each time that it stood still though it wanted to go on, ``pulse`` for how many seconds it has
waited for a processor lately, each time that it wanted one; ``pulses.txt`` keeps all of these.
"""

from __future__ import annotations

# ruff: noqa: PTH105, PTH110, PTH115, PTH123, PTH208
import contextlib
import json
import os
import sys
import time
from typing import IO

MARKER = b"ONWARD_JOB_ATTEMPT="
PAUSE = 0.05
STALL = 0.1
PULSE_LOOKS = 5


class World:
    """What was seen of one world last."""

    def __init__(self, directory: str) -> None:
        self._file: IO[str] = open(f"{directory}/audit.jsonl", "a", buffering=1)  # noqa: SIM115
        self._last: dict[str, list[int]] | None = None
        self._same = 0

    def seen(self, at: float, live: dict[str, list[int]]) -> None:
        self._same = self._same + 1 if live == self._last else 0
        if self._same < 2:  # the second line says that it lasted
            self._file.write(json.dumps({"at": at, "live": live}) + "\n")
        self._last = live

    def close(self) -> None:
        self._file.close()


class Auditor:
    """Looks at everything that was not there before it.

    Parameters
    ----------
    worlds
        Directory with one below it for each world; attempts are in ``jobs/<job>/<attempt>`` there.
    """

    def __init__(self, worlds: str) -> None:
        self._prefix = worlds.rstrip("/") + "/"
        self._elders = {name for name in os.listdir("/proc") if name.isdigit()}
        self._markers: dict[bytes, str] = {}
        self._worlds: dict[str, World] = {}

    def look(self, at: float) -> None:
        """Look once, and write down what has changed."""
        names = set(os.listdir(self._prefix))
        live: dict[str, dict[str, list[int]]] = {name: {} for name in names}
        processes = {name for name in os.listdir("/proc") if name.isdigit()}
        self._elders &= processes
        for pid in processes - self._elders:
            found = self._attempt_of(pid)
            if found is None:
                continue
            world, attempt = found
            state = _state(pid)
            if state not in "ZX" and world in live:
                live[world].setdefault(attempt, [0, 0])[state in "Tt"] += 1
        for name in self._worlds.keys() - names:
            self._worlds.pop(name).close()
        for name, seen in live.items():
            if name not in self._worlds:
                with contextlib.suppress(OSError):  # taken down just now
                    self._worlds[name] = World(self._prefix + name)
            if name in self._worlds:
                self._worlds[name].seen(at, seen)

    def _attempt_of(self, pid: str) -> tuple[str, str] | None:
        """Return world and ``job/attempt`` of a process."""
        with contextlib.suppress(OSError):
            output = os.readlink(f"/proc/{pid}/fd/1")
            if output.startswith(self._prefix):
                world, jobs, *rest = output[len(self._prefix) :].split("/")
                return (world, "/".join(rest[:2])) if jobs == "jobs" else None
        environment = _read(f"/proc/{pid}/environ")
        begin = environment.find(MARKER)
        if begin < 0:
            return None
        marker = environment[begin + len(MARKER) :].partition(b"\0")[0]
        if marker not in self._markers:
            text = marker.decode()
            for world in os.listdir(self._prefix):
                if os.path.exists(f"{self._prefix}{world}/jobs/{text}"):
                    self._markers[marker] = world
                    break
            else:
                return None
        return self._markers[marker], marker.decode()


def _read(file: str) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 262_144)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _state(pid: str) -> str:
    stat = _read(f"/proc/{pid}/stat").decode(errors="replace")
    return stat[stat.rindex(")") + 2] if ")" in stat else "X"


def _waited() -> float:
    """Return the seconds for which this process wanted a processor and had none."""
    return int((_read("/proc/self/schedstat").split() or [b"0", b"0"])[1]) / 1e9


def main() -> None:
    base = sys.argv[1]
    auditor = Auditor(f"{base}/worlds")
    parent = os.getppid()
    looks, waited = 0, _waited()
    began = time.monotonic()
    with open(f"{base}/stalls.jsonl", "a", buffering=1) as stalls:
        while os.getppid() == parent:
            at, busy = time.time(), time.process_time()
            auditor.look(at)
            time.sleep(PAUSE)
            now = time.monotonic()
            stood = now - began - PAUSE - (time.process_time() - busy)
            began = now
            if stood > STALL:
                stalls.write(json.dumps({"at": at, "seconds": round(stood, 3)}) + "\n")
            looks += 1
            if looks % PULSE_LOOKS == 1:
                _tell(base, (_waited() - waited) / PULSE_LOOKS)
                waited = _waited()


def _tell(base: str, seconds: float) -> None:
    with open(f"{base}/pulse.new", "w") as file:
        file.write(f"{seconds:.4f}")
    os.replace(f"{base}/pulse.new", f"{base}/pulse")
    with open(f"{base}/pulses.txt", "a") as file:
        file.write(f"{seconds:.4f}\n")


if __name__ == "__main__":
    main()
