"""What a connection takes: heads with an end, several requests, offers of other protocols."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listening = bound_socket("127.0.0.1", 0)
    config = uvicorn.Config(echo, http=BoundedHttp, loop="auto", ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


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
