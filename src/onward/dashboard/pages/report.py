"""Reports of runs: the verdict first and in words, then everything that stands behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from onward.dashboard.i18n.said import Said
from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render
from onward.dashboard.reports import KeptReport
from onward.dashboard.series import LATEST_SECONDS
from onward.dashboard.services import Reports, Runs
from onward.dashboard.views.report import report_view, run_line
from onward.dashboard.views.run_ending import ending_of
from onward.errors import JobNotFoundError, RegistryError, RegistryNotFoundError, UserError
from onward.server.authorisation import requires
from onward.server.dependencies import Registry, Repositories, State, Store
from onward.server.responses import answer

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job
    from onward.registry import ModelRegistry, Run

__all__ = ["PAGE", "certificate_of", "router"]

PAGE = Page("report", "/reports", "report", shots=(("reports", "/reports"), ("report", "/reports/{run}")))
PER_PAGE = 25

router = APIRouter()

RunId = Annotated[str, Path(max_length=100)]
Moment = Annotated[int | None, Query(ge=0, le=LATEST_SECONDS)]


@router.get("/reports", dependencies=[requires("read")])
def reports(
    render: Render,
    runs: Runs,
    registry: Registry,
    store: Store,
    state: State,
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """List runs, newest first."""
    found = runs.list(limit=PER_PAGE + 1, before=before or None)
    lines = [run_line(state.shown.run(run), certificate_of(run, registry, store)) for run in found[:PER_PAGE]]
    older = lines[-1].id if len(found) > PER_PAGE else None
    return render.page("report", template="reports", lines=lines, older=older, before=before)


@router.get("/runs", dependencies=[requires("read")])
@router.get("/runs/{run_id}", dependencies=[requires("read")])
def to_reports(request: Request, run_id: str = "") -> Response:
    """Lead whoever looks for runs to their reports: each run has one page, and one list."""
    path = f"/reports/{quote(run_id, safe='')}" if run_id else "/reports"
    query = request.url.query
    return RedirectResponse(f"{path}?{query}" if query else path, 307)


@router.get("/reports/{run_id}", dependencies=[requires("read")])
def report(
    run_id: RunId,
    render: Render,
    runs: Runs,
    registry: Registry,
    store: Store,
    state: State,
    book: Reports,
) -> Response:
    """Show the report of a run; where it is not there any more, what is known without it."""
    run = state.shown.run(runs.get(run_id))
    kept = book.look(run, registry)
    line = run_line(run, certificate_of(run, registry, store))
    if not isinstance(kept, KeptReport):
        job = _job(run, store)
        ending = ending_of(run, None if job is None else state.shown.whole_job(job))
        return render.page(
            "report", template="report_missing", run=line, why=kept, ending=ending, has_file=kept == "old"
        )
    return render.page("report", view=report_view(line, kept), say=Said(render.t))


@router.get("/reports/{run_id}/file", dependencies=[requires("read")])
def file(run_id: RunId, runs: Runs, registry: Registry, book: Reports) -> Response:
    """Return the report as one file that needs nothing else, to be kept or sent to somebody."""
    run = runs.get(run_id)
    path = book.file(run, registry)
    if path is None:
        raise RegistryNotFoundError("the run has no report any more", got=run.id)
    return FileResponse(
        path,
        media_type="text/html",
        filename=f"report-{run.id}.html",
        headers={"Content-Security-Policy": "sandbox", "Cache-Control": "no-cache"},
    )


@router.get("/ui/reports/{run_id}/candles", dependencies=[requires("read")])
async def candles(
    run_id: RunId,
    runs: Runs,
    registry: Registry,
    book: Reports,
    repositories: Repositories,
    state: State,
    symbol: Annotated[str, Query(min_length=1, max_length=100)],
    from_: Annotated[Moment, Query(alias="from", description="Unix seconds.")] = None,
    to: Annotated[Moment, Query(description="Unix seconds, exclusive.")] = None,
    points: Annotated[int, Query(ge=10, le=5000)] = 1500,
) -> Response:
    """Return candles of a stretch of time with the position that the out-of-fold signals held."""

    def look() -> dict[str, Any]:
        from onward.dashboard.views.report_candles import window

        run = runs.get(run_id)
        kept = book.look(run, registry)
        if not isinstance(kept, KeptReport):
            raise RegistryNotFoundError("the run has no report any more", got=run.id)
        chart = next((one for one in kept.charts["candles"] if one["symbol"] == symbol), None)
        if chart is None:
            symbols = ", ".join(one["symbol"] for one in kept.charts["candles"])
            raise UserError("the report does not show this symbol", got=symbol, allowed=symbols)
        timeframe = str(run.record.data.get("timeframe"))
        stored = repositories.candles(timeframe)

        def earlier(first: int, last: int) -> Any:
            import pandas as pd

            begin, end = (pd.Timestamp(datetime.fromtimestamp(s, UTC)) for s in (first, last))
            return stored.read(symbol, start=begin, end=end)

        seconds = int(stored.timeframe.total_seconds())
        return window(chart, bar_seconds=seconds, start=from_, end=to, points=points, stored=earlier)

    found = await anyio.to_thread.run_sync(look, limiter=state.predicting)
    return answer(found, headers={"Cache-Control": "no-cache"})


def _job(run: Run, store: JobStore) -> Job | None:
    if run.record.job_id is None:
        return None
    try:
        return store.get(run.record.job_id)
    except JobNotFoundError:
        return None


def certificate_of(run: Run, registry: ModelRegistry, store: JobStore) -> str | None:
    """Return how a run's leak audit ended; None if that is not known any more.

    Rows of earlier versions do not say; their model or job may.
    """
    record = run.record
    if record.audit is not None:
        return record.audit
    try:
        if record.model_ref is not None:
            return registry.resolve(record.model_ref).manifest.certificate.status
        if record.job_id is not None:
            told = (store.get(record.job_id).result or {}).get("certificate") or {}
            return told.get("status")
    except (RegistryError, JobNotFoundError):  # deleted, or damaged: the list is shown all the same
        return None
    return None
