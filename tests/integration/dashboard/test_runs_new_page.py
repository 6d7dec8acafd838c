"""Starting a run from the form in a real browser: explained, checked while it changes, started once."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from onward.cli.app import app
from onward.settings import load_settings
from onward.training.plan import TrainingPlan, preset_values
from onward.wiring import build_application
from tests.integration.dashboard.browsing import check_axe, each_reader, settled, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.serving import Site

READY = "document.querySelector('#check .verdict')"


def checked(page: Page, do: Callable[[], Any]) -> None:
    """Change the form, and wait for what a check says about it."""
    with page.expect_response("**/ui/runs/new/check"):
        do()
    settled(page)


def jobs_of(site: Site) -> list[dict[str, Any]]:
    return list(httpx.get(f"{site.address}/api/v1/jobs").json()["jobs"])


@each_reader
def test_it_is_without_fault(
    site: Site, empty_site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    empty = open_page(empty_site, "/runs/new", **reader)
    check_axe(empty)
    expect(empty.locator("#run-form")).to_have_count(0)
    page = open_page(site, "/runs/new", **reader)
    wait_until(page, READY)
    page.locator("#advanced > summary").click()
    page.locator("#folded-copy > summary").click()
    check_axe(page)
    for one in (empty, page):
        assert one.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def test_errors_stand_at_their_fields_and_go_when_they_are_mended(site: Site, open_page: Open) -> None:
    n_jobs = len(jobs_of(site))
    page = open_page(site, "/runs/new", allow=("422",))
    wait_until(page, READY)
    expect(page.locator("#check .verdict")).to_have_text("Ready to start.")
    expect(page.locator("#check .facts")).to_contain_text("3,000")
    horizon = page.get_by_label("Horizon in bars")
    checked(page, lambda: horizon.fill("-3"))
    expect(page.locator("[id='labels.horizon_bars-error']")).to_contain_text("a whole number, 1 or more")
    expect(horizon).to_have_attribute("aria-invalid", "true")
    checked(page, lambda: page.get_by_label("ETH/USD").check())
    expect(page.locator("#market-error")).to_contain_text("different timeframes")
    expect(page.locator("#check .verdict")).to_have_text("2 things stand in the way.")
    start = page.get_by_role("button", name="Start the run")
    expect(start).to_have_attribute("aria-disabled", "true")
    expect(start).to_have_accessible_description("2 things stand in the way.")
    check_axe(page)
    start.press("Enter")
    assert page.evaluate("Boolean(document.activeElement.closest('.field.wrong'))"), "leads to what is wrong"
    with page.expect_response("**/ui/runs/new/check"):  # of the page that comes back
        horizon.fill("-4")
        start.press("Enter")  # before anybody has checked: the server decides
    settled(page)
    assert len(jobs_of(site)) == n_jobs
    expect(page.locator("[id='labels.horizon_bars-error']")).to_contain_text("a whole number")
    checked(page, lambda: horizon.fill("400"))
    checked(page, lambda: page.get_by_label("ETH/USD").uncheck())
    page.locator("#advanced > summary").click()
    page.get_by_label("Find a setting").press_sequentially("learning_rate")
    rate = page.get_by_label("model.learning_rate")
    expect(page.get_by_label("selection.n_bins")).to_be_hidden()
    checked(page, lambda: rate.fill("fast"))
    link = page.locator("#check .refusals").get_by_text("model.learning_rate")
    link.click()
    expect(rate).to_be_focused()
    checked(page, lambda: rate.fill(""))
    expect(page.locator("#check .verdict")).to_have_text("Ready to start.")
    expect(start).not_to_have_attribute("aria-disabled", "true")
    expect(start).to_have_accessible_description("Ready to start.")


def test_half_a_number_and_half_a_day_are_errors_at_their_fields(site: Site, open_page: Open) -> None:
    n_jobs = len(jobs_of(site))
    for language, number, day in (
        ("en", "a whole number", "no day of the calendar"),
        ("ja", "整数", "暦にある日付ではありません"),
    ):
        page = open_page(site, "/runs/new", allow=("422",), language=language)
        wait_until(page, READY)
        horizon, since = page.locator("[id='labels.horizon_bars']"), page.locator("#since")
        checked(page, lambda horizon=horizon: horizon.fill(""))
        checked(page, lambda horizon=horizon: horizon.press_sequentially("1e"))
        expect(page.locator("[id='labels.horizon_bars-error']")).to_contain_text(number)
        since.press_sequentially("12")
        checked(page, since.blur)
        expect(page.locator("#since-error")).to_contain_text(day)
        start = page.locator("#start")
        expect(start).to_have_attribute("aria-disabled", "true")
        start.press("Enter")
        expect(horizon.or_(since).and_(page.locator(":focus"))).to_have_count(1)
        checked(page, lambda horizon=horizon: horizon.fill("5"))
        checked(page, lambda since=since: since.fill("2020-01-01"))
        expect(page.locator("#since-error")).to_be_empty()
        expect(page.locator("[id='labels.horizon_bars-error']")).to_be_empty()
    assert len(jobs_of(site)) == n_jobs


def test_fields_follow_the_preset_and_what_matters(site: Site, open_page: Open) -> None:
    page = open_page(site, "/runs/new")
    folds = page.get_by_label("Folds", exact=True)
    expect(folds).to_have_value("3")
    page.get_by_role("radio", name="Default").focus()
    page.get_by_role("radio", name="Default").check()
    expect(page.locator("[id='selection.n_shifts']")).to_have_attribute("placeholder", "20")
    folds.fill("4")
    page.get_by_role("radio", name="Financial").check()
    expect(folds).to_have_value("4")
    expect(page.get_by_role("checkbox", name="autofeat")).to_be_checked()
    expect(page.get_by_label("Profit barrier")).to_be_hidden()
    page.get_by_label("What counts as a move").select_option("triple_barrier")
    expect(page.get_by_label("Profit barrier")).to_be_visible()
    expect(page.get_by_label("Border in deviations")).to_be_hidden()
    expect(page.get_by_label("Trials", exact=True)).to_be_hidden()
    checked(page, lambda: page.get_by_role("radio", name="Search and train").check())
    expect(page.get_by_label("Trials", exact=True)).to_be_visible()
    expect(page.locator("#check .verdict")).to_be_visible()


def test_the_same_run_starts_from_the_form_the_shell_and_python(own_site: Site, open_page: Open) -> None:
    page = open_page(own_site, "/runs/new")
    wait_until(page, READY)
    checked(page, lambda: page.get_by_label("Horizon in bars").fill("12"))
    checked(page, lambda: page.get_by_label("Name of the model").fill("it-runs"))
    texts = {
        name: page.locator(f"#copy-{name}").text_content() or "" for name in ("command", "python", "curl")
    }
    page.get_by_role("button", name="Start the run").dblclick()
    expect(page.get_by_text("The run was started.")).to_be_visible()
    made = [job for job in jobs_of(own_site) if job["state"] == "queued"]
    assert len(made) == 2, "the one that waited, and one more though the button was pressed twice"
    curl = subprocess.run(texts["curl"], shell=True, capture_output=True, text=True, timeout=120, check=False)
    assert curl.returncode == 0, curl.stderr
    words = shlex.split(texts["command"].replace("\\\n", ""))
    shell = CliRunner().invoke(app, ["--json", *words[1:]])
    assert shell.exit_code == 0, shell.output
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(texts["python"], {})
    ids = [json.loads(curl.stdout)["id"], json.loads(shell.stdout)["id"], said.getvalue().strip()]
    application = build_application(load_settings(home=own_site.home, cwd=own_site.home, environ={}))
    try:
        by_form = application.job_store.find(limit=10).jobs
        requests = [application.job_store.get(one).request.spec for one in ids]
        asked = {**preset_values("fast"), "labels.horizon_bars": 12}
        without_a_form = application.settings.plan.with_overrides(asked)
        first = next(
            job for job in by_form if job.id not in ids and job.request.spec.get("save") == "it-runs"
        )
    finally:
        application.close()
    hashes = {request["plan_hash"] for request in [*requests, first.request.spec]}
    assert hashes == {without_a_form.content_hash}, "a command need not name the symbol and the timeframe"
    assert {request["save"] for request in requests} == {"it-runs"}
    plan = TrainingPlan(**requests[0]["plan"])
    assert (plan.labels.horizon_bars, plan.validation.n_splits, plan.data.timeframe) == (12, 3, "1h")


def test_an_earlier_run_is_copied_into_the_form(site: Site, open_page: Open) -> None:
    page = open_page(site, f"/runs/new?job={site.here.job}")
    wait_until(page, READY)
    expect(page.get_by_label("Name of the model")).to_have_value(site.here.model)
    expect(page.get_by_label("model.n_rounds")).to_have_count(1)
    expect(page.get_by_label("From")).not_to_have_value("")
    copied = open_page(site, f"/runs/new?copy_of={site.here.run}", language="ja")
    wait_until(copied, READY)
    for one in (page, copied):
        plan = one.locator("#plan-toml").text_content() or ""
        assert "n_splits = 3" in plan
        assert "n_rounds = 5" in plan
    gone = open_page(site, "/runs/new?job=ffffffff", allow=("404",))
    expect(gone.get_by_role("heading", level=1)).to_contain_text("does not exist")
