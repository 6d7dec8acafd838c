"""Comparisons in a real browser: choosing runs, side by side, searches, a run that does not exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from onward.registry import RunRecord
from onward.settings import load_settings
from onward.wiring import build_application
from tests.integration.dashboard.browsing import check_axe, each_reader, settled
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.homes import Things, copy_home
from tests.integration.dashboard.serving import Site, served

N_MORE = 8


def trial(number: int, score: float) -> dict[str, object]:
    drawn = {"model.n_rounds": 5 + number, "labels.a_parameter_with_quite_a_long_name": "choice"}
    told = {"number": number, "state": "complete", "parameters": drawn, "fold_scores": [score, score + 0.02]}
    return {**told, "score": score + 0.01, "seconds": 1.5, "reason": ""}


def search() -> dict[str, object]:
    trials = [trial(n, score) for n, score in enumerate((0.01, -0.02, 0.03, 0.0, 0.05, 0.04))]
    final = {"title": "all rows", "chosen": 4, "inner_score": 0.06, "outer_score": None, "trials": trials}
    importance = {"model.n_rounds": 0.7, "labels.a_parameter_with_quite_a_long_name": 0.3}
    fold = {**final, "title": "fold 1", "outer_score": -0.004, "importance": importance}
    space = [{"path": name} for name in importance]
    told = {"objective": "log_loss_skill", "space": space, "chosen": trials[4]["parameters"]}
    figures = {"deflated_sharpe": 0.31, "overfitting": 0.68}
    return {
        **told,
        "statistics": figures,
        "folds": [fold, fold],
        "final": {**final, "importance": importance},
    }


@pytest.fixture(scope="module")
def shelf(
    prepared: tuple[Path, Things], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, list[str]]]:
    """A server with a search and many more runs than the two that were trained; the search comes first."""
    home, things = prepared
    home = copy_home(home, tmp_path_factory.mktemp("shelf") / "home")
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    try:
        record = application.runs.get(things.run).record
        plan = {**record.plan, "optimization": {**record.plan["optimization"], "trials": 6}}
        given: dict[str, Any] = {"scores": record.scores, "verdicts": record.verdicts, "data": record.data}
        made = [
            application.runs.record(
                RunRecord("tune" if n == 0 else "train", plan, f"plan-{n}", "d" * 64, "threshold", **given)
            ).id
            for n in range(N_MORE)
        ]
    finally:
        application.close()
    (home / "runs" / made[0]).mkdir()
    (home / "runs" / made[0] / "search.json").write_text(json.dumps(search()))
    with served(home, things) as site:
        yield site, made


@each_reader
def test_comparisons_are_without_fault(
    shelf: tuple[Site, list[str]], empty_site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    site, made = shelf
    page = open_page(empty_site if reader["language"] == "en" else site, "/compare", **reader)
    check_axe(page)
    page = open_page(site, "/compare", **reader)
    runs = [site.here.run, site.here.other_run, *made]
    page.goto(f"/compare?run={site.here.run}&run={made[0]}&run=nonsense")
    settled(page)
    check_axe(page)
    cells = page.locator("#direction td, .side-by-side thead th.compare-run").all()
    assert len(cells) >= 4
    for cell in cells:
        place = cell.bounding_box()
        assert place is not None
        assert place["x"] + place["width"] <= int(str(reader["width"])), "two runs fit beside each other"
    page.goto("/compare?" + "&".join(f"run={run}" for run in runs))
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "only tables scroll"
    table = page.locator(".compare-table").first
    expect(table.locator("thead th")).to_have_count(len(runs) + 1)
    place = page.evaluate("""() => {
      const box = document.querySelector(".compare-scroll"); box.scrollLeft = 900; box.scrollTop = 300;
      const head = document.querySelector("#data tr:nth-child(3) th").getBoundingClientRect();
      const top = document.querySelector(".compare-table thead th:nth-child(9)").getBoundingClientRect();
      const frame = box.getBoundingClientRect();
      return [box.scrollLeft, head.left - frame.left, top.top - frame.top];
    }""")
    assert place[0] == 900, "twenty runs scroll"
    assert abs(place[1]) < 2, "names of figures stay"
    assert abs(place[2]) < 2, "names of runs stay"
    assert page.locator("#fold-chart canvas").count() == 1
    assert page.locator(".compare-history canvas").count() == 1


def test_runs_are_chosen_and_laid_side_by_side(shelf: tuple[Site, list[str]], open_page: Open) -> None:
    site, made = shelf
    page = open_page(site, "/compare")
    page.get_by_role("checkbox", name=f"Choose {site.here.run}").check()
    expect(page.get_by_text("Choose at least two runs.")).to_be_visible()
    page.get_by_role("checkbox", name=f"Choose {made[0]}").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("2 runs are chosen.")).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()
    settled(page)
    row = page.locator("#plan").get_by_role("row")
    expect(row.filter(has_text="optimization.trials")).to_contain_text("6")
    expect(row).to_have_count(2)
    expect(page.get_by_text("their scores do not compare")).to_be_visible()
    expect(page.locator("#data").get_by_role("row").filter(has_text="Hash")).to_contain_text("differs")
    expect(page.locator("#backtest")).to_contain_text("Buy and hold")
    expect(page.locator("#direction")).to_contain_text("Chance reaches")
    before = page.locator("#fold-chart").screenshot()
    page.get_by_role("button", name="Range AUC").click()
    assert page.locator("#fold-chart").screenshot() != before
    expect(page.locator("#fold-chart")).to_have_attribute("data-y", "Range AUC")
    expect(page.locator("#fold-level")).to_have_text("0.5: a coin")
    first = page.locator("main tbody").first
    expect(first).to_have_attribute("id", "direction")  # the verdict stands before what differs
    box = page.locator(".compare-scroll").first
    assert box.evaluate("(box) => box.scrollHeight <= box.clientHeight"), "all of it scrolls with the page"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    page.locator("#backtest").evaluate("(part) => part.scrollIntoView()")
    names = box.locator("thead th").last
    expect(names).to_be_in_viewport()
    assert names.evaluate("(one) => one.getBoundingClientRect().top") > 40, (
        "and names of runs stay below the bar"
    )
    plan = page.locator("#plan").evaluate("(part) => part.nextElementSibling.id")
    assert plan == "run", "what differs stands right below the verdicts"
    leaders = page.get_by_role("group", name="Best trials").get_by_role("row")
    expect(leaders.nth(1)).to_contain_text("4 ✓chosen")
    expect(page.locator(f"#search-{made[0]}")).to_contain_text("70 %")
    page.get_by_role("link", name="Show all").click()
    settled(page)
    assert page.locator("#plan tr").count() > 100
    page.get_by_role("link", name=f"Leave out {made[0]}").click()
    expect(page.get_by_role("heading", name="Compare runs")).to_be_visible()
    expect(page.get_by_role("checkbox", name=f"Choose {site.here.run}")).to_be_checked()


def test_a_run_that_does_not_exist_is_named(shelf: tuple[Site, list[str]], open_page: Open) -> None:
    site, made = shelf
    page = open_page(site, f"/compare?run={site.here.run}&run=no-such-run&run={site.here.other_run}")
    expect(page.get_by_role("main").get_by_role("group").first).to_contain_text("no-such-run")
    expect(page.locator(".compare-table").first.locator("thead th")).to_have_count(3)
    page.goto("/compare?run=no-such-run&run=<b>")
    expect(page.get_by_role("main")).to_contain_text("None of these runs exists")
    (site.home / "runs" / made[0] / "search.json").rename(site.home / "gone.json")
    page.goto(f"/compare?run={made[0]}&run={made[1]}")
    expect(page.get_by_text("Nothing is left of this search")).to_be_visible()
    settled(page)
    (site.home / "gone.json").rename(site.home / "runs" / made[0] / "search.json")
