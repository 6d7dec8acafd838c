"""Training on the sample: for homes that have nothing yet, one job, and no alias for who may give none."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from onward.access.scopes import Scope
from onward.dashboard import create_site
from onward.dashboard.first_training import sample_request
from onward.dashboard.i18n import texts_of
from onward.jobs.values import JobRequest, Lease, Outcome, WorkerIdentity
from onward.naming.sample import SAMPLE_DATA_HASH
from onward.registry import Standing
from onward.settings import load_settings
from onward.testing.registry import stage_bundle
from onward.wiring import Application, build_application
from tests.unit.server.client import Client

QUIET = {"server.run_jobs": False}
TOKEN = "0" * 32
PATH, STORE = "/ui/overview/train-sample", "/ui/overview/store-sample"
VERDICT = {"subject": "direction", "level": "evidence of skill"}


class Home:
    """A site over an empty home, and a key of each scope."""

    def __init__(self, client: Client, application: Application, keys: dict[str, str] | None = None) -> None:
        self.client, self.application = client, application
        scopes: tuple[Scope, ...] = ("run", "admin")
        made = application.access.create_key
        self.keys: dict[str, str] = keys or {scope: made(scope, scope)[1].text for scope in scopes}

    def get(self, path: str, scope: str = "admin") -> str:
        answer = self.client.get(path, headers={"X-API-Key": self.keys[scope]})
        assert answer.status_code == 200
        return answer.text

    def request_key(self, path: str = "/") -> str:
        """Return that of the button on a page."""
        (key,) = re.findall(rf'action="{PATH}".*?name="request_key" value="(\w+)"', self.get(path))
        return str(key)

    def train(self, scope: str, request_key: str = "") -> httpx.Response:
        headers = {"X-API-Key": self.keys[scope], "Cookie": f"onward_csrf={TOKEN}"}
        form = {"csrf_token": TOKEN, "request_key": request_key}
        answer = self.client.post(PATH, data=form, headers=headers)
        assert answer.status_code == 303
        return answer

    def jobs(self) -> Any:
        return self.application.job_store.find(limit=20).jobs


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    place = tmp_path_factory.mktemp("first")
    application = build_application(load_settings(home=place, cwd=place, environ={}, overrides=QUIET))
    with Client(create_site(application)) as client:
        yield Home(client, application)


def test_only_who_may_give_an_alias_asks_for_one() -> None:
    assert sample_request(in_use=True)["alias"] == "champion"
    assert "alias" not in sample_request(in_use=False)


def test_the_sample_is_trained_on_once_and_only_before_there_is_anything(home: Home, tmp_path: Path) -> None:
    t = texts_of("en")
    said = t("overview.sample.not_in_use").split(":")[0]
    assert said in home.get("/", "run")
    assert said not in home.get("/", "admin")

    key, other = home.request_key("/"), home.request_key("/runs/new")
    assert key == other == home.request_key("/ui/overview"), "the same until there is a training"
    with ThreadPoolExecutor(6) as threads:
        first, *others = threads.map(home.train, ["run"] * 6, [key] * 6)
    again = home.train("admin", other)
    assert {one.headers["location"] for one in (*others, again)} == {first.headers["location"]}
    (job,) = home.jobs()
    assert first.headers["location"] == f"/jobs/{job.id}"
    assert job.request.spec.get("alias") is None, "a key that may only run moves no alias"
    assert job.request.spec["actor"] == "run"

    home.application.job_manager.request_stop(job.id)
    key = home.request_key("/")
    answer = home.train("admin", key)
    assert answer.headers["location"] != first.headers["location"], "it may be tried again"
    newest = home.jobs()[0]
    assert newest.request.spec["alias"] == "champion"
    home.application.job_manager.request_stop(newest.id)
    late = home.train("admin", key)
    assert late.headers["location"] == answer.headers["location"], "the second click came late"

    registry = home.application.registry
    stage_bundle(tmp_path / "bundle", name="another", seed=1, certificate="passed")
    registry.publish(tmp_path / "bundle")
    for scope in ("run", "admin"):
        refused = home.train(scope, "another page")
        assert refused.headers["location"] == "/"
        assert "overview.toast.not_first" in refused.headers["set-cookie"]
    assert len(home.jobs()) == 2
    assert PATH not in home.get("/")

    registry.set_alias("another", "champion", 1, "\u05d0\u05e0", "\u202egnp.exe", seen=Standing(None))
    page = home.get("/models/another")
    assert "<bdi>\u202egnp.exe</bdi>" in page, "what somebody wrote turns no letters around it"
    assert page.count("<bdi>\u05d0\u05e0</bdi>") == 2


@pytest.mark.parametrize("model", ["", "demo@champion"])
def test_a_model_of_the_sample_without_its_bars_offers_to_store_them(tmp_path: Path, model: str) -> None:
    application = build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides=QUIET))
    for name, data_hash in (("demo", SAMPLE_DATA_HASH), ("mine", "d" * 64)):
        stage_bundle(tmp_path / name, name=name, data_hash=data_hash)
        application.registry.publish(tmp_path / name)
        application.registry.set_alias(name, "champion", 1, "me", "", seen=Standing(None))
    with Client(create_site(application)) as client:
        home = Home(client, application)
        page = home.get("/", "run")
        assert page.count(f'action="{STORE}"') == 1, "and a model of other bars does not"
        wanted = "/data?symbol=BTC%2FUSD&amp;timeframe=1h"
        assert page.count(wanted) == 1
        assert texts_of("en")("data.wanted.text", symbol="BTC/USD", timeframe="1h") in home.get(
            wanted.replace("&amp;", "&")
        )
        headers = {"X-API-Key": home.keys["run"], "Cookie": f"onward_csrf={TOKEN}"}
        form = {"csrf_token": TOKEN} | ({"model": model} if model else {})
        for toast in ("overview.toast.stored", "overview.toast.was_stored"):
            answer = client.post(STORE, data=form, headers=headers)
            assert answer.headers["location"] == ("/predict?model=demo%40champion" if model else "/")
            assert toast in answer.headers["set-cookie"]
        (stored,) = application.repositories.coverage()
        assert (stored.symbol, stored.rows) == ("BTC/USD", 20_111)
        page = home.get("/", "run")
        assert STORE not in page
        assert page.count("2019") >= 2, "the alarm says since when they are old"
        assert 'class="notice fair wanted"' not in home.get(wanted.replace("&amp;", "&"))


@pytest.mark.parametrize("scopes", [("run", "run"), ("run", "admin")])
def test_pages_of_two_servers_of_one_home_start_one_training(tmp_path: Path, scopes: tuple[str, str]) -> None:
    servers = [build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides=QUIET))]
    servers.append(build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides=QUIET)))
    with Client(create_site(servers[0])) as one, Client(create_site(servers[1])) as two:
        homes = [Home(one, servers[0])]
        homes.append(Home(two, servers[1], homes[0].keys))
        keys = [home.request_key() for home in homes]
        ready = threading.Barrier(2)

        def press(home: Home, scope: str, key: str) -> str:
            ready.wait(10)
            return str(home.train(scope, key).headers["location"])

        with ThreadPoolExecutor(2) as threads:
            first, second = threads.map(press, homes, scopes, keys)
        assert first == second
        assert len(homes[0].jobs()) == 1


def test_it_may_be_tried_again_after_what_was_begun_was_stopped_or_deleted(tmp_path: Path) -> None:
    application = build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides=QUIET))
    manager = application.job_manager
    with Client(create_site(application)) as client:
        home = Home(client, application)
        began: list[str] = []
        for scope in ("run", "admin", "run", "run", "admin"):
            location = home.train(scope, home.request_key()).headers["location"]
            began.append(location.removeprefix("/jobs/"))
            manager.request_stop(began[-1])
            if len(began) > 1:
                manager.delete(began[-1])
        assert len(set(began)) == len(began)
        manager.delete(began[0])
        key = home.request_key()
        anew = [home.train("admin", key).headers["location"] for _ in range(2)]
        assert anew[0] == anew[1]
        assert anew[0].removeprefix("/jobs/") not in began, "that of a deleted one was taken already"


def test_verdicts_of_a_job_whose_audit_failed_count_for_nothing(home: Home) -> None:
    store = home.application.job_store
    pages = {}
    for status in ("failed", "passed"):
        store.submit(JobRequest("train", {"plan": {}}, priority=9))
        (job,) = store.claim("somebody", limit=1)
        lease = Lease(job.id, "somebody", job.attempt, job.beat)
        assert store.started(lease, WorkerIdentity("elsewhere", "boot", 1, 1, 1))
        pages["live"] = home.get(f"/jobs/{job.id}")
        result = {"verdict": {"direction": VERDICT}, "certificate": {"status": status, "findings": []}}
        assert store.finish(lease, Outcome("succeeded", result=result))
        pages[status] = home.get(f"/jobs/{job.id}")
    void = texts_of("en")("report.list.void")
    assert void in pages["failed"]
    assert "evidence of skill" not in pages["failed"]
    assert void not in pages["passed"]
    assert "evidence of skill" in pages["passed"]
    assert "job-outcome trains" in pages["live"], "room is kept for what is to come"
    assert "job-outcome trains" not in pages["passed"], "what has come takes what it needs"
