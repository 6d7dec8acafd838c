"""Every address of the server declares the scope that it needs, exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.routing import RouteContext, iter_route_contexts

from onward.server import create_app
from onward.server.authorisation import declared
from tests.unit.server.memory import memory_services

KNOWN_CALLERS_ONLY = {"/api/v1/openapi.json"}
"""Not a route of ours; who is unknown does not pass the authentication in front of it."""
OPEN_TO_EVERYBODY = {
    "/health/live",
    "/health/ready",
    "/api/v1/health/live",
    "/api/v1/health/ready",
    "/api/v1/session",
}
OWN_SESSION = "/api/v1/session"
"""Everybody may log in and out."""


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[RouteContext]:
    app = create_app(memory_services(tmp_path_factory.mktemp("scopes")))
    return list(iter_route_contexts(app.routes))


def test_every_route_declares_one_scope(routes: list[RouteContext]) -> None:
    assert len(routes) > 30
    for route in routes:
        if route.path in KNOWN_CALLERS_ONLY:
            continue
        found = declared(getattr(route, "dependencies", ()))
        assert len(found) == 1, f"{route.methods} {route.path} declares {len(found)} scopes"


def test_few_routes_are_open_to_everybody(routes: list[RouteContext]) -> None:
    open_ones = {
        route.path
        for route in routes
        if route.path not in KNOWN_CALLERS_ONLY and declared(route.dependencies)[0].scope is None
    }
    assert open_ones == OPEN_TO_EVERYBODY


def test_what_changes_things_needs_more_than_reading(routes: list[RouteContext]) -> None:
    changing = {"POST", "PUT", "PATCH", "DELETE"}
    for route in routes:
        path = route.path or ""
        if changing & (route.methods or set()) and not path.endswith("/predictions") and path != OWN_SESSION:
            assert declared(route.dependencies)[0].scope in ("run", "admin"), f"{route.methods} {path}"


def test_destruction_is_left_to_admins(routes: list[RouteContext]) -> None:
    for route in routes:
        path = route.path or ""
        if path != OWN_SESSION and ("DELETE" in (route.methods or set()) or "/aliases/" in path):
            assert declared(route.dependencies)[0].scope == "admin", f"{route.methods} {route.path}"


def test_the_home_of_this_test_is_untouched(tmp_path: Path) -> None:
    create_app(memory_services(tmp_path))
    assert not (tmp_path / "home").exists(), "an application opens nothing"
