"""What a connection takes: heads with an end, several requests, offers of other protocols."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
import uvicorn

from onward.server.running import bound_socket
from onward.server.wire import MOST_HEAD_BYTES, BoundedHttp


async def echo(scope, receive, send):
    """Answer with the body, and with how many headers came with it."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    told = f"{scope['method']} {len(body)} {[n.decode() for n, _ in scope['headers']]}".encode()
    loop = type(asyncio.get_running_loop()).__module__.encode()
    headers = [(b"content-length", str(len(told)).encode()), (b"x-loop", loop)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


@contextmanager
def served(app, protocol) -> Iterator[tuple[int, uvicorn.Server]]:
    listening = bound_socket("127.0.0.1", 0)
    config = uvicorn.Config(
        app,
        http=protocol,
        loop="auto",
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listening.getsockname()[1], server
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(echo, BoundedHttp) as (port, _):
        yield port


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        """Send; a server that has closed by now has answered before."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def answer(self):
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        return status, headers, self.file.read(int(headers["content-length"])).decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


@pytest.fixture
def client(port):
    with Client(port) as client:
        yield client


def test_several_requests_at_once_are_answered_in_order(client):
    client.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
    told = [client.answer() for _ in range(3)]
    assert [body[:5] for _, _, body in told] == ["GET 0", "GET 0", "PUT 3"]
    if sys.platform == "linux":
        assert told[0][1]["x-loop"] == "uvloop"


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param((b"GET /", b"a" * 1000), id="address"),
        pytest.param((b"GET / HTTP/1.1\r\nX: ", b"a" * 1000), id="value"),
        pytest.param((b"GET / HTTP/1.1\r\n", b"X: aaaa\r\n" * 100), id="headers"),
        pytest.param((b"GET / HTTP/1.1\r\n", b"A" * 1000), id="name"),
        pytest.param(
            (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: aaaa\r\n" * 100),
            id="trailers",
        ),
        pytest.param(
            (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 1000), id="extension"
        ),
    ],
)
def test_a_head_without_an_end_is_refused(client, endless):
    first, more = endless
    client.send(first)
    sent = 0
    while sent < 40 * MOST_HEAD_BYTES and client.send(more):
        sent += len(more)
        if sent > 4 * MOST_HEAD_BYTES:  # what the system holds in between is not what the server took
            time.sleep(0.002)
    assert sent < 40 * MOST_HEAD_BYTES, "the server took it all"
    try:
        status, headers, body = client.answer()
    except (ConnectionResetError, IndexError):  # closed with our bytes unread: the answer is lost
        return
    assert (status, headers["connection"]) == (400, "close")
    assert "too large" in body or "Invalid" in body


def test_what_is_large_and_has_an_end_is_taken(client):
    head = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 500) for n in range(100))
    chunks = (b"%x\r\n" % 5000 + b"b" * 5000 + b"\r\n") * 60 + b"0\r\nX-Trailer: 1\r\n\r\n"
    client.send(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + head + b"\r\n" + chunks)
    status, _, body = client.answer()
    assert status == 200
    assert body.startswith("PUT 300000 ")
    assert body.count("x-") == 100
    assert "x-trailer" not in body
    for _ in range(3):  # many requests on one connection add up to more than one head may have
        client.send(b"GET / HTTP/1.1\r\n" + head + b"\r\n")
        assert client.answer()[0] == 200


@pytest.mark.parametrize("offer", [b"h2c", b"websocket"])
def test_offers_of_other_protocols_are_left_and_the_connection_goes_on(client, offer, caplog):
    told = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: " + offer + b"\r\n"
    client.send(b"PUT / HTTP/1.1\r\n" + told + b"Content-Length: 3\r\n\r\nabc")
    assert client.answer()[2].startswith("PUT 3")
    for _ in range(2):
        client.send(b"GET / HTTP/1.1\r\n" + told + b"\r\n")
        assert client.answer()[2].startswith("GET 0")
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.answer()[0] == 200
    assert not caplog.records


@pytest.mark.parametrize(
    "odd",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET / HTTP/1.1\r\nX : 1\r\n\r\n",
        "GET /ä HTTP/1.1\r\n\r\n".encode(),
    ],
)
def test_what_is_no_request_is_refused(client, odd):
    client.send(odd)
    assert client.answer()[0] == 400
    assert client.file.read() == b""


# -- clients that fall silent ---------------------------------------------------------------------


class Impatient(BoundedHttp):
    silence_seconds = 0.6
    stuck_seconds = 0.6


async def slow_or_endless(scope, receive, send):
    """Answer after a while, or without an end until the client has left."""
    if scope["path"] == "/slow":
        await asyncio.sleep(1.2)
    if scope["path"] != "/endless":
        await echo(scope, receive, send)
        return
    await receive()
    left = asyncio.ensure_future(receive())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not left.done():
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await asyncio.sleep(0)  # sending to somebody who has left returns at once


@pytest.fixture(scope="module")
def impatient() -> Iterator[tuple[int, uvicorn.Server]]:
    with served(slow_or_endless, Impatient) as served_there:
        yield served_there


@pytest.mark.parametrize(
    "half",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n", id="head"),
        pytest.param(b"PUT / HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc", id="body"),
        pytest.param(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", id="chunk"),
        pytest.param(
            b"PUT / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
            b"Content-Length: 9\r\n\r\nabc",
            id="h11",
        ),
    ],
)
def test_half_a_request_is_waited_for_only_for_a_while(impatient, half):
    port, server = impatient
    with Client(port) as client:
        client.send(half)
        began = time.monotonic()
        client.socket.settimeout(10)
        try:
            said = client.file.read()
        except ConnectionResetError:
            said = b""
        assert said == b""
        assert 0.3 < time.monotonic() - began < 5
    _until(lambda: not server.server_state.connections and not server.server_state.tasks)


def test_who_takes_nothing_is_let_go(impatient):
    port, server = impatient
    with Client(port) as client:
        client.send(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        assert len(server.server_state.connections) == 1
        _until(lambda: not server.server_state.connections and not server.server_state.tasks)


def test_a_slow_server_and_a_slow_client_are_not_silent(impatient):
    port, _ = impatient
    with Client(port) as client:
        client.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.answer()[0] == 200
        client.send(b"PUT / HTTP/1.1\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(0.15)
            client.send(b"a")
        assert client.answer()[2].startswith("PUT 8")
    with Client(port) as client:
        client.send(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        taken, ends = 0, time.monotonic() + 1.5
        while time.monotonic() < ends:
            taken += len(client.socket.recv(200_000))
            time.sleep(0.01)
        assert taken > 1_000_000


def _until(condition):
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends, "it did not come about in time"
        time.sleep(0.02)
