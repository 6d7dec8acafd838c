"""Which files and whose code a request may name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onward.errors import UserError
from onward.server import create_app
from onward.server.ownership import refuse_own_code
from onward.server.paths import NamedFiles, output_name
from tests.unit.server.client import Client
from tests.unit.server.memory import memory_services


@pytest.fixture
def files(tmp_path: Path) -> NamedFiles:
    (tmp_path / "home" / "inbox").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    return NamedFiles.of(tmp_path / "home", [str(tmp_path / "shared")])


def test_files_below_the_directories_may_be_named(files: NamedFiles, tmp_path: Path) -> None:
    inbox = tmp_path.resolve() / "home" / "inbox"
    assert files.path("btc.csv") == str(inbox / "btc.csv")
    assert files.path("a/../btc.csv") == str(inbox / "btc.csv")
    assert files.path(str(tmp_path / "shared" / "x")) == str(tmp_path.resolve() / "shared" / "x")


@pytest.mark.parametrize(
    "text", ["../onward.db", "/etc/passwd", "~/x", "a/../../x", "x\0y", "x" * 5000, "/", "..", "\ud800/../.."]
)
def test_others_may_not(files: NamedFiles, text: str, tmp_path: Path) -> None:
    if text == "~/x":  # no home of anybody: a name like any other
        assert files.path(text).endswith("/inbox/~/x")
        return
    with pytest.raises(UserError, match="may not name"):
        files.path(text)


def test_a_link_leads_nowhere_else(files: NamedFiles, tmp_path: Path) -> None:
    (tmp_path / "home" / "inbox" / "out").symlink_to("/etc")
    with pytest.raises(UserError, match="may not name"):
        files.path("out/passwd")


@pytest.mark.parametrize("name", ["/tmp/report.html", "~/report.html", "C:\\report.html"])
def test_outputs_are_relative(name: str) -> None:
    with pytest.raises(UserError, match="relative"):
        output_name(name)
    assert output_name("a/report.html") == "a/report.html"


@pytest.mark.parametrize(
    "plan",
    [
        {"features": {"stages": ["manual", "os:abort"]}},
        {"features.stages": "my_module:MyStage"},
        {"model": {"name": "a.b:C"}},
        {"features": {"options": {"a.b:C": {}}}},
        "onward.evil:Stage",
    ],
)
def test_code_is_not_named_from_afar(plan: Any) -> None:
    with pytest.raises(UserError, match="code of their own"):
        refuse_own_code(plan, allowed=False)
    refuse_own_code(plan, allowed=True)


@pytest.mark.parametrize(
    "plan",
    [
        None,
        "fast",
        {"data": {"symbols": ["binance:BTC"]}},
        {"data.symbols": ["binance:BTC", "bybit:BTC"], "data.timeframe": "1h"},
        {"data": {"timerange": "2020-2021"}},
        {"x": "a: b"},
    ],
)
def test_plans_without_code_pass(plan: Any) -> None:
    refuse_own_code(plan, allowed=False)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("training-jobs", {"data": "/etc/passwd"}),
        ("training-jobs", {"series": {"funding": "../../x"}}),
        ("training-jobs", {"report": "/tmp/report.html"}),
        ("training-jobs", {"plan": {"features.stages": ["os:abort"]}}),
        ("tuning-jobs", {"plan": {"features.stages": ["os:abort"]}}),
        ("feature-jobs", {"out": "/tmp/x.parquet"}),
        ("feature-jobs", {"plan": {"features.stages": ["os:abort"]}}),
        ("import-jobs", {"files": ["/etc/passwd"]}),
        ("plans/validate", {"data": "/etc/passwd"}),
        ("plans/validate", {"plan": {"features.stages": ["os:abort"]}}),
    ],
)
def test_every_door_looks(tmp_path: Path, route: str, body: dict[str, Any]) -> None:
    services = memory_services(tmp_path)
    services.repositories = services.training = None
    with Client(create_app(services)) as client:
        answer = client.post(f"/api/v1/{route}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["what"].startswith(("requests may not", "an output of a request"))
    assert not services.job_store.jobs
