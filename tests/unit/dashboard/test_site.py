"""What every page has: its policy, its scopes, its language; errors in words; forms of our own only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from onward.dashboard import create_site
from onward.dashboard.i18n import texts_of
from onward.dashboard.pages import ORDER, entries
from onward.dashboard.preferences import local_path
from onward.dashboard.rendering import POLICY
from onward.errors import RegistryConflictError, StorageError
from onward.server.authorisation import declared
from onward.server.dependencies import model_registry
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

OPEN_TO_EVERYBODY = {"/static/{stamp}/{path:path}", "/ui/preferences", "/login"}
PROGRAM = "application/problem+json"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(create_site(memory_services(tmp_path_factory.mktemp("site")))) as client:
        client._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # it keeps none
        yield client


def test_every_route_of_a_page_declares_one_scope(client: Client) -> None:
    routes = [
        route for route in iter_route_contexts(client.app.routes) if not (route.path or "").startswith("/api")
    ]
    assert len(routes) > 8
    for route in routes:
        found = declared(getattr(route, "dependencies", ()))
        assert len(found) == 1, f"{route.methods} {route.path} declares {len(found)} scopes"
        path, changes = route.path or "", "POST" in (route.methods or ())
        if found[0].scope is None and not path.startswith("/health"):
            assert path in OPEN_TO_EVERYBODY, path
        if changes and path not in OPEN_TO_EVERYBODY | {"/ui/logout"}:
            assert found[0].scope in ("run", "admin") or "preview" in path or "validate" in path, path


def test_pages_are_no_part_of_the_documented_api(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert all(path.startswith("/api/v1/") for path in paths)


def test_pages_have_names_texts_templates_and_pictures() -> None:
    assert [entry.page.name for entry in entries()] == [
        n for n in ORDER if n in {e.page.name for e in entries()}
    ]
    for entry in entries():
        page = entry.page
        assert page.shots, f"{page.name}: make screenshots has nothing to look at"
        assert page.path is None or f"{page.name}.nav" in texts_of("ja")


@pytest.mark.parametrize("path", ["/nowhere", "/jobs", "/ui/nothing"])
def test_an_address_that_leads_nowhere(client: Client, path: str) -> None:
    answer = client.get(f"{path}/x/y/z", headers={"Accept-Language": "ja"})
    assert answer.status_code == 404
    assert '<html lang="ja"' in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["content-language"] == "ja"
    assert answer.headers["referrer-policy"] == "same-origin", "without, forms come with Origin: null"


def test_programs_keep_their_problem_documents(client: Client) -> None:
    for path in ("/api/v1/nothing", "/static/1/2", "/health/nothing"):
        answer = client.get(path)
        assert answer.headers["content-type"] == PROGRAM
        assert answer.json()["status"] == 404


def _failing(error: Exception) -> Any:
    async def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (StorageError("the database is away"), 503, "storage"),
        (RegistryConflictError("somebody was faster"), 409, "status_409"),
        (RuntimeError("secret inside"), 500, "status_500"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_errors_are_told_in_words(
    client: Client, error: Exception, status: int, words: str, language: str
) -> None:
    client.app.dependency_overrides[model_registry] = _failing(error)
    try:
        answer = client.get("/", headers={"Accept-Language": language})
        in_place = client.get("/ui/overview", headers={"Accept-Language": language, "HX-Request": "true"})
    finally:
        client.app.dependency_overrides.clear()
    t = texts_of(language)  # type: ignore[arg-type]
    title = t(f"problem.{words}.title")
    for one in (answer, in_place):
        assert one.status_code == status
        assert title in one.text
        assert "secret inside" not in one.text
        assert one.headers["content-security-policy"] == POLICY
    assert t(f"problem.{words}.text") in in_place.text, "our own sentence stands beside what the server says"
    said = '<span class="said"><span lang="en">' if language == "ja" else '<span class="said">'
    assert in_place.text.count(said) == (status != 500)
    assert (t("problem.in_english") in answer.text) == (language == "ja" and status != 500)
    assert in_place.headers["hx-retarget"] == "#toasts"
    assert "<html" not in in_place.text
    assert ("refresh" in answer.text) == (status == 503), "what is away for a while is tried again"


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({"Origin": "http://elsewhere.example"}, 403, "別のサイトのページからのリクエストです"),
        ({"Content-Length": "99999999999"}, 413, "本文が"),
        ({"Content-Length": "many"}, 400, "Content-Lengthが数値ではありません"),
    ],
)
@pytest.mark.parametrize("in_place", [False, True])
def test_what_is_refused_at_the_door_is_told_in_words(
    client: Client, headers: dict[str, str], status: int, said: str, in_place: bool
) -> None:
    sent = {"Accept-Language": "ja", **({"HX-Request": "true"} if in_place else {}), **headers}
    answer = client.post("/ui/preferences", headers=sent)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff", "what middleware adds stays"
    assert texts_of("ja")(f"problem.status_{status}.title") in answer.text
    assert said in answer.text
    assert "<span lang" not in answer.text, "nothing stays English"
    assert ("hx-retarget" in answer.headers, "<html" in answer.text) == (in_place, not in_place)
    program = client.post("/api/v1/jobs", headers=sent)
    assert (program.status_code, program.headers["content-type"]) == (status, PROGRAM)


def test_a_name_that_is_not_ours_learns_nothing(client: Client) -> None:
    answer = client.get("/", headers={"Host": "rebound.example"})
    assert (answer.status_code, answer.headers["content-type"]) == (421, PROGRAM)


def test_forms_need_the_token_of_a_page(client: Client) -> None:
    page = client.get("/nowhere")
    (token, *others) = set(re.findall(r'name="csrf_token" value="(\w+)"', page.text))
    assert not others, "one token on a page"
    for cookies, form in (({}, {"csrf_token": token}), ({"onward_csrf": token}, {}), ({}, {})):
        answer = client.post("/ui/preferences", data={"theme": "dark", **form}, headers=_cookie(cookies))
        assert answer.status_code == 403
    foreign = client.post(
        "/ui/preferences", data={"csrf_token": token}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    held = _cookie({"onward_csrf": token})
    answer = client.post("/ui/preferences", data={"theme": "dark", "csrf_token": token}, headers=held)
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "onward_theme=dark" in cookie
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()


def _cookie(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in (cookies or {"other": "1"}).items())}


@pytest.mark.parametrize(
    "token", ["", "x", "g" * 33, "ä" * 32, "0" * 31 + "<", '"><script>', "0" * 10_000], ids=range(7)
)
def test_a_token_that_was_tampered_with_is_replaced(client: Client, token: str) -> None:
    answer = client.get("/nowhere", headers={"Cookie": f"onward_csrf={token}".encode()})
    assert answer.status_code == 404
    assert "<script>" not in answer.text.replace("<script type", "").replace("<script src", "")
    assert re.search(r"onward_csrf=[0-9a-f]{32};", answer.headers["set-cookie"])


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [("dark", "dark"), ("light", "light"), ("blue", "auto"), ('"><b>', "auto")],
)
def test_the_theme_is_right_from_the_first_byte(client: Client, cookie: str, expected: str) -> None:
    answer = client.get("/nowhere", headers={"Cookie": f"onward_theme={cookie}"})
    assert f'data-theme="{expected}"' in answer.text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/jobs?x=1", "/jobs?x=1"),
        ("//evil.example", "/"),
        ("/\\evil", "/"),
        ("https://x", "/"),
        ("/a\nb", "/"),
    ],
)
def test_the_way_back_leads_to_no_other_site(text: str, path: str) -> None:
    assert local_path(text) == path


def test_a_toast_is_a_text_of_the_catalogue(client: Client) -> None:
    told = client.get("/nowhere", headers={"Cookie": "onward_toast=good:overview.toast.submitted"})
    assert "The training was started." in told.text
    assert "onward_toast" in told.headers["set-cookie"], "shown once"
    forged = client.get("/nowhere", headers={"Cookie": "onward_toast=good:overview.title"})
    assert '<div class="toast' not in forged.text


def test_data_for_scripts_cannot_leave_its_element() -> None:
    from onward.dashboard.rendering import environment

    written = environment().from_string("{{ value|embedded }}").render(value={"a": "</script><b>&\u2028"})
    assert not set(written) & set("<>&\u2028")
    assert json.loads(written) == {"a": "</script><b>&\u2028"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        environment().from_string("{{ value|embedded }}").render(value=float("nan"))


def test_nothing_is_opened_by_making_a_site(tmp_path: Path) -> None:
    create_site(memory_services(tmp_path))
    assert not (tmp_path / "home").exists()
