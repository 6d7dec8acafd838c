"""Problem documents, addresses, repeats and frames, without a server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from onward import errors
from onward.client import OnwardClient
from onward.client import connection as connections
from onward.client.moments import MomentLike
from onward.client.problems import error_of
from onward.client.streams import frames
from onward.errors import OnwardError, RateLimitError, StorageError, UnauthenticatedError, UserError
from onward.server.problems import problem_of

CLASSES = [
    found
    for name in errors.__all__
    if isinstance(found := getattr(errors, name), type) and issubclass(found, OnwardError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_survives_the_way(kind: type[OnwardError]) -> None:
    """What the server writes the client reads: class and parts."""
    sent = kind("something is off", got="this", allowed="that", remedy="Do it.")
    document = problem_of(sent, "/here")
    found = error_of(
        httpx.Response(document.status_code, headers=dict(document.headers), content=bytes(document.body))
    )
    assert type(found) is kind
    assert (found.what, found.got, found.allowed, found.remedy) == (
        "something is off",
        "this",
        "that",
        "Do it.",
    )


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (502, b"<html>", OnwardError),
        (503, b"", StorageError),
        (404, b"[]", UserError),
        (418, b"{}", UserError),
    ],
)
def test_answers_of_something_in_between(status: int, content: bytes, kind: type[OnwardError]) -> None:
    assert type(error_of(httpx.Response(status, content=content))) is kind


def asked_of(answers: Callable[[int, httpx.Request], httpx.Response]) -> tuple[OnwardClient, list[str]]:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        return answers(len(seen), request)

    return OnwardClient("http://somewhere", transport=httpx.MockTransport(handle)), seen


def test_only_what_is_the_same_when_sent_twice_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "FIRST_PAUSE_SECONDS", 0.001)

    def breaks(number: int, request: httpx.Request) -> httpx.Response:
        if number < 3:
            raise httpx.ReadError("cut", request=request)
        return httpx.Response(200, json={"jobs": [], "cursor": None})

    client, seen = asked_of(breaks)
    assert client.jobs().jobs == ()
    assert seen == ["GET"] * 3
    client, seen = asked_of(breaks)
    with pytest.raises(connections.ServerAwayError, match="does not answer"):
        client.submit_training("fast")
    assert seen == ["POST"]
    client, seen = asked_of(lambda number, request: httpx.Response(503, content=b"{}"))
    with pytest.raises(StorageError):
        client.submit_training("fast", key="once")
    assert len(seen) == connections.ATTEMPTS
    client, seen = asked_of(lambda number, request: httpx.Response(429, headers={"Retry-After": "40"}))
    with pytest.raises(RateLimitError) as caught:
        client.jobs()
    assert (len(seen), caught.value.retry_after) == (1, 40.0)


def test_a_retry_is_sent_again_with_the_key_it_was_sent_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "FIRST_PAUSE_SECONDS", 0.001)
    keys: list[str] = []

    def breaks(number: int, request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        raise httpx.ReadError("cut", request=request)

    for key in (None, None, "mine"):
        client, seen = asked_of(breaks)
        with pytest.raises(connections.ServerAwayError):
            client.retry("abc", key=key)
        assert seen == ["POST"] * connections.ATTEMPTS
    first, second, mine = (set(keys[n : n + 4]) for n in (0, 4, 8))
    assert (len(first), len(second), mine) == (1, 1, {"mine"})
    assert first != second


def test_names_never_become_other_addresses() -> None:
    paths: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        return httpx.Response(404, json={})

    client = OnwardClient("http://somewhere/", transport=httpx.MockTransport(handle))
    for ask in (
        lambda: client.job("../models"),
        lambda: client.versions("a/b?c"),
        lambda: client.rollback("a", "../x"),
        lambda: client.quality("BTC/USDT"),
    ):
        with pytest.raises(OnwardError):
            ask()
    assert paths == [
        "/api/v1/jobs/..%2Fmodels?spec=true",
        "/api/v1/models/a%2Fb%3Fc?limit=500",
        "/api/v1/models/a/aliases/..%2Fx/rollback",
        "/api/v1/data/series/candles/BTC%2FUSDT/quality",
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("2019-10-01T00:00:00Z", "2019-10-01T00:00:00+00:00"),
        ("2019-10-01", "2019-10-01T00:00:00+00:00"),
        ("2019-10-01T02:00+02:00", "2019-10-01T02:00:00+02:00"),
        (datetime(2019, 10, 1), "2019-10-01T00:00:00+00:00"),
        (datetime(2019, 10, 1, tzinfo=UTC), "2019-10-01T00:00:00+00:00"),
    ],
)
def test_moments_are_text_or_datetimes_in_utc(given: MomentLike, told: str) -> None:
    seen: list[object] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content or b"{}") or dict(request.url.params))
        return httpx.Response(404, json={})

    client = OnwardClient("http://somewhere", transport=httpx.MockTransport(handle))
    for ask in (
        lambda: client.predict("a/1", at=given, start=given),
        lambda: client.history("a", at=given),
        lambda: client.retry("1", run_after=given),
        lambda: client.submit_training("fast", run_after=given),
    ):
        with pytest.raises(OnwardError):
            ask()
    assert seen == [
        {"at": told, "start": told},
        {"at": told},
        {"fresh": False, "run_after": told},
        {"plan": "fast", "run_after": told},
    ]


@pytest.mark.parametrize("given", ["yesterday", "", 1_569_888_000, float("nan")])
def test_moments_that_are_none_are_refused_with_a_remedy(given: object) -> None:
    client, seen = asked_of(lambda number, request: httpx.Response(500))
    with pytest.raises(UserError, match="at takes a moment") as caught:
        client.predict("a/1", at=given)  # type: ignore[arg-type]
    assert "ISO 8601" in str(caught.value.allowed)
    assert not seen


@pytest.mark.parametrize(
    "url", ["", "localhost:8321", "ftp://a", "http://", "http://a:b@c", "http://a?b", "http://a:99999"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UserError, match="no address"):
        OnwardClient(url)


def test_a_key_that_is_none() -> None:
    with pytest.raises(UserError, match="API key"):
        OnwardClient("http://a", api_key="clé\n")


def test_without_a_key_it_is_said_how_one_is_given_here() -> None:
    refused = problem_of(UnauthenticatedError("a key is needed", remedy="Send an Authorization header."), "/")
    answer = {"headers": dict(refused.headers), "content": bytes(refused.body)}
    for key, remedy in ((None, "ONWARD_API_KEY or --api-key"), ("onward_wrong", "Authorization header")):
        transport = httpx.MockTransport(lambda request: httpx.Response(refused.status_code, **answer))
        with pytest.raises(UnauthenticatedError) as caught:
            OnwardClient("http://somewhere", api_key=key, transport=transport).jobs()
        assert remedy in str(caught.value.remedy)


def test_frames_are_whole_or_left_out() -> None:
    lines = [
        ": hello",
        "retry: 5",
        "",
        "id: 1",
        "event: log",
        'data: {"a":',
        "data: 1}",
        "",
        "event: end",
        "data: {}",
    ]
    assert list(frames(lines)) == [("log", {"a": 1})]


def test_the_client_is_light() -> None:
    heavy = ("pandas", "pyarrow", "numpy", "fastapi", "sqlalchemy", "pydantic")
    scene = f"import sys, onward.client; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", scene], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
