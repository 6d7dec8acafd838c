"""Two hundred clients that vanish in the middle of something: the server has everything back, and answers."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.integration.server.processes import Served, served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc here"),
]

MANY = 200
MEGABYTE = 2**20


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    descriptors: int
    threads: int
    memory: int

    @classmethod
    def by(cls, pid: int) -> Held:
        process = Path(f"/proc/{pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        memory = int(status["VmRSS"].split()[0]) * 1024
        return cls(len(list((process / "fd").iterdir())), int(status["Threads"]), memory)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("vanished") / "home", "--no-jobs") as server:
        yield server


@pytest.fixture(scope="module")
def job(server: Served) -> str:
    """A job that waits for ever."""
    inbox = server.home / "inbox"
    inbox.mkdir()
    (inbox / "x.csv").write_text("timestamp,open,high,low,close,volume\n1577836800000,1,2,0.5,1.5,3\n")
    body = {"files": ["x.csv"], "symbol": "A/B", "timeframe": "1h", "run_after": "2100-01-01T00:00:00Z"}
    answer = httpx.post(f"{server.address}/api/v1/import-jobs", json=body, timeout=60)
    assert answer.status_code == 202, answer.text

    def ask(number: int) -> int:
        path = ("/api/v1/jobs", "/api/v1/models", "/api/v1/openapi.json")[number % 3]
        return httpx.get(f"{server.address}{path}", timeout=60).status_code

    with ThreadPoolExecutor(40) as pool:  # threads and connections of the database that it keeps
        assert set(pool.map(ask, range(300))) == {200}
    return str(answer.json()["id"])


def connected(server: Served, head: str, body: bytes = b"") -> socket.socket:
    url = httpx.URL(server.address)
    client = socket.create_connection((url.host, url.port), timeout=30)
    client.sendall(f"{head}\r\nHost: localhost\r\n".encode() + body)
    return client


def reset(client: socket.socket) -> None:
    """Vanish as a process that is killed does: what was not read is lost."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def following(server: Served, job: str) -> socket.socket:
    client = connected(
        server, f"GET /api/v1/jobs/{job}/events HTTP/1.1", b"Accept: text/event-stream\r\n\r\n"
    )
    assert client.recv(15).startswith(b"HTTP/1.1 200 OK")
    return client


def half_a_body(server: Served, job: str) -> socket.socket:
    body = b'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"plan": "fa'
    return connected(server, "POST /api/v1/training-jobs HTTP/1.1", body)


def half_an_upload(server: Served, job: str) -> socket.socket:
    head = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\ntimestamp,open'
    return connected(server, "POST /api/v1/data/import HTTP/1.1", head + part)


def half_a_head(server: Served, job: str) -> socket.socket:
    return connected(server, "GET /api/v1/jobs HTTP/1.1", b"X-Half: ")


def reading_nothing(server: Served, job: str) -> socket.socket:
    """Ask for megabytes and take none of them."""
    client = connected(server, "GET /api/v1/openapi.json HTTP/1.1", b"\r\n")
    for _ in range(20):
        client.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client


def asking_and_leaving(server: Served, job: str) -> socket.socket:
    return connected(server, f"GET /api/v1/jobs/{job} HTTP/1.1", b"\r\n")


KINDS = (following, half_a_body, half_an_upload, half_a_head, reading_nothing, asking_and_leaving)


@pytest.mark.parametrize("vanish", [socket.socket.close, reset], ids=["closed", "reset"])
@pytest.mark.parametrize("begin", KINDS, ids=[one.__name__ for one in KINDS])
def test_whoever_vanishes_leaves_nothing_behind(
    server: Served,
    job: str,
    begin: Callable[[Served, str], socket.socket],
    vanish: Callable[[socket.socket], None],
) -> None:
    with httpx.Client(base_url=server.address, timeout=30) as http:
        for _ in range(3):  # what is made once, at the first of its kind
            vanish(begin(server, job))
        assert http.get("/health/ready").status_code == 200
        before = calm(server, http)
        clients = [begin(server, job) for _ in range(MANY)]
        if begin is following:
            assert Held.by(server.pid).descriptors >= before.descriptors + MANY
            assert followers(http) == MANY
        began = time.monotonic()
        assert http.get(f"/api/v1/jobs/{job}").json()["state"] == "queued"
        assert time.monotonic() - began < 5.0, "while they are there"
        for client in clients:
            vanish(client)
        after = calm(server, http, before.descriptors + 2)
        print(f"{begin.__name__}, {vanish.__name__}: {before} -> {after}")
        assert after.threads <= before.threads + 4, (before, after)
        assert after.memory <= before.memory + 24 * MEGABYTE, (before, after)
        assert not list((server.home / "uploads").glob("arriving-*"))
        assert http.get(f"/api/v1/jobs/{job}").json()["state"] == "queued"


def followers(http: httpx.Client) -> int:
    text = http.get("/metrics").text
    (line,) = [one for one in text.splitlines() if one.startswith("onward_http_event_streams ")]
    return int(float(line.split()[1]))


def calm(server: Served, http: httpx.Client, most: int | None = None) -> Held:
    """Return what the server holds once everybody who left is noticed: at most so many descriptors."""
    ends, last = time.monotonic() + 20, -1
    while time.monotonic() < ends:
        held = Held.by(server.pid)
        settled = held.descriptors == last if most is None else held.descriptors <= most
        if settled and not followers(http):
            return held
        last = held.descriptors
        time.sleep(0.3)
    raise AssertionError((Held.by(server.pid), most, sorted(links(server.pid))))


def links(pid: int) -> list[str]:
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except OSError:
            continue
    return found
