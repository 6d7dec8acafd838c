"""Addresses of buttons that are opened like pages: each leads to the page that has the button."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.routing import iter_route_contexts

from onward.dashboard import create_site
from onward.dashboard.i18n import texts_of
from onward.dashboard.ways import page_of
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

PAGE_OF = {
    "/ui/overview/train-sample": "/",
    "/ui/overview/store-sample": "/",
    "/ui/data/preview": "/data",
    "/ui/data/import": "/data",
    "/ui/data/remove": "/data",
    "/ui/runs/new/check": "/runs/new",
    "/ui/jobs/x1/stop": "/jobs/x1",
    "/ui/jobs/x1/retry": "/jobs/x1",
    "/ui/models/x1": "/models",
    "/ui/settings/keys": "/settings",
    "/ui/settings/keys/x1/revoke": "/settings",
    "/ui/logout": "/",
    "/ui/preferences": "/",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(create_site(memory_services(tmp_path_factory.mktemp("ways")))) as client:
        client._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # it keeps none
        yield client


def buttons(client: Client) -> set[str]:
    """Return an address of each route of the dashboard that takes forms and shows nothing."""
    methods: dict[str, set[str]] = {}
    for route in iter_route_contexts(client.app.routes):
        if not (route.path or "").startswith(("/api", "/health")):
            methods.setdefault(route.path or "", set()).update(route.methods or ())
    return {re.sub(r"\{.*?\}", "x1", path) for path, of in methods.items() if of and "GET" not in of}


def test_every_button_is_known_with_its_page(client: Client) -> None:
    assert buttons(client) == set(PAGE_OF)


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_address_of_a_button_leads_to_its_page(
    client: Client, method: str, language: str
) -> None:
    for path, page in PAGE_OF.items():
        answer = client.request(method, path, headers={"Accept": "text/html", "Accept-Language": language})
        assert (answer.status_code, answer.headers.get("location")) == (303, page), path
        (kept,) = re.findall(r"onward_toast=\"?([^;\"]+)", answer.headers["set-cookie"])
        heads = {"Accept-Language": language, "Cookie": f"onward_toast={kept}"}
        shown = client.get("/login", headers=heads)
        assert texts_of(language)("problem.toast.button") in shown.text  # type: ignore[arg-type]


@pytest.mark.parametrize("in_place", [False, True])
def test_other_methods_are_refused_in_words_that_name_those_there_are(client: Client, in_place: bool) -> None:
    heads = {"HX-Request": "true"} if in_place else {}
    for path in ("/ui/jobs/x1/retry", "/jobs"):
        answer = client.request("PUT", path, headers=heads)
        assert answer.status_code == 405
        assert answer.headers["allow"] == ("POST" if path.startswith("/ui") else "GET")
        assert texts_of("en")("problem.status_405.title") in answer.text
    if in_place:
        assert client.get("/ui/jobs/x1/retry", headers=heads).status_code == 405


def test_a_form_that_came_after_its_session_had_ended_leads_back_to_its_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    services = memory_services(tmp_path_factory.mktemp("ended"))
    services.access.create_key("all", "admin")
    token = "0" * 32
    with Client(create_site(services)) as client:
        heads = {"Cookie": f"onward_csrf={token}"}
        answer = client.post("/ui/jobs/x1/retry", data={"csrf_token": token}, headers=heads)
    to = urlsplit(answer.headers["location"])
    assert (to.path, parse_qs(to.query)["next"]) == ("/login", ["/jobs/x1"])


def test_what_belongs_to_no_page_belongs_to_the_overview() -> None:
    assert page_of("/ui/nothing/at/all") == "/"
    assert page_of("") == "/"
