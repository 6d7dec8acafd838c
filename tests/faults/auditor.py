"""The outside auditor: a process that looks every 50 ms which processes of which attempt live.

It knows nothing of wardens and sessions: a process belongs to an attempt when its standard output
goes to the attempt's log, or when it bears the attempt's marker. It writes a line when what it sees
has changed, and another when that lasted: ``{"at": wall second before the look, "live":
{"job/attempt": [running, suspended]}}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path

MARKER = b"ONWARD_JOB_ATTEMPT="
PAUSE = 0.05


def look(jobs: str) -> dict[str, list[int]]:
    """Return living processes of each attempt below a directory: not suspended, suspended."""
    live: dict[str, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - a thousand times a minute
        if not name.isdigit():
            continue
        attempt = attempt_of(name, jobs)
        if attempt is None:
            continue
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{name}/stat").read_text(errors="replace")
            state = stat[stat.rindex(")") + 2]
            if state not in "ZX":
                live.setdefault(attempt, [0, 0])[state in "Tt"] += 1
    return live


def attempt_of(pid: str, jobs: str) -> str | None:
    """Return ``job/attempt`` of a process."""
    with contextlib.suppress(OSError):
        output = os.readlink(f"/proc/{pid}/fd/1")  # noqa: PTH115
        if output.startswith(jobs):
            return "/".join(output[len(jobs) :].strip("/").split("/")[:2])
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if entry.startswith(MARKER):
                marker = entry[len(MARKER) :].decode()
                return marker if Path(jobs, marker).exists() else None
    return None


def main() -> None:
    jobs, out = sys.argv[1], Path(sys.argv[2])
    last: object = None
    same = 0
    with out.open("w", buffering=1) as file:
        print("ready", flush=True)
        while os.getppid() != 1:
            at = time.time()
            live = look(jobs)
            same = same + 1 if live == last else 0
            if same < 2:  # the second line says that it lasted
                file.write(json.dumps({"at": at, "live": live}) + "\n")
            last = live
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
