"""Lines between processes: whole messages, and nobody who waits for whoever does not read."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Iterator

import pytest

from onward.jobs.local.lines import LineSocket, readable


@pytest.fixture
def pair() -> Iterator[tuple[LineSocket, LineSocket, socket.socket]]:
    left, right = socket.socketpair()
    yield LineSocket(left), LineSocket(right), left
    left.close()
    right.close()


def drain(line: LineSocket, count: int) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = []
    deadline = time.monotonic() + 10
    while len(messages) < count and time.monotonic() < deadline:
        messages += line.receive(0.05)
    return messages


def test_messages_come_whole_and_in_order(pair: tuple[LineSocket, LineSocket, socket.socket]) -> None:
    ours, theirs, _ = pair
    for number in range(100):
        assert ours.send({"type": "log", "text": "ä\n" * number})
    assert [message["text"] for message in drain(theirs, 100)] == ["ä\n" * number for number in range(100)]


def test_posting_never_waits(pair: tuple[LineSocket, LineSocket, socket.socket]) -> None:
    ours, theirs, _ = pair
    began = time.monotonic()
    ours.post({"type": "answer", "value": "x" * 3_000_000})
    ours.post({"type": "last"})
    assert time.monotonic() - began < 1.0
    messages: list[dict[str, object]] = []
    while len(messages) < 2:
        messages += theirs.receive(0.0)
        ours.post()
    assert len(str(messages[0]["value"])) == 3_000_000
    assert messages[1] == {"type": "last"}


def test_what_is_superseded_does_not_pile_up(pair: tuple[LineSocket, LineSocket, socket.socket]) -> None:
    ours, theirs, _ = pair
    for beat in range(20_000):  # hours of heartbeats to a warden that is suspended
        ours.post({"type": "renewed", "sent": beat}, supersedes=True)
    assert len(ours._waiting) < 100
    messages = drain(theirs, 1)
    assert [message["sent"] for message in messages] == list(range(len(messages)))


def test_nobody_there(pair: tuple[LineSocket, LineSocket, socket.socket]) -> None:
    ours, theirs, _ = pair
    theirs.close()
    ours.post({"type": "kill"})
    assert not ours.send({"type": "kill"})
    assert ours.receive(0.1) == []
    assert ours.ended


@pytest.mark.parametrize("junk", [b"nonsense\n", b"[1]\n", b'{"no": "type"}\n', b"\xff\xfe\n"])
def test_what_is_no_message(pair: tuple[LineSocket, LineSocket, socket.socket], junk: bytes) -> None:
    _, theirs, raw = pair
    raw.sendall(junk)
    with pytest.raises(ValueError):  # noqa: PT011 - JSON and text raise their own kinds of it
        theirs.receive(1.0)


def test_descriptors_above_1023_can_be_waited_for() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1_200:
        pytest.skip("no more than 1,200 open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1_200), hard))
    end, writing = os.pipe()
    high = os.dup2(end, 1_100)
    try:
        assert not readable([high], 0.0)
        os.write(writing, b"x")
        assert readable([high], 1.0)
    finally:
        for descriptor in (end, writing, high):
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
