"""Reports of a panel, an ensemble and a search, with everything that stands behind their scores."""

import json

import pytest

import onward as ow
from onward.cli.output import plain
from onward.cli.verdict import print_training, training_value
from onward.testing.markets import random_walk
from tests.integration.report.test_rendered_report import Page
from tests.unit.training.small_runs import planted, small_plan

QUICK = {"selection__null_importance": False, "selection__mutual_information": False}
SEARCH = {
    "optimization__trials": 3,
    "optimization__inner_splits": 3,
    "optimization__space": {
        "model.name": {"choices": ["extra_trees", "prior"]},
        "features.stages": {"choices": [["manual", "fracdiff"], ["manual"]]},
        "labels.horizon_bars": {"low": 4, "high": 8},
    },
}


def runs():
    yield (
        "panel",
        lambda home: ow.train(
            random_walk(300, seed=1, symbols=("A/USD", "B/USD", "C/USD")),
            small_plan(**QUICK),
            audit=False,
            home=home,
        ),
    )
    stack = {"ensemble__method": "stacking", "ensemble__members": ["lightgbm", "logistic"]}
    yield "ensemble", lambda home: ow.train(planted(), small_plan(**QUICK, **stack), audit=False, home=home)
    yield "search", lambda home: ow.tune(planted(600), small_plan(**QUICK, **SEARCH), audit=False, home=home)


@pytest.fixture(scope="module", params=[pytest.param(make, id=name) for name, make in runs()])
def result(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def page(result):
    return Page(result.report_html())


def section(page, name):
    found = [text for attrs, text in page.all("section") if attrs.get("id") == name]
    return found[0] if found else None


def test_sections_are_there_exactly_when_there_is_something_to_say(result, page):
    assert not page.open
    assert section(page, "importance")
    assert section(page, "drift")
    assert (section(page, "ensemble") is not None) == bool(result.learning and result.learning.members)
    assert (section(page, "search") is not None) == (result.search is not None)
    assert ("Rank IC" in section(page, "scores")) == (result.information is not None)
    anchors = [attrs["href"][1:] for attrs, _ in page.all("a") if attrs.get("href", "").startswith("#")]
    ids = {attrs["id"] for name in ("section", "main") for attrs, _ in page.all(name) if "id" in attrs}
    assert set(anchors) <= ids


def test_the_page_says_what_the_result_says(result, page):
    best = result.importance.iloc[0]["subject"]
    assert best in section(page, "importance")
    assert result.drift.iloc[0]["column"] in section(page, "drift")
    assert f"Fold {result.adversarial.iloc[-1]['fold'] + 1}" in section(page, "drift")
    if result.learning is not None:
        for member in result.learning.members:
            assert member.name in section(page, "ensemble")
        assert "Meta-model" in section(page, "ensemble")


def test_the_command_line_says_the_same(result, capsys):
    print_training(result)
    written = capsys.readouterr().out
    assert "log-loss skill on rows that the models had not seen" in written or "No column" in written
    assert "A model tells test rows from training rows" in written
    assert ("rank IC" in written) == (result.information is not None)
    told = json.loads(json.dumps(plain(training_value(result)), allow_nan=False))
    assert told["diagnosis"]["importance"]["columns"]
    assert told["diagnosis"]["drift"]["folds"]
    if result.learning is not None:
        members = told["learning"]["members"]
        assert {m["scores"]["n"] for m in members} == {told["learning"]["combined"]["n"]}


def test_the_card_names_what_learnt(result):
    version = result.save("told")
    manifest = json.loads((version.directory / "manifest.json").read_text(encoding="utf-8"))
    card = (version.directory / "card.md").read_text(encoding="utf-8")
    if result.search is not None:
        assert result.plan.model.name == "lightgbm"
        assert manifest["model"] == result.search.chosen["model.name"] != "lightgbm"
    assert f"`{manifest['model']}` on" in card
