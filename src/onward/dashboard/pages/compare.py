"""Runs side by side: choosing them, what differs, what they scored, how their searches went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from onward.dashboard.navigation import Page
from onward.dashboard.pages.report import certificate_of
from onward.dashboard.rendering import Render
from onward.dashboard.reports import KeptReport
from onward.dashboard.services import Reports, Runs, SiteServices
from onward.dashboard.views.compare import MOST_RUNS, Compared, compare_view
from onward.dashboard.views.compare_evidence import evidence_of
from onward.dashboard.views.compare_search import SearchView, search_of
from onward.dashboard.views.report import run_line
from onward.errors import OnwardError, RegistryError
from onward.server.authorisation import requires
from onward.server.dependencies import Registry, State, Store

if TYPE_CHECKING:
    from onward.dashboard.reports import ReportBook
    from onward.jobs.protocol import JobStore
    from onward.registry import ModelRegistry, Run, RunStore

__all__ = ["PAGE", "router"]

PAGE = Page(
    "compare",
    "/compare",
    "compare",
    shots=(("compare-choose", "/compare"), ("compare", "/compare?run={run}&run={other_run}")),
)

router = APIRouter()

PER_PAGE = 50
LARGEST_SEARCH_BYTES = 32 * 2**20
FEWEST = 2

RunId = Annotated[str, Query(max_length=100)]


@router.get("/compare", dependencies=[requires("read")])
def compare(
    render: Render,
    runs: Runs,
    registry: Registry,
    store: Store,
    reports: Reports,
    state: State,
    run: Annotated[list[RunId] | None, Query(max_length=200, description="Ids of runs.")] = None,
    all: bool = False,
    choose: bool = False,
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Lay runs side by side; without two of them, or when asked, let them be chosen."""
    found, missing = _found(runs, [one.strip() for one in run or () if one.strip()])
    shown = found[:MOST_RUNS]
    if choose or len(found) + len(missing) < FEWEST:
        listed = runs.list(limit=PER_PAGE + 1, before=before or None)
        lines = [run_line(one, None) for one in listed[:PER_PAGE]]
        return render.page(
            "compare",
            template="compare_choose",
            lines=lines,
            chosen=[one.id for one in shown],
            elsewhere=[one.id for one in shown if one.id not in {line.id for line in lines}],
            missing=missing,
            most=MOST_RUNS,
            before=before,
            older=lines[-1].id if len(listed) > PER_PAGE else None,
            address=address,
        )
    services = cast("SiteServices", state.provider.services)
    compared = [_compared(one, registry, store, reports, services) for one in shown]
    view = compare_view(compared, missing=missing, left_out=len(found) - len(shown), everything=all)
    return render.page("compare", view=view, most=MOST_RUNS, address=address)


def address(
    runs: list[str], *, everything: bool = False, choose: bool = False, before: str | None = None
) -> str:
    """Return the address of a comparison."""
    said = [("run", one) for one in runs]
    said += [("all", "1")] * everything + [("choose", "1")] * choose
    said += [("before", before)] if before else []
    return f"/compare?{urlencode(said)}" if said else "/compare"


def _found(runs: RunStore, asked: list[str]) -> tuple[list[Run], list[str]]:
    """Return the runs that exist, each once, and what was asked for and does not."""
    found: dict[str, Run] = {}
    missing: dict[str, None] = {}
    for text in asked:
        try:
            run = runs.get(text)
        except RegistryError:
            missing[text] = None
        else:
            found[run.id] = run
    return list(found.values()), list(missing)


def _compared(
    run: Run, registry: ModelRegistry, store: JobStore, reports: ReportBook, services: SiteServices
) -> Compared:
    kept = reports.look(run, registry)
    page = kept.page if isinstance(kept, KeptReport) else None
    return Compared(
        run=run,
        line=run_line(run, certificate_of(run, registry, store)),
        evidence=evidence_of(run.record.verdicts, page),
        search=_search(run, services) if run.record.kind == "tune" else None,
    )


def _search(run: Run, services: SiteServices) -> SearchView | None:
    try:
        path = services.kept_file(f"runs/{run.id}/search.json")
        if path.stat().st_size > LARGEST_SEARCH_BYTES:
            return None
        return search_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, OnwardError):  # gone, or half of it: the rest of the page still helps
        return None
