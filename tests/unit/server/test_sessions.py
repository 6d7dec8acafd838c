"""Browsers log in with a key, and show with every change that it comes from our pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, Response

from onward.server import create_app
from onward.server.dependencies import requires
from onward.server.sessions import csrf_token, current_session
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

HERE = "/api/v1/session"
STOP = "/api/v1/jobs/0001/stop"


@pytest.fixture
def services(tmp_path: Path) -> Any:
    services = memory_services(tmp_path)
    services.secret = services.access.create_key("ann", "run")[1].text
    return services


@pytest.fixture
def client(services: Any) -> Iterator[Client]:
    with Client(create_app(services)) as client:
        yield client


def log_in(client: Client, services: Any, **arguments: Any) -> tuple[str, dict[str, Any]]:
    answer = client.post(HERE, json={"key": services.secret}, **arguments)
    assert answer.status_code == 201, answer.text
    return answer.headers["set-cookie"], answer.json()


def test_in_and_out_again(client: Client, services: Any) -> None:
    cookie, said = log_in(client, services)
    name, _, rest = cookie.partition("=")
    assert name == "onward_session"
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(rest.split("; "))
    assert "Secure" not in rest
    assert services.secret not in cookie
    assert (said["name"], said["scope"]) == ("ann", "run")
    shown = client.get(HERE).json()  # the client keeps the cookie, as a browser does
    assert shown == said
    token = {"X-CSRF-Token": said["csrf_token"]}
    assert client.post(STOP, headers=token).status_code == 404, "let in, to find no such job"
    answer = client.request("DELETE", HERE, headers=token)
    assert answer.status_code == 204
    assert "onward_session=" in answer.headers["set-cookie"]
    again = client.get(HERE, headers={"Cookie": cookie.partition(";")[0]})
    assert again.status_code == 401, "the session itself has ended, not just the cookie"
    assert [e.action for e in services.access.entries] == ["key.create", "login", "logout"]
    assert services.access.entries[-1].who == said["who"]


def test_with_tls_the_cookie_is_of_this_very_host(tmp_path: Path) -> None:
    trusted = memory_services(tmp_path, server__trusted_proxies=["127.0.0.1"])
    trusted.secret = trusted.access.create_key("ann", "run")[1].text
    with Client(create_app(trusted)) as client:
        https = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        cookie, _ = log_in(client, trusted, headers=https)
        assert cookie.startswith("__Host-onward_session=")
        assert "Secure" in cookie.split("; ")
        pair = cookie.partition(";")[0]
        assert client.get(HERE, headers={**https, "Cookie": pair}).status_code == 200
        plain = pair.removeprefix("__Host-")
        assert client.get(HERE, headers={**https, "Cookie": plain}).status_code == 401


@pytest.mark.parametrize("key", ["x", "onward_0123456789_" + "x" * 43, "é", "a" * 200])
def test_wrong_keys_begin_nothing(client: Client, services: Any, key: str) -> None:
    answer = client.post(HERE, json={"key": key})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert not services.access.sessions


@pytest.mark.parametrize(
    "body", [{}, {"key": ""}, {"key": "x" * 201}, {"key": 1}, {"key": "\0"}, {"key": "x", "y": 1}]
)
def test_odd_bodies_are_refused(client: Client, body: dict[str, Any]) -> None:
    assert client.post(HERE, json=body).status_code == 422


@pytest.mark.parametrize(
    "headers", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x" * 43}, {"X-CSRF-Token": "\u00e9"}]
)
def test_a_change_without_the_token_is_refused(
    client: Client, services: Any, headers: dict[str, str]
) -> None:
    log_in(client, services)
    given = {name: value.encode("utf-8") for name, value in headers.items()}
    answer = client.post(STOP, headers=given)
    assert answer.status_code == 403
    assert "X-CSRF-Token" in answer.json()["allowed"]
    assert client.request("DELETE", HERE, headers=given).status_code == 403
    assert client.get(HERE).status_code == 200


def test_the_token_of_another_session_is_another(client: Client, services: Any) -> None:
    _, first = log_in(client, services)
    _, second = log_in(client, services)
    assert first["csrf_token"] != second["csrf_token"]
    assert client.post(STOP, headers={"X-CSRF-Token": first["csrf_token"]}).status_code == 403


def test_keys_need_no_token(client: Client, services: Any) -> None:
    log_in(client, services)
    headers = {"Authorization": f"Bearer {services.secret}"}
    assert client.post(STOP, headers=headers).status_code == 404, "a key goes before a cookie"


def test_forms_carry_the_token_in_a_field(services: Any) -> None:
    router = APIRouter(dependencies=[requires("run")])

    @router.post("/form")
    async def form(request: Request, name: str = Form()) -> Response:
        session = current_session(request)
        assert session is not None
        assert csrf_token(request) == session.csrf_token
        return JSONResponse({"name": name, "csrf": (await request.form())["csrf_token"]})

    @router.post("/bare")
    async def bare(request: Request) -> Response:
        return JSONResponse(dict(await request.form()))

    app = create_app(services)
    app.include_router(router)
    with Client(app) as client:
        _, said = log_in(client, services)
        token = said["csrf_token"]
        fields = {"name": "x", "csrf_token": token}
        assert client.post("/form", data=fields).json() == {"name": "x", "csrf": token}
        assert client.post("/form", data={"name": "x"}, files={"f": b"x"}).status_code == 403
        sent = {"data": fields, "files": {"f": b"x"}}
        assert client.post("/form", **sent).status_code == 200
        assert client.post("/bare", data=fields).json() == fields
        assert client.post("/bare", data={"name": "x"}).status_code == 403


def test_a_stale_cookie_is_in_nobodys_way(tmp_path: Path) -> None:
    services = memory_services(tmp_path)
    with Client(create_app(services)) as client:
        stale = {"Cookie": "onward_session=of-another-server"}
        assert client.get(HERE, headers=stale).json()["who"] == "local"
        services.secret = services.access.create_key("ann", "run")[1].text
        client.app.state.onward.authenticator.look_for_keys()
        assert client.get(HERE, headers=stale).status_code == 401
        assert client.post(HERE, json={"key": services.secret}, headers=stale).status_code == 201


def test_a_session_ends_with_its_key(client: Client, services: Any) -> None:
    log_in(client, services)
    assert client.get(HERE).status_code == 200
    services.access.revoke_key("ann")
    client.app.state.onward.authenticator._known.clear()
    assert client.get(HERE).status_code == 401


def test_pages_of_other_sites_cannot_log_anybody_in(client: Client, services: Any) -> None:
    answer = client.post(HERE, json={"key": services.secret}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_an_upload_of_a_session_shows_its_token_in_the_header(client: Client, services: Any) -> None:
    _, said = log_in(client, services)
    sent = {"data": {"csrf_token": said["csrf_token"]}, "files": {"file": b"x"}}
    refused = client.post("/api/v1/data/import", **sent)
    assert refused.status_code == 403, "not read for a field: the route takes the body as a stream"
    assert refused.json()["allowed"] == "the header X-CSRF-Token"
    passed = client.post(
        "/api/v1/data/import", headers={"X-CSRF-Token": said["csrf_token"]}, files={"other": b"x"}
    )
    assert passed.status_code == 422, "let in, to be told that there is no such field"
