"""Taking the form of a new run: who may send it, what is refused where, and that it starts one job."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onward.access.scopes import Scope
from onward.dashboard import create_site
from onward.data.loading import load_market
from onward.data.read import sample_market
from onward.settings import load_settings
from onward.testing.job_store.ways import IDENTITY, SUCCESS, lease_of
from onward.testing.registry import stage_bundle
from onward.training.plan import TrainingPlan
from onward.wiring import Application, build_application
from tests.unit.server.client import Client
from tests.unit.training.small_runs import SMALL

QUIET = {"server.run_jobs": False}
TOKEN = "0" * 32
FORM = {
    "csrf_token": TOKEN,
    "request_key": "one",
    "kind": "train",
    "preset": "fast",
    "shown_preset": "fast",
    "market": "1h BTC/USD",
    "features.stages": "manual",
    "labels.method": "threshold",
    "audit": "true",
}


class Desk:
    """A site with bars and a key of every scope."""

    def __init__(self, home: Path, client: Client, application: Application) -> None:
        self.home, self.client, self.application = home, client, application
        made = application.access.create_key
        self.keys: dict[Scope, str] = {
            scope: made(scope, scope)[1].text for scope in ("read", "run", "admin")
        }

    def headers(self, scope: Scope, **more: str) -> dict[str, str]:
        return {"X-API-Key": self.keys[scope], "Cookie": f"onward_csrf={TOKEN}", **more}

    def get(self, path: str, scope: Scope = "admin", **headers: str) -> httpx.Response:
        return self.client.get(path, headers=self.headers(scope, **headers))

    def post(self, path: str, scope: Scope = "admin", /, **fields: Any) -> httpx.Response:
        form = {**FORM, **{name.replace("__", "."): value for name, value in fields.items()}}
        headers = self.headers(scope, **({"HX-Request": "true"} if path.startswith("/ui/") else {}))
        return self.client.post(path, data=form, headers=headers)

    def refused(self, scope: Scope = "admin", **fields: Any) -> dict[str, str]:
        answer = self.post("/ui/runs/new/check", scope, **fields)
        assert answer.status_code == 200
        found = re.search(r'data-errors="([^"]*)"', answer.text)
        assert found
        return {one["field"]: one["text"] for one in json.loads(html.unescape(found[1]))}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk")
    (home / "onward.toml").write_text(
        "".join(f"{name} = {json.dumps(value)}\n" for name, value in {**SMALL, **QUIET}.items())
    )
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    bars = sample_market().bars.iloc[-700:].reset_index().rename(columns={"open_time": "timestamp"})
    application.repositories.candles("1h").upsert("BTC/USD", bars.drop(columns="symbol"))
    with Client(create_site(application)) as client:
        yield Desk(home, client, application)


def n_jobs(desk: Desk) -> int:
    return len(desk.application.job_store.find(limit=50).jobs)


def test_a_reader_sees_the_form_and_is_told_that_he_cannot_start(desk: Desk) -> None:
    page = desk.get("/runs/new", "read").text
    assert 'name="labels.horizon_bars"' in page
    assert "but not start a run" in page
    assert 'id="start"' not in page
    assert "hx-post" not in page, "nothing is asked that would be refused"
    for path in ("/runs/new", "/ui/runs/new/check"):
        assert desk.post(path, "read").status_code == 403


def test_the_same_form_is_one_job_however_often_it_comes(desk: Desk) -> None:
    before = n_jobs(desk)
    first, again = (desk.post("/runs/new", "run", save="btc") for _ in range(2))
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"]
    assert "runs_new.toast.submitted" in first.headers["set-cookie"]
    assert n_jobs(desk) == before + 1
    assert desk.post("/runs/new", "run", save="btc", labels__horizon_bars="5").status_code == 303
    assert n_jobs(desk) == before + 2, "a form that was changed is another run"
    job = desk.application.job_store.find(limit=1).jobs[0]
    assert job.request.spec["plan"]["labels"]["horizon_bars"] == 5
    assert job.request.spec["actor"] == "run"


def test_a_form_whose_job_was_deleted_comes_back_with_its_settings(desk: Desk) -> None:
    form = {"request_key": "long ago", "labels__horizon_bars": "7", "save": "kept"}
    job_id = desk.post("/runs/new", "run", **form).headers["location"].removeprefix("/jobs/")
    desk.application.job_manager.request_stop(job_id)
    desk.application.job_manager.delete(job_id)
    before = n_jobs(desk)
    again = desk.post("/runs/new", "run", **form)
    assert (again.status_code, n_jobs(desk)) == (409, before), "nothing starts by going back to an old page"
    assert "its job (stopped) was deleted since" in again.text
    assert re.search(r'name="labels.horizon_bars"[^>]*value="7"', again.text)
    assert 'value="kept"' in again.text
    (key,) = re.findall(r'name="request_key" value="(\w+)"', again.text)
    anew = desk.post("/runs/new", "run", **{**form, "request_key": key})
    assert anew.status_code == 303
    assert n_jobs(desk) == before + 1
    assert anew.headers["location"] != f"/jobs/{job_id}"


def test_a_button_whose_new_job_was_deleted_starts_none_unseen(desk: Desk) -> None:
    manager = desk.application.job_manager
    first = desk.post("/runs/new", "run", request_key="to be retried").headers["location"]
    manager.request_stop(first.removeprefix("/jobs/"))
    again = [desk.post(f"/ui{first}/retry", "run", request_key="retry").headers for _ in range(2)]
    (new,) = {headers["hx-redirect"] for headers in again}
    manager.request_stop(new.removeprefix("/jobs/"))
    manager.delete(new.removeprefix("/jobs/"))
    before = n_jobs(desk)
    late = desk.post(f"/ui{first}/retry", "run", request_key="retry").headers
    assert (late["hx-redirect"], n_jobs(desk)) == (first, before)
    assert "job.toast.retry_gone" in late["set-cookie"]


def test_the_form_of_somebody_else_is_another_run(desk: Desk) -> None:
    first, other = (desk.post("/runs/new", scope, request_key="shared") for scope in ("run", "admin"))
    assert first.headers["location"] != other.headers["location"]


def test_the_form_asks_for_the_same_configuration_as_the_command_line(desk: Desk) -> None:
    """The form names symbol and timeframe, the command need not: it is looked at twice, and counts once."""
    assert desk.post("/runs/new", "run", request_key="two").status_code == 303
    spec = desk.application.job_store.find(limit=1).jobs[0].request.spec
    assert spec["plan"]["data"]["timeframe"] == "1h"
    plan = desk.application.settings.plan.with_overrides(fast())
    assert plan.data.timeframe is None
    assert spec["plan_hash"] == plan.content_hash
    shown = load_market(desk.application.repositories, TrainingPlan(**spec["plan"]).data)
    assert shown.content_hash == load_market(desk.application.repositories, plan.data).content_hash


def test_the_check_is_that_of_the_api(desk: Desk) -> None:
    text = desk.post("/ui/runs/new/check", labels__horizon_bars="5").text
    plan = {"plan": {**fast(), "labels.horizon_bars": 5, "data.symbols": ["BTC/USD"], "data.timeframe": "1h"}}
    told = desk.client.post("/api/v1/plans/validate", json=plan, headers=desk.headers("run")).json()
    assert told["plan_hash"][:16] in text
    assert f"{told['columns']}" in text
    assert "onward --server http://localhost train fast --background" in text
    assert "Authorization: Bearer $ONWARD_API_KEY" in text


def test_the_time_of_a_whole_job_is_that_of_an_earlier_one_like_it(desk: Desk) -> None:
    """Nothing like it: how many fits there are; then the time and bars of the one that was."""
    unlike = desk.post("/ui/runs/new/check", model__n_rounds="7").text
    assert "not known yet" in unlike
    assert "4 fits of models" in unlike
    plan = {**fast(), "data.symbols": ["BTC/USD"], "data.timeframe": "1h", "model.n_rounds": 7}
    store = desk.application.job_store
    job = desk.application.job_manager.submit("train", {"plan": plan}, priority=9).job
    (claimed,) = store.claim("owner-1", limit=1)
    assert claimed.id == job.id
    assert store.started(lease_of(claimed), IDENTITY)
    assert store.finish(lease_of(claimed), SUCCESS)
    for fields, said in (
        ({"model__n_rounds": "7"}, "A run of the same plan took"),
        ({"model__n_rounds": "7", "model__learning_rate": "0.07"}, "A run of the same shape took"),
        ({"model__n_rounds": "8"}, "not known yet"),
    ):
        text = desk.post("/ui/runs/new/check", **fields).text
        assert said in text, fields
    assert f'href="/jobs/{job.id}"' in desk.post("/ui/runs/new/check", model__n_rounds="7").text
    assert "not known yet" in desk.post("/ui/runs/new/check", model__n_rounds="7", audit="").text


def fast() -> dict[str, Any]:
    from onward.training.plan import preset_values

    return dict(preset_values("fast"))


def test_what_only_the_services_find_is_told_at_its_field(desk: Desk) -> None:
    assert set(desk.refused(market="4h BTC/USD")) == {"market"}
    assert set(desk.refused(since="2019-01-01", until="2019-01-02")) == {"until"}, "bars begin later"
    assert set(desk.refused(since="2030-01-01")) == {"since"}
    assert set(desk.refused(labels__mode="adaptive", labels__horizon_bars="30")) == {"labels.window_bars"}
    assert set(desk.refused(model__name="lightgbn")) == {"model.name"}
    assert set(desk.refused(ensemble__method="voting", ensemble__members="lightgbm")) == {"ensemble.members"}
    assert set(desk.refused(labels__horizon_bars="690")) == {"labels.horizon_bars"}
    assert set(desk.refused(validation__n_splits="600")) == {"validation.n_splits"}
    assert set(desk.refused(validation__embargo="690")) == {"validation.embargo"}
    assert set(desk.refused("run", alias="champion", save="btc")) == {"alias"}
    assert desk.refused("admin", alias="champion", save="btc") == {}
    assert desk.refused(kind="tune", trials="3") == {}
    assert set(desk.refused(kind="tune", optimization__space='{"model.nothing": [1, 2]}')) == {
        "optimization.space"
    }


def test_a_refused_form_comes_back_as_it_was_sent(desk: Desk) -> None:
    before = n_jobs(desk)
    answer = desk.post("/runs/new", labels__horizon_bars="-3", save="mine", model__learning_rate="0.07")
    assert answer.status_code == 422
    assert 'value="-3"' in answer.text
    assert 'value="mine"' in answer.text
    assert 'value="0.07"' in answer.text
    assert re.search(r'id="labels.horizon_bars-error"[^>]*>.*?1 or more', answer.text, re.DOTALL)
    late = desk.post("/runs/new", market="4h BTC/USD")
    assert late.status_code == 422
    assert re.search(r'id="market-error"[^>]*>.*?Allowed: 1h', late.text, re.DOTALL)
    assert n_jobs(desk) == before


@pytest.mark.parametrize("bad", ["\0", "<script>alert(1)</script>", "x" * 9_000, "{" * 50, "-1e999", "ｘ"])
@pytest.mark.parametrize(
    "name", ["labels.horizon_bars", "model.extra", "save", "since", "market", "data.series"]
)
def test_nonsense_is_refused_in_words(desk: Desk, name: str, bad: str) -> None:
    answer = desk.post("/runs/new", **{name.replace(".", "__"): bad})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


def test_without_a_script_the_form_is_checked_by_a_button(desk: Desk) -> None:
    answer = desk.post("/runs/new", do="check", preset="default", shown_preset="fast")
    assert answer.status_code == 200
    assert "Ready to start." in answer.text
    assert 'id="shown_preset" value="default"' in answer.text


def test_a_job_without_a_plan_gives_an_empty_form(desk: Desk) -> None:
    source = desk.home / "bars.csv"
    source.write_text("timestamp,open,high,low,close,volume\n1577836800000,1,2,0.5,1.5,3\n")
    job = desk.application.job_manager.submit("import", {"files": [str(source)], "symbol": "X/Y"}).job
    assert desk.get(f"/runs/new?job={job.id}").status_code == 200
    gone = desk.get("/runs/new?copy_of=nothing")
    assert gone.status_code == 404
    assert '<a class="button" href="/reports">' in gone.text, "where runs are listed"
    assert desk.get("/runs/new?job=" + "x" * 101).status_code == 422


def test_errors_of_the_product_are_told_in_japanese(desk: Desk) -> None:
    headers = desk.headers("run", **{"HX-Request": "true", "Accept-Language": "ja"})
    answer = desk.client.post("/ui/runs/new/check", data={**FORM, "market": "4h BTC/USD"}, headers=headers)
    assert '<span lang="ja">この時間足のローソク足は保存されていません。許される値: 1h。' in answer.text
    assert '<span lang="en">' not in answer.text
    answer = desk.client.post("/ui/runs/new/check", data={**FORM, "market": ""}, headers=headers)
    assert "1つ以上選んでください" in answer.text


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [
        ("en", "Every version of this model was deleted", "Promote a version"),
        ("ja", "このモデルのバージョンはすべて削除されました", "バージョンを昇格する"),
    ],
)
def test_a_model_whose_versions_are_all_deleted_says_so(
    desk: Desk, tmp_path: Path, language: str, said: str, unsaid: str
) -> None:
    registry, name = desk.application.registry, f"gone-{language}"
    stage_bundle(tmp_path / "bundle", name=name)
    number = registry.publish(tmp_path / "bundle").number
    there = desk.get(f"/models/{name}", **{"Accept-Language": language}).text
    assert unsaid in there
    assert f"/predict?model={name}" in there
    registry.delete(f"models:/{name}/{number}")
    page = desk.get(f"/models/{name}", **{"Accept-Language": language}).text
    assert said in page
    assert unsaid not in page
    assert f"/predict?model={name}" not in page
    assert 'id="versions"' not in page, "no empty table"
