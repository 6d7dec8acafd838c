"""Files for browsers: unchanged copies, addressed by content, never looked up on the disk."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from onward.dashboard import create_site
from onward.dashboard.assets import asset_url, assets, version
from onward.dashboard.rendering import POLICY
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services

PACKAGE = Path(str(files("onward.dashboard")))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(create_site(memory_services(tmp_path_factory.mktemp("site")))) as client:
        yield client


def test_vendored_files_are_what_was_published() -> None:
    said = re.findall(r"\| (\S+) \|.*\| ([0-9a-f]{64}) \|", (PACKAGE / "static/vendor/README.md").read_text())
    assert [name for name, _ in said] == ["htmx.min.js"]
    for name, digest in said:
        assert hashlib.sha256(assets()[f"vendor/{name}"].content).hexdigest() == digest
        assert (PACKAGE / "static/vendor" / name.replace(".min.js", ".LICENSE")).is_file()


def test_files_are_kept_for_ever_under_an_address_of_their_content(client: Client) -> None:
    for path in assets():
        answer = client.get(asset_url(path), headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 200
        assert answer.content == assets()[path].content
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    kinds = {path.rpartition(".")[2]: asset.media_type for path, asset in assets().items()}
    assert kinds == {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def test_an_old_address_gives_the_new_file_and_is_asked_for_again(client: Client) -> None:
    answer = client.get("/static/000000000000/app.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    tag = answer.headers["etag"]
    assert client.get("/static/000000000000/app.js", headers={"If-None-Match": tag}).status_code == 304


def test_what_is_large_is_packed(client: Client) -> None:
    answer = client.get(asset_url("vendor/htmx.min.js"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    packed = assets()["vendor/htmx.min.js"].packed
    assert packed is not None
    assert gzip.decompress(packed) == assets()["vendor/htmx.min.js"].content


@pytest.mark.parametrize(
    "path", ["nothing.js", "../site.py", "%2e%2e/site.py", "..%2fsite.py", "vendor/htmx.LICENSE", "vendor"]
)
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client.get(f"/static/{version()}/{path}").status_code == 404


def test_scripts_and_styles_name_nothing_outside() -> None:
    for path, asset in assets().items():
        if path.startswith("vendor/"):
            continue
        text = asset.content.decode()
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), path
        assert "innerHTML =" not in text, path
        assert not re.search(r"\beval\(|new Function", text), path


def test_templates_keep_the_policy() -> None:
    assert "unsafe" not in POLICY
    for template in PACKAGE.joinpath("templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals='js|\|\s*safe\b", text), (
            template.name
        )
        for script in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in script or 'type="application/json"' in script, template.name
