"""The pages of jobs in a real browser: what streams in, stopping for real, a server that goes away."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from onward.database.moments import utc_now
from onward.jobs.protocol import JobStore
from onward.jobs.store import SqlJobStore
from onward.jobs.values import JobRequest, Lease, Outcome, WorkerIdentity
from onward.settings import load_settings
from onward.wiring import build_application
from tests.integration.dashboard.browsing import check_axe, each_reader, settled, wait_until
from tests.integration.dashboard.conftest import Open
from tests.integration.dashboard.homes import Things, copy_home
from tests.integration.dashboard.serving import Site, served

OWNER = "a-worker-elsewhere"
BURSTS, IN_A_BURST = 12, 10
COUNT_DRAWS = """() => {
  window.draws = 0; window.frames = 0;
  const now = document.getElementById("job-now");
  new MutationObserver(() => { draws += 1; }).observe(now, { childList: true });
  const frame = () => { frames += 1; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
LOG = "[...document.querySelectorAll('#job-log span')].map((line) => line.textContent.trim())"
SEEN = """(how) => {
  Object.defineProperty(document, "visibilityState", { get: () => how, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LEAK = {"check": "truncation", "severity": "leak", "subject": "mine__peek", "row": "", "detail": "it differs"}


@pytest.fixture(scope="module")
def desk(prepared: tuple[Path, Things], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that runs no jobs itself: whoever holds its database plays the worker."""
    home, things = prepared
    with served(copy_home(home, tmp_path_factory.mktemp("desk") / "home"), things) as site:
        yield site


@contextmanager
def store_of(home: Path) -> Iterator[JobStore]:
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    try:
        yield application.job_store
    finally:
        application.close()


def begun(store: JobStore, kind: str = "train", **spec: Any) -> Lease:
    """Submit a job, and let it run in name."""
    job = store.submit(JobRequest(kind, {"save": "watched", "plan": {}, **spec}, priority=9)).job
    (claimed,) = store.claim(OWNER, limit=1)
    assert claimed.id == job.id
    lease = Lease(job.id, OWNER, claimed.attempt, claimed.beat)
    assert store.started(lease, WorkerIdentity("elsewhere", "boot", 1, 1, 1))
    return lease


def progress(
    stage: str, done: int, total: int, message: str = "", **more: float
) -> tuple[str, dict[str, Any]]:
    eta = 90.0 if done else None
    told = {"stage": stage, "done": done, "total": total, "fraction": done / total, "eta_seconds": eta}
    return "progress", {**told, "message": message, **more}


def fold(number: int) -> tuple[str, dict[str, Any]]:
    values = {"direction_auc": 0.5 + number / 100, "range_auc": 0.6, "log_loss_skill": -0.01}
    return "score", {"stage": "fold", "message": f"fold {number}", "values": values}


def trial(number: int, own: float | None, best: float, search: str) -> tuple[str, dict[str, Any]]:
    values = {"trial": number, "inner sharpe": own, "best inner sharpe": best}
    known = {name: value for name, value in values.items() if value is not None}
    message = search if own is not None else f"{search}, pruned"
    return "score", {"stage": "search", "message": message, "values": known}


def line(number: int, level: str = "info") -> tuple[str, dict[str, Any]]:
    return "log", {"level": level, "text": f"line {number}"}


def trained(site: Site, store: JobStore, status: str) -> dict[str, Any]:
    """Return the result of a real training, with another certificate."""
    result = dict(store.get(site.here.job).result or {})
    return {**result, "certificate": {"status": status, "findings": [LEAK] if status == "failed" else []}}


@each_reader
def test_pages_of_jobs_are_without_fault(
    site: Site, empty_site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    here, wide = site.here, reader["language"] == "en"
    page = open_page(empty_site if wide else site, "/jobs", **reader)
    check_axe(page)
    page = open_page(site, f"/jobs/{here.job}", **reader)
    check_axe(page)
    page.emulate_media(color_scheme="dark" if wide else "light")  # charts are drawn anew, and nothing moves
    settled(page)
    assert page.locator("#fold-chart .uplot").count() == 1
    for path in ("/jobs", f"/jobs/{here.stopped_job}") if wide else (f"/jobs/{here.failed_job}",):
        page.goto(path)
        settled(page)
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


def test_the_list_is_filtered_and_leads_to_jobs(site: Site, open_page: Open) -> None:
    page = open_page(site, "/jobs")
    page.get_by_role("link", name="failed 1").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Training", exact=True).click()
    expect(page.get_by_text("No job fits these filters.")).to_be_visible()
    page.get_by_role("link", name="every kind").click()
    page.get_by_role("link", name="Import X/Y").click()
    expect(page.get_by_role("heading", name="It failed")).to_be_visible()
    expect(page.locator("#job-outcome")).to_contain_text("Prices must be finite and greater than zero")
    expect(page.locator("#job-outcome")).to_contain_text("Mend what the message below says")
    page.goto(f"/jobs/{site.here.job}")
    outcome = page.locator("#job-outcome")
    expect(outcome).to_contain_text("leak audit passed")
    expect(outcome.get_by_text("Does it know up from down?")).to_be_visible()
    expect(outcome.get_by_role("link", name="Read the report")).to_have_attribute(
        "href", f"/reports/{site.here.run}"
    )
    expect(outcome.get_by_role("link", name="Model")).to_have_attribute(
        "href", f"/models/{site.here.model}/1"
    )
    expect(page.locator("#fold-rows tr")).to_have_count(3)
    assert page.locator("#fold-chart canvas").count() == 1


def test_a_job_is_followed_as_fast_as_it_tells_and_nothing_moves(desk: Site, open_page: Open) -> None:
    with store_of(desk.home) as store:
        lease = begun(store)
        store.report(lease, [progress("features", 1, 4), line(0)])
        page = open_page(desk, f"/jobs/{lease.job_id}")
        expect(page.locator("#job-now")).to_have_text("Features · 25 % of this stage")
        page.evaluate(COUNT_DRAWS)
        for burst in range(BURSTS):
            first = burst * IN_A_BURST
            told = [
                one for n in range(1, IN_A_BURST + 1) for one in (line(first + n), progress("fold", n, 10))
            ]
            store.report(lease, [*told, fold(burst + 1)])
            time.sleep(0.05)
        wait_until(page, f"document.querySelectorAll('#fold-rows tr').length === {BURSTS}")
        wait_until(page, f"({LOG}).at(-1) === 'line {BURSTS * IN_A_BURST}'")
        lines = page.evaluate(LOG)
        assert lines == [f"line {n}" for n in range(BURSTS * IN_A_BURST + 1)], "each line once, in order"
        draws, frames = page.evaluate("[draws, frames]")
        assert draws <= min(frames, BURSTS * IN_A_BURST // 2), "many events make one picture"
        expect(page.locator("#job-eta")).to_have_text("about 1 min 30 s left in this stage")
        expect(page.locator("[data-stage=features]")).to_have_class("done")
        expect(page.locator("[data-stage=fold]")).to_have_class("now")
        expect(page.locator("#job-said")).to_have_text("Folds has begun.")
        page.reload()
        settled(page)
        assert page.evaluate(LOG) == lines, "a reload loses nothing"
        expect(page.locator("#fold-rows tr")).to_have_count(BURSTS)
        page.evaluate(SEEN, "hidden")
        store.report(lease, [line(-1)])
        page.wait_for_timeout(200)
        assert page.evaluate(LOG) == lines, "a page that nobody sees holds no stream"
        page.evaluate(SEEN, "visible")
        wait_until(page, f"({LOG}).at(-1) === 'line -1'")
        assert store.finish(lease, Outcome("succeeded", result=trained(desk, store, "failed")))
        expect(page.get_by_text("The leak audit failed: this model saw the future.")).to_be_visible()
        expect(page.locator("#job-state [data-state]")).to_have_text("✓succeeded")
        expect(page.locator("#job-outcome")).to_contain_text("mine__peek")
        expect(page.locator("#job-said")).to_have_text("The job: succeeded.")
        expect(page.locator("#job-facts dd").nth(2)).not_to_have_text("–")
        check_axe(page)
        page.goto("/jobs")
        row = page.get_by_role("row").filter(has_text="Training watched").first
        expect(row).to_contain_text("leak found")


LEFT = {
    "en": (
        "about 1 h 40 min left, if as busy as in the run before",
        "any moment now, if as busy as in the run before",
        "about 1 min 30 s left in this stage",
    ),
    "ja": (
        "残り約1時間40分(前回と同じ混み具合の場合)",
        "まもなく終了(前回と同じ混み具合の場合)",
        "この段階の残り約1分30秒",
    ),
}


@each_reader
def test_the_end_of_the_whole_job_is_foretold_where_it_can_be_and_nothing_moves(
    desk: Site, open_page: Open, reader: dict[str, object]
) -> None:
    left, over, of_stage = LEFT[str(reader["language"])]
    with store_of(desk.home) as store:
        lease = begun(store)
        store.report(lease, [progress("features", 1, 4, job_eta_seconds=6_000.0)])
        page = open_page(desk, f"/jobs/{lease.job_id}", **reader)
        eta = page.locator("#job-eta")
        expect(eta).to_have_text(left)
        store.report(lease, [progress("features", 2, 4, job_eta_seconds=5_900.0)])
        expect(page.locator("#job-now")).to_contain_text("50")
        expect(eta).to_have_text(left)
        store.report(lease, [progress("audit", 1, 4, job_eta_seconds=1.5)])
        expect(eta).to_have_text(over)  # no news: the clock of the page goes on
        store.report(lease, [progress("explanation", 1, 4)])
        expect(eta).to_have_text(of_stage)
        store.report(lease, [progress("explanation", 0, 4)])
        expect(eta).to_have_text("")
        store.report(lease, [progress("explanation", 3, 4, job_eta_seconds=6_000.0)])
        expect(eta).to_have_text(left)
        assert store.request_stop(lease.job_id).accepted
        store.stopping(lease, reason=None)
        expect(eta).to_have_text("")
        assert store.finish(lease, Outcome("cancelled"))
        expect(page.locator("#job-state [data-state=cancelled]")).to_be_visible()


def test_a_stage_that_was_over_before_anything_was_said_of_it_is_shown(desk: Site, open_page: Open) -> None:
    with store_of(desk.home) as store:
        lease = begun(store)
        store.report(lease, [("stage", {"stage": "features"}), progress("features", 1, 4)])
        page = open_page(desk, f"/jobs/{lease.job_id}")
        told = [("stage", {"stage": name}) for name in ("tsfresh", "cleaning up", "fold")]
        store.report(lease, [*told, progress("fold", 1, 10)])
        expect(page.locator("[data-stage=fold]")).to_have_class("now")
        for name in ("features", "tsfresh", "cleaning up"):
            expect(page.locator(f"[data-stage='{name}']")).to_have_class("done")
        expect(page.locator("[data-stage='cleaning up'] .job-stage-time")).to_have_text("0 s")
        store.report(lease, [("stage", {"stage": "audit"})])
        expect(page.locator("[data-stage=audit]")).to_have_class("now")
        expect(page.locator("#job-said")).to_have_text("Leak audit has begun.")
        assert store.finish(lease, Outcome("cancelled"))
        expect(page.locator("[data-stage=audit]")).to_have_class("cancelled")


def test_trials_and_outer_folds_of_a_search_come_with_their_scores(desk: Site, open_page: Open) -> None:
    with store_of(desk.home) as store:
        lease = begun(store, "tune")
        page = open_page(desk, f"/jobs/{lease.job_id}")
        rows = page.locator("#trial-rows tr:not(.best)")
        expect(page.locator("#trial-chart")).to_have_attribute("data-empty", "No trial has ended yet.")
        for n in range(25):
            own = None if n == 24 else n / 100
            store.report(
                lease, [progress("search", n + 1, 25), trial(n, own, min(n, 23) / 100, "fold 1 of 2")]
            )
        expect(page.locator("#trial-note")).to_have_text("25 trials have ended.")
        expect(rows).to_have_count(20)
        assert [row.split() for row in rows.all_inner_texts()[:2]] == [
            ["fold", "1", "24", "stopped", "early", "0.2300"],
            ["fold", "1", "23", "0.2300", "0.2300"],
        ]
        expect(page.locator("#trial-rows tr.best")).to_have_text(
            re.compile(r"fold 1\s*23 \(best\)\s*0\.2300")
        )
        store.report(lease, [fold(1), trial(0, -0.5, -0.5, "all rows")])
        expect(page.locator("#fold-rows tr")).to_have_count(1)
        expect(page.locator("#trial-note")).to_have_text("26 trials have ended.")
        seen = page.locator("#trials table").inner_text()
        assert "all rows" in seen
        page.reload()
        settled(page)
        assert page.locator("#trials table").inner_text() == seen, "a reload loses nothing"
        assert page.locator("#trial-chart canvas").count() == 1
        expect(page.locator("#fold-rows tr")).to_have_count(1)
        check_axe(page)


def test_a_job_that_nobody_takes_says_so(desk: Site, open_page: Open) -> None:
    application = build_application(load_settings(home=desk.home, cwd=desk.home, environ={}))
    try:
        earlier = SqlJobStore(application.engine, clock=lambda: utc_now() - timedelta(seconds=30))
        waiting = earlier.submit(JobRequest("train", {"plan": {}}, priority=-9)).job
        with store_of(desk.home) as store:
            for lease in store.leases():
                store.finish(lease, Outcome("cancelled"))
            page = open_page(desk, f"/jobs/{waiting.id}")
            expect(page.locator("#job-now")).to_contain_text("Nobody has taken it yet")
            begun(store)
            page.reload()
            expect(page.locator("#job-now")).to_contain_text("It waits for a free place")
    finally:
        application.close()


def test_a_stop_is_not_over_before_it_is_proven(desk: Site, open_page: Open) -> None:
    with store_of(desk.home) as store:
        lease = begun(store, "tune")
        trials = [trial(number, 0.02, 0.02, "fold 1") for number in range(2)]
        store.report(lease, [progress("search", 1, 4), *trials])
        page = open_page(desk, f"/jobs/{lease.job_id}", width=360)
        expect(page.locator("#trial-note")).to_have_text("2 trials have ended.")
        assert page.locator("#trial-chart canvas").count() == 1
        page.get_by_role("button", name="Stop", exact=True).click()
        check_axe(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_role("button", name="Stop the job").click()
        badge = page.locator("#job-state [data-state]")
        expect(badge).to_have_attribute("data-state", "stopping")
        expect(page.locator("#job-state")).to_contain_text("proven gone")
        expect(page.get_by_role("button", name="Stopping")).to_be_disabled()
        settled(page)
        assert not store.finish(lease, Outcome("succeeded", result={})), "the stop came first"
        page.wait_for_timeout(150)
        expect(badge).to_have_attribute("data-state", "stopping")
        assert store.finish(lease, Outcome("cancelled"))
        expect(badge).to_have_attribute("data-state", "cancelled")
        expect(page.locator("#job-outcome")).to_contain_text("nothing was published")
        search = page.locator("#job-stages [data-stage=search]")
        expect(search).to_have_class("cancelled")
        expect(search).to_contain_text("It was stopped in this stage.")
        note = search.locator(".job-stage-note")
        told = note.inner_text()
        page.reload()
        settled(page)
        expect(note).to_have_text(told)  # a page that comes later says the same
        check_axe(page)
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#job-state [data-state]")).to_have_attribute("data-state", "queued")
        page.wait_for_url(lambda address: lease.job_id not in address)
        expect(page.get_by_role("link", name=lease.job_id)).to_be_visible()
        settled(page)
        store.request_stop(page.url.rpartition("/")[2])  # or the next test would claim it


def test_stop_really_ends_the_processes(site: Site, open_page: Open) -> None:
    page = open_page(site, "/jobs")
    data = {"data.symbols": [site.here.symbol], "data.timeframe": site.here.timeframe}
    body = {"plan": {**data, "data.timerange": "20260101-", "model.n_rounds": 100_000}}
    job = page.request.post("/api/v1/training-jobs", data=body).json()
    page.goto(f"/jobs/{job['id']}")
    badge = page.locator("#job-state [data-state]")
    expect(badge).to_have_attribute("data-state", "running")
    pid = page.request.get(f"/api/v1/jobs/{job['id']}").json()["pid"]
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop the job").click()
    expect(badge).to_have_attribute("data-state", "cancelled")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_that_goes_away_loses_nothing_of_a_job(own_site: Site, open_page: Open) -> None:
    allow = ("ERR_CONNECTION", "ERR_INCOMPLETE", "net::", "404")
    with store_of(own_site.home) as store:
        lease = begun(store)
        store.report(lease, [line(1), fold(1)])
        page = open_page(own_site, f"/jobs/{lease.job_id}", allow=allow)
        expect(page.locator("#job-log span")).to_have_count(1)
        own_site.process.send_signal(signal.SIGKILL)
        own_site.process.wait()
        expect(page.locator("#connection")).to_be_visible()
        check_axe(page)
        store.report(lease, [line(2), fold(2), progress("fold", 2, 3)])
        port = urlsplit(own_site.address).port
        assert port is not None
        with served(own_site.home, own_site.things, port=port):
            expect(page.locator("#connection")).to_be_hidden()
            expect(page.locator("#job-log span")).to_have_count(2)
            assert page.evaluate(LOG) == ["line 1", "line 2"]
            expect(page.locator("#fold-rows tr")).to_have_count(2)
            store.finish(
                lease, Outcome("failed", "oom", error={"what": "Too little memory", "log": "line 2"})
            )
            expect(page.locator("#job-outcome")).to_contain_text("It needed more memory than there was.")
            deleted(page, lease.job_id)


def test_the_bar_is_of_the_whole_job_where_that_is_known(desk: Site, open_page: Open) -> None:
    with store_of(desk.home) as store:
        lease = begun(store)
        store.report(lease, [progress("fold", 2, 3)])
        page = open_page(desk, f"/jobs/{lease.job_id}")
        bar, now = page.get_by_role("progressbar"), page.locator("#job-now")
        expect(now).to_have_text("Folds · 67 % of this stage")
        expect(bar).to_have_accessible_name("Progress of this stage")
        known = {"job_eta_seconds": 6_000.0, "job_paced": True, "job_fraction": 0.4}
        store.report(lease, [progress("fold", 2, 3, **known)])
        expect(now).to_have_text("Folds · 40 % of the whole job")
        expect(bar).to_have_accessible_name("Progress")
        expect(page.locator("#job-eta")).to_have_text("about 1 h 40 min left")
        store.report(lease, [progress("final fit", 0, 1, **{**known, "job_fraction": 0.5})])
        expect(now).to_have_text("Final fit · 50 % of the whole job")
        expect(bar).to_have_attribute("value", "0.5")
        expect(page.locator("[data-stage='final fit'] .job-stage-time")).to_have_text("0 %")
        page.reload()
        expect(now).to_have_text("Final fit · 50 % of the whole job")
        expect(bar).to_have_attribute("value", "0.5")
        expect(page.locator("#job-eta")).to_have_text("about 1 h 40 min left")
        page.goto("/jobs")
        row = page.get_by_role("row").filter(has=page.locator(f"a[href='/jobs/{lease.job_id}']"))
        expect(row.get_by_role("progressbar")).to_have_attribute("value", "0.5")
        assert store.finish(lease, Outcome("cancelled"))


def test_times_of_stages_are_those_of_the_job_however_late_the_page_came(desk: Site, open_page: Open) -> None:
    with store_of(desk.home) as store:
        lease = begun(store, audit=False)
        store.report(lease, [("stage", {"stage": "features"}), progress("features", 1, 4)])
        time.sleep(1.2)
        page = open_page(desk, f"/jobs/{lease.job_id}")
        log = page.locator("#job-log")
        expect(log).to_have_attribute("data-empty", "Nothing was logged.")
        store.report(lease, [("stage", {"stage": "final fit"}), progress("final fit", 1, 1)])
        features = page.locator("[data-stage=features] .job-stage-time")
        expect(features).to_have_text(re.compile("[1-9] s"))
        time.sleep(2.2)
        assert store.finish(lease, Outcome("succeeded", result=trained(desk, store, "passed")))
        expect(page.locator("#job-progress, .job-progress")).to_contain_text(
            "around them: start of the worker"
        )
        final = page.locator("[data-stage='final fit'] .job-stage-time")
        expect(final).to_have_text("0 s")  # the report is none of it
        told = [features.inner_text(), final.inner_text()]
        page.reload()
        expect(page.locator(".job-progress")).to_contain_text("around them: start of the worker")
        assert abs(float(features.inner_text().split()[0]) - float(told[0].split()[0])) <= 0.5
        assert final.inner_text() in ("", told[1])
        box = log.bounding_box()
        assert box is not None
        assert box["height"] < 80, "nothing to show takes no room"
        check_axe(page)


SILENT = {
    "en": ("Its server has been silent for", "the worker or server of the last one was lost"),
    "ja": ("応答がありません", "前の試行のワーカーかサーバーが失われました"),
}


@each_reader
def test_a_job_whose_server_was_killed_stops_counting_and_waits_for_another(
    own_site: Site, open_page: Open, reader: dict[str, object]
) -> None:
    """Its own server is killed for real; another one, which runs no jobs, shows what became of it."""
    silent, lost = SILENT[str(reader["language"])]
    here = own_site.here
    data = {"data.symbols": [here.symbol], "data.timeframe": here.timeframe, "data.timerange": "20260101-"}
    with served(own_site.home, here, jobs=True) as worker:
        page = open_page(own_site, "/jobs", **reader)
        asked = page.request.post(
            f"{worker.address}/api/v1/training-jobs", data={"plan": {**data, "model.n_rounds": 100_000}}
        ).json()
        page.goto(f"/jobs/{asked['id']}")
        expect(page.locator("#job-state [data-state=running]")).to_be_visible(timeout=30_000)
        expect(page.locator("#job-elapsed")).not_to_have_text("")
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()
        now = page.locator("#job-now")
        expect(now).to_contain_text(silent, timeout=30_000)
        expect(page.locator("#job-elapsed")).to_have_text("")
        expect(page.locator("#job-eta")).to_have_text("")
        told = now.inner_text()
        expect(now).not_to_have_text(told, timeout=15_000)  # it goes on counting
        check_axe(page)
        page.reload()
        expect(now).to_contain_text(silent)
        with store_of(own_site.home) as store:
            (lease,) = (one for one in store.leases() if one.job_id == asked["id"])
            assert store.reap(lease)
            expect(page.locator("#job-state")).to_contain_text(lost)
            expect(page.locator("#job-state [data-state=queued]")).to_be_visible()
            assert store.request_stop(lease.job_id).accepted


def deleted(page: Page, job_id: str) -> None:
    """Delete a job that somebody looks at: its page says so, in either language."""
    assert page.request.delete(f"/api/v1/jobs/{job_id}").ok
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("This job does not exist any more")
    check_axe(page)
    expect(page.get_by_role("main").get_by_role("link", name="Jobs")).to_be_visible()
