"""The actor's inside, without Ray: what it keeps, what it refuses, and that it ends without a server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from onward.errors import JobError
from onward.jobs.ray.host import check_shared, check_versions
from onward.testing.job_backends import living, until

# A host ends its own process when nobody asks for it, so each has one of its own.
PREAMBLE = """
import json, sys, time
from pathlib import Path
from onward._version import __version__
from onward.jobs.local.processes import find
from onward.jobs.ray.host import AttemptHost, Order
from onward.testing.job_backends import ENTRIES, job_of

place = Path(sys.argv[1])
(place / "work").mkdir()
(place / "token").touch()

def born(kind, spec=None, fence=30.0, version=__version__, token="token"):
    host = AttemptHost()
    order = Order(version, job_of(kind, spec or {}), str(place), token, ENTRIES, None, {}, (), fence, 20.0)
    return host, host.start(order)

def say(value):
    print(json.dumps(value), flush=True)

def state(pid):
    process = find(pid)
    return "gone" if process is None or process.dead else process.state
"""


def run(code: str, place: Path, *, code_expected: int = 0) -> list[Any]:
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code, str(place)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code_expected, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_messages_stay_until_they_are_acknowledged(tmp_path: Path) -> None:
    said = run(
        """
host, told = born("echo", {"x": 1})
host.tell("begin")
deadline = time.monotonic() + 20
while (reply := host.listen(0, 1.0))["ending"] is None and time.monotonic() < deadline:
    time.sleep(0.01)
say([message["type"] for message in reply["messages"]])
say(reply["ending"])
again = host.listen(0, 1.0)
say(again["messages"] == reply["messages"])
later = host.listen(2, 1.0)
say([later["first"], [message["type"] for message in later["messages"]], later["ending"] is not None])
say(host.look()["ending"])
""",
        tmp_path,
    )
    assert said[0] == ["progress", "log", "result"]
    assert said[1] == {"exit_code": 0, "signal": None, "out_of_memory": False}
    assert said[2] is True
    assert said[3] == [2, ["result"], True]
    assert said[4] is None, "the end is not told before the last message has arrived"


def test_an_actor_whose_server_is_silent_ends_itself_and_its_worker(tmp_path: Path) -> None:
    (pid,) = run(
        """
host, told = born("lightgbm", fence=1.0)
host.tell("begin")
say(told["identity"]["pid"])
time.sleep(30)
""",
        tmp_path,
        code_expected=-9,
    )
    until(lambda: not living([pid]), 3.0)


def test_without_a_renewed_lease_the_worker_is_suspended_until_there_is_one(tmp_path: Path) -> None:
    states = run(
        """
host, told = born("lightgbm", fence=1.0)
host.tell("begin")
pid = told["identity"]["pid"]

def wait_for(wanted):
    deadline = time.monotonic() + 10
    while state(pid) not in wanted and time.monotonic() < deadline:
        host.listen(0, 0.05)  # the server is there; its database is not
    return state(pid) in wanted

say(wait_for("T"))
host.tell("renew", told["stamp"])  # what was true long ago proves nothing
for _ in range(10):
    host.listen(0, 0.05)
say(state(pid) == "T")
host.tell("renew", host.look()["stamp"])
say(wait_for("RSD"))
host.tell("kill")
say(wait_for(["gone"]))
""",
        tmp_path,
    )
    assert states == [True, True, True, True]


def test_another_version_and_unshared_files_are_refused(tmp_path: Path) -> None:
    said = run(
        """
say(born("echo", version="0.0.1")[1]["error"])
say(born("echo", token="nowhere")[1]["error"])
""",
        tmp_path,
    )
    assert "another version" in said[0]["what"]
    assert "0.0.1 at the server" in said[0]["got"]
    assert "does not see the server's files" in said[1]["what"]
    assert "ONWARD_HOME" in said[1]["remedy"]


def test_the_checks_say_what_to_do(tmp_path: Path) -> None:
    check_versions("1.2.3", "1.2.3")
    with pytest.raises(JobError, match=r"onward\[ray\]==1\.2\.3"):
        check_versions("1.2.3", "1.2.4")
    (tmp_path / "there").touch()
    check_shared(tmp_path, "there")
    with pytest.raises(JobError, match="shared storage"):
        check_shared(tmp_path, "elsewhere")
