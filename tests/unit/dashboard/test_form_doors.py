"""Doors that forms come in by: encodings that nobody asked for, forms sent twice, the way back to a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from onward.dashboard import create_site
from onward.dashboard.preferences import local_path
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

TOKEN = "0" * 32
COOKIE = {"Cookie": f"onward_csrf={TOKEN}"}
KINDS = {"state", "progress", "stage", "score", "log", "alarm"}
"""Of events, as `onward.jobs.values.JobEvent` lists them."""


@dataclass(frozen=True)
class Door:
    """A site that asks for keys, and one of them that may do everything."""

    client: Client
    services: Any
    key: str

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        form = {"csrf_token": TOKEN, **fields}
        return self.client.post(path, data=form, headers={**COOKIE, "X-API-Key": self.key, **headers})


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    services = memory_services(tmp_path_factory.mktemp("doors"))
    key = services.access.create_key("all", "admin")[1].text
    with Client(create_site(services)) as client:
        client._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # it keeps none
        yield Door(client, services, key)


def parts(**fields: bytes) -> bytes:
    heads = (b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n' % name.encode() for name in fields)
    return b"".join(map(b"%b%b\r\n".__mod__, zip(heads, fields.values(), strict=True))) + b"--B--\r\n"


def multipart(charset: str) -> str:
    return f"multipart/form-data; boundary=B; charset={charset}"


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "unicode_escape", '"idna"', "utf-16", "nonsense"]
)
@pytest.mark.parametrize("path", ["/login", "/ui/preferences"])
def test_a_form_in_a_strange_encoding_is_refused_in_words(door: Door, path: str, charset: str) -> None:
    body = parts(csrf_token=b"\\ud800", key=b"\xff", theme=b"dark")
    answer = door.client.post(path, content=body, headers={**COOKIE, "Content-Type": multipart(charset)})
    assert answer.status_code == 415
    assert "UTF-8" in answer.text


@pytest.mark.parametrize("charset", ["utf-8", '"UTF-8"', "us-ascii"])
def test_a_form_that_says_it_is_utf_8_is_taken(door: Door, charset: str) -> None:
    body = parts(csrf_token=TOKEN.encode(), theme=b"dark", next="/ä".encode())
    headers = {**COOKIE, "Content-Type": multipart(charset)}
    assert door.client.post("/ui/preferences", content=body, headers=headers).status_code == 204
    body = parts(csrf_token=b"\xed\xa0\x80", theme=b"dark")
    assert door.client.post("/ui/preferences", content=body, headers=headers).status_code == 403


def test_a_session_needs_its_token_whatever_a_form_is_written_in(door: Door) -> None:
    login = door.client.post("/login", data={"csrf_token": TOKEN, "key": door.key}, headers=COOKIE)
    assert login.status_code == 303
    (session,) = re.findall(r"(\w*session\w*=[^;]+);", login.headers["set-cookie"])
    for charset, token, status in (
        ("unicode_escape", b"\\ud800", 415),
        ("utf-8", b"\\ud800", 403),
        ("utf-8", b"\xff\xfe", 403),
    ):
        headers = {"Cookie": session, "Content-Type": multipart(charset)}
        answer = door.client.post("/ui/logout", content=parts(csrf_token=token), headers=headers)
        assert answer.status_code == status, (charset, token)
        raw = {**headers, "X-CSRF-Token": b"\xff"}
        assert door.client.post("/ui/logout", content=parts(), headers=raw).status_code in (403, 415)


@pytest.mark.parametrize(
    ("path", "headers", "back"),
    [
        ("/predict?model=a%40b&symbol=X/Y", {}, "/predict?model=a%40b&symbol=X/Y"),
        ("/jobs?show=live", {}, "/jobs?show=live"),
        ("/ui/overview", {}, "/"),
        ("/ui/overview", {"HX-Current-URL": "http://localhost/?from=here"}, "/?from=here"),
        (
            "/ui/jobs",
            {"HX-Current-URL": "http://localhost/jobs?show=live&kind=train"},
            "/jobs?show=live&kind=train",
        ),
        ("/ui/jobs", {"HX-Current-URL": "https://evil.example/jobs"}, "/jobs"),
        ("/ui/jobs", {"HX-Current-URL": "http://localhost//evil.example"}, "/"),
        ("/ui/jobs", {"HX-Current-URL": "http://localhost/ui/jobs"}, "/"),
        ("/ui/jobs", {"HX-Current-URL": "http://[x"}, "/"),
        ("/ui/jobs", {"HX-Current-URL": "javascript:alert(1)"}, "/"),
    ],
)
def test_after_a_session_has_ended_the_way_leads_back_to_the_whole_page(
    door: Door, path: str, headers: dict[str, str], back: str
) -> None:
    in_place = {"HX-Request": "true", **headers} if headers else {}
    answer = door.client.get(path, headers={"Accept": "text/html", **in_place})
    to = urlsplit(answer.headers["hx-redirect" if in_place else "location"])
    assert to.path == "/login"
    assert parse_qs(to.query)["next"] == [back]


def test_no_way_leads_to_a_piece_of_a_page() -> None:
    assert local_path("/ui/overview") == "/"
    assert local_path("/uikit?x=1") == "/uikit?x=1"


def test_a_job_is_tried_again_once_however_often_the_button_is_sent(door: Door) -> None:
    store = door.services.job_store
    made = store.submit(_request()).job
    store.end(made.id, "failed", reason="error")
    path = f"/ui/jobs/{made.id}/retry"
    for form, n_more in (({"request_key": "one"}, 1), ({"request_key": "two"}, 1), ({}, 1)):
        before = len(store.jobs)
        ways = {door.post(path, form).headers["location"] for _ in range(3)}
        assert len(ways) == 1
        assert len(store.jobs) == before + n_more
    assert door.post(path, {"request_key": "\ud7ff" * 5000}).status_code == 303


def _request() -> Any:
    from onward.jobs.values import JobRequest

    return JobRequest("train", {"plan": {}})


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("lasts", "1h", "Choose one of the list. No key was made."),
        ("lasts", "", "Choose one of the list. No key was made."),
        ("lasts", "030", "Choose one of the list. No key was made."),
        ("scope", "root", "There is no such scope."),
        ("name", "a\u202eb", "A name has 1 to 100"),
    ],
)
def test_a_key_is_made_of_what_was_to_be_chosen_from(door: Door, field: str, given: str, said: str) -> None:
    before = len(door.services.access.list_keys())
    form = {"name": "bot", "scope": "read", "lasts": "30", field: given}
    answer = door.post("/ui/settings/keys", form, **{"HX-Request": "true"})
    assert answer.status_code == 422
    assert len(door.services.access.list_keys()) == before
    wrong = re.findall(r'id="(\w+)-error"[^>]*><span aria-hidden="true">✕ </span>([^<]+)<', answer.text)
    assert [name for name, _ in wrong] == [field]
    assert said in wrong[0][1]


def test_a_name_turns_no_letters_around_it(door: Door) -> None:
    form = {"name": "\u05d1\u05d5\u05d8", "scope": "read", "lasts": "30"}
    answer = door.post("/ui/settings/keys", form, **{"HX-Request": "true"})
    assert answer.status_code == 200
    assert '<bdi class="long" translate="no">\u05d1\u05d5\u05d8</bdi>' in answer.text
    key = door.services.access.list_keys()[-1]
    assert (key.expires_at - key.created_at).days in (29, 30)


def test_pages_listen_for_every_kind_of_event() -> None:
    script = files("onward.dashboard").joinpath("static/live.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"const KINDS = \[(.*)\];", script)
    assert set(re.findall(r'"(\w+)"', listed)) == KINDS
