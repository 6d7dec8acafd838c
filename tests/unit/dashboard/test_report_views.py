"""Reports read back from their files: plots as places, the candles that somebody looks at, runs in lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.dashboard import create_site
from onward.dashboard.reports import KEPT, KeptReport, ReportBook, read_report
from onward.dashboard.views.report import cut, report_view, run_line
from onward.dashboard.views.report_candles import positions, window
from onward.dashboard.views.report_plots import calibration, histogram
from onward.dashboard.views.run_ending import ending_of
from onward.errors import LabelError, RegistryNotFoundError
from onward.evaluation.report import render
from onward.evaluation.report.candles import candles_view
from onward.evaluation.report.embedded import ELEMENT, FORMAT
from onward.registry import Run, RunRecord, RunVerdict
from onward.registry.runvalues import told_failure
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.types import Certificate, Finding
from onward.wiring import build_application
from tests.unit.evaluation.test_report_page import content_of
from tests.unit.server.client import Client

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = 3600


def a_run(**changes: Any) -> Run:
    given: dict[str, Any] = {
        "kind": "train",
        "plan": {"model": {"name": "lightgbm"}, "ensemble": {"method": "none"}},
        "plan_hash": "p",
        "data_hash": "d",
        "label_family": "f",
        "data": {"symbols": ["A/USD"], "timeframe": "1h", "first_open": "2026-01-01T00:00:00+00:00"},
        "verdicts": {"direction": RunVerdict("weak evidence", 0.03)},
        "model_ref": "models:/btc-1h/12",
        "report_path": "runs/x/report.html",
    }
    return Run("20261122-120000-abcd", NOW, RunRecord(**given | changes), None)


class Nothing:
    """A registry in which everything was deleted."""

    def open(self, reference: str) -> Path:
        raise RegistryNotFoundError("There is no such model", got=reference)


NO_MODELS: Any = Nothing()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "report.html"
    path.write_text(render(content_of(random_walk(1500, seed=1))), encoding="utf-8")
    return path


def book(root: Path) -> ReportBook:
    return ReportBook(SimpleNamespace(kept_file=lambda stored: root / stored))


def test_a_file_says_the_same_as_its_page(file: Path) -> None:
    found = read_report(file)
    assert found is not None
    html = file.read_text(encoding="utf-8")
    assert f'id="{ELEMENT}"' in html
    assert found.page["format"] == FORMAT
    assert found.page["equity"]["summary"].replace("'", "&#39;") in html
    assert {card["verdict"]["subject"] for card in found.page["cards"]} == {"direction", "range"}
    assert set(found.charts) == {"equity", "candles", "chance", "calibration"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>a report of long ago</html>",
        '<script type="application/json" id="content">{"format": 99}</script>',
        '<script type="application/json" id="content">{"format": 1</script>',
        '<script type="application/json" id="content">[]</script>',
    ],
)
def test_a_report_of_another_version_is_old(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.html").write_text(text)
    assert read_report(tmp_path / "report.html") is None
    assert book(tmp_path).look(a_run(report_path="report.html"), NO_MODELS) == "old"


def test_a_report_that_is_gone_says_so(tmp_path: Path) -> None:
    assert book(tmp_path).look(a_run(), NO_MODELS) == "gone"
    assert book(tmp_path).look(a_run(report_path=None, model_ref=None), NO_MODELS) == "none"


def test_the_bundle_keeps_a_report_that_its_run_lost(tmp_path: Path, file: Path) -> None:
    registry: Any = SimpleNamespace(open=lambda reference: file.parent)
    assert isinstance(book(tmp_path).look(a_run(), registry), KeptReport)


def test_reports_are_read_once_and_again_when_they_changed(tmp_path: Path, file: Path) -> None:
    shelf = book(tmp_path)
    text = file.read_text(encoding="utf-8")
    runs = [a_run(report_path=f"{number}.html") for number in range(KEPT + 1)]
    for run in runs:
        (tmp_path / str(run.record.report_path)).write_text(text, encoding="utf-8")
    first = shelf.look(runs[0], NO_MODELS)
    assert shelf.look(runs[0], NO_MODELS) is first
    for run in runs:
        shelf.look(run, NO_MODELS)
    assert shelf.look(runs[-1], NO_MODELS) is shelf.look(runs[-1], NO_MODELS)
    assert shelf.look(runs[0], NO_MODELS) is not first, "the one longest unused made room"
    (tmp_path / "0.html").write_text("gone wrong")
    assert shelf.look(runs[0], NO_MODELS) == "old"


def test_a_run_in_one_line() -> None:
    line = run_line(a_run(), "passed")
    assert (line.model, line.number, line.learner, line.certificate) == ("btc-1h", 12, "lightgbm", "passed")
    assert (line.direction.level, line.direction.p) == ("weak evidence", 0.03)
    assert (line.range.level, line.range.p) == (None, None)
    bare = run_line(a_run(plan={}, data={}, verdicts={}, model_ref="models:/x"))
    assert (bare.model, bare.number, bare.learner, bare.symbols, bare.first) == (None, None, "", (), "")
    stacked = run_line(a_run(plan={"model": {"name": "lightgbm"}, "ensemble": {"method": "stacking"}}))
    assert stacked.learner == "stacking"


def test_the_view_has_the_sections_that_there_are(file: Path) -> None:
    kept = read_report(file)
    assert kept is not None
    view = report_view(run_line(a_run()), kept)
    assert view.sections[:2] == ("verdict", "candles")
    assert "search" not in view.sections
    assert view.findings is view.more_findings is None
    assert view.chance["direction"] is not None
    assert view.calibration is not None
    assert view.symbols == ("SYNTH/USD",)


@pytest.mark.parametrize("job_state", [None, "running", "failed"])
def test_a_run_that_failed_says_why(job_state: str | None) -> None:
    kept = told_failure(LabelError("no row has a label", got="12 bars", remedy="Give more bars."))
    run = a_run(status="failed", error=kept)
    job: Any = SimpleNamespace(state=job_state, reason="oom", error={"error": "JobError", "got": "9 GB"})
    ending = ending_of(run, job if job_state else None)
    assert ending is not None
    if job_state == "failed":  # its job knows more
        assert (ending.reason, dict(ending.parts)) == ("oom", {"got": "9 GB"})
    else:
        assert ending.reason is None
        assert dict(ending.parts) == {
            "what": "no row has a label",
            "got": "12 bars",
            "remedy": "Give more bars.",
        }
    assert run_line(run).failure == "no row has a label"


def test_other_endings_have_no_reason() -> None:
    assert ending_of(a_run(), None) is None
    for state in ("cancelled", "running", "failed"):
        ending = ending_of(a_run(status=state), None)
        assert ending is not None
        assert (ending.state, ending.reason, dict(ending.parts)) == (state, None, {})


def test_what_is_kept_of_a_failure_is_short_and_fits_every_database() -> None:
    kept = told_failure(ValueError("\udc80\0" + "x" * 5000))
    assert kept["error"] == "ValueError"
    assert kept["what"].startswith("\\udc80\\0x")
    assert len(kept["what"]) < 2010
    assert told_failure(KeyError()) == {"error": "KeyError", "what": "KeyError"}
    assert told_failure({"what": "odd", "traceback": "long", "got": None}) == {"what": "odd"}


def test_long_tables_are_cut() -> None:
    table = {"caption": "x", "rows": list(range(7))}
    first, rest = cut(table, 5)
    assert first is not None
    assert rest is not None
    assert (first["rows"], rest["rows"]) == ([0, 1, 2, 3, 4], [5, 6])
    assert cut(table, 7) == (table, None)
    assert cut(None, 5) == (None, None)


def test_a_histogram_lies_inside_its_picture() -> None:
    chart = {"middle": [0.4, 0.5, 0.6], "count": [1, 4, 0], "observed": 0.9, "low": 0.41, "high": 0.58}
    plot = histogram(chart)
    assert plot is not None
    assert len(plot.bars) == 2, "an empty bin is no bar"
    heights = [height for *_, height in plot.bars]
    assert heights[1] == pytest.approx(4 * heights[0], abs=0.02)
    assert all(x >= 0 and x + width <= 420 for x, _, width, _ in plot.bars)
    assert plot.low < plot.high < plot.observed <= 420
    assert plot.label <= 350, "the label is not cut off"
    assert [round(tick.value, 2) for tick in plot.ticks] == [0.4, 0.6, 0.8, 1.0]
    assert histogram(None) is None
    assert histogram({**chart, "middle": [], "count": []}) is None


def test_a_calibration_that_is_right_lies_on_the_diagonal() -> None:
    curves = [{"name": "up", "stated": [0.2, 0.5, None], "realised": [0.2, 0.5, 0.4]}]
    plot = calibration(curves)
    assert plot is not None
    (x0, y0), (x1, y1) = plot.curves[0].points
    assert x1 - x0 == pytest.approx(y0 - y1)
    assert calibration([{"name": "up", "stated": [], "realised": []}]) is None


# -- candles ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chart() -> dict[str, Any]:
    """Candles of a report that keeps its newest 24,000 of 30,000 bars one by one."""
    market = random_walk(30_000, seed=4)
    position = pd.Series(np.resize([np.nan, 0.0, 1.0, 1.0, -1.0], len(market)), index=market.index)
    (found,) = candles_view(market, SimpleNamespace(position=position)).chart  # type: ignore[arg-type]
    loaded: dict[str, Any] = json.loads(json.dumps(found))
    return loaded


def look(chart: dict[str, Any], start: int | None, end: int | None, points: int = 1500, **more: Any) -> Any:
    return window(chart, bar_seconds=HOUR, start=start, end=end, points=points, **more)


def test_the_position_of_every_bar_is_known(chart: dict[str, Any]) -> None:
    times, held = positions(chart)
    assert len(times) == len(held) == 30_000
    assert set(np.diff(times)) == {HOUR}
    assert held[:5].tolist()[1:] == [0.0, 1.0, 1.0, -1.0]
    assert np.isnan(held[0])


def test_a_stretch_of_kept_bars_comes_bar_by_bar(chart: dict[str, Any]) -> None:
    begin = chart["detail"]["time"]["start"] + 1000 * HOUR
    found = look(chart, begin, begin + 200 * HOUR)
    assert found["bars"] == 1
    assert found["time"] == [begin + n * HOUR for n in range(200)]
    assert found["close"] == chart["detail"]["close"][1000:1200]
    assert found["position"] == chart["detail"]["position"][1000:1200]


def test_many_bars_come_as_few(chart: dict[str, Any]) -> None:
    begin = chart["detail"]["time"]["start"]
    found = look(chart, begin, None, points=500)
    assert found["bars"] == 48
    assert len(found["time"]) <= 501
    assert max(found["high"]) == max(chart["detail"]["high"])
    assert found["until"][-1] == begin + (len(chart["detail"]["open"]) - 1) * HOUR
    assert min(found["low"]) == min(chart["detail"]["low"])
    assert all(-1 <= value <= 1 for value in found["position"] if value is not None)


def test_earlier_bars_come_from_the_store_with_the_position_of_the_report(chart: dict[str, Any]) -> None:
    first, begin = chart["earlier"]["time"]["start"], chart["detail"]["time"]["start"]

    def stored(start: int, end: int) -> pd.DataFrame:
        time = pd.to_datetime(np.arange(start, end, HOUR), unit="s", utc=True)
        values = {name: np.arange(len(time), dtype=float) for name in ("open", "high", "low", "close")}
        return pd.DataFrame({"timestamp": time, **values})

    found = look(chart, begin - 10 * HOUR, begin + 10 * HOUR, stored=stored)
    assert found["time"] == [begin + n * HOUR for n in range(-10, 10)]
    assert found["close"][:10] == list(range(10))
    held = positions(chart)[1][5990:6010]
    assert found["position"] == [None if np.isnan(value) else value for value in held]
    assert look(chart, first, first + 5 * HOUR, stored=stored)["time"][0] == first


def test_without_a_store_earlier_bars_are_the_merged_ones(chart: dict[str, Any]) -> None:
    first = chart["overview"]["time"]["start"]
    for stored in (None, lambda start, end: pd.DataFrame({"timestamp": []})):
        found = look(chart, None, None, stored=stored)
        assert found["time"][0] == first
        assert found["close"] == chart["overview"]["close"]


def test_a_stretch_without_bars_is_empty(chart: dict[str, Any]) -> None:
    assert look(chart, 7_000_000_000, 7_000_100_000)["time"] == []
    assert look(chart, 0, 10)["time"] == []


# -- the page -----------------------------------------------------------------------------------


def test_a_failed_audit_is_the_first_thing_one_reads(tmp_path: Path) -> None:
    found = tuple(Finding("truncation", "leak", f"manual__x_{n}", "A 2024", "it moved") for n in range(9))
    content = content_of(random_walk(1500, seed=1), skill=0.5, certificate=Certificate("failed", (), found))
    application = build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={}))
    try:
        run = application.runs.record(a_run(model_ref=None).record)
        (tmp_path / "runs" / "x").mkdir(parents=True)
        (tmp_path / "runs" / "x" / "report.html").write_text(render(content), encoding="utf-8")
        error = told_failure(LabelError("no row has a label", got="<b>12</b>", remedy="Give more bars."))
        failed = a_run(status="failed", error=error, model_ref=None, report_path=None, verdicts={})
        dead = application.runs.record(failed.record)
        with Client(create_site(application)) as client:
            for address in (f"/reports/{dead.id}", "/reports"):
                assert "no row has a label" in client.get(address).text
            why = client.get(f"/reports/{dead.id}").text
            moved = [client.get(path).headers["location"] for path in ("/runs?before=x", f"/runs/{run.id}")]
            told = client.get(f"/reports/{run.id}").text
            japanese = client.get(f"/reports/{run.id}", headers={"Accept-Language": "ja"}).text
            gone = client.get("/reports/20200101-000000-none")
    finally:
        application.close()
    main = told.partition("<main")[2]
    places = [
        main.index(text) for text in ("The leak audit failed", "What stands below would be", "and 4 more")
    ]
    assert places == sorted(places)
    assert main.index("<h2") < places[0] < main.index('<nav class="contents"')
    assert "tells rises from falls better" not in main, "no praise for what is worthless"
    assert moved == ["/reports?before=x", f"/reports/{run.id}"]
    assert "This training failed" in why
    assert gone.status_code == 404
    assert "There is no such run" in gone.text
    assert '<a class="button" href="/reports">' in gone.text
    assert "&lt;b&gt;12&lt;/b&gt;" in why
    assert "リーク監査に不合格です" in japanese
    assert "ほか4件" in japanese
