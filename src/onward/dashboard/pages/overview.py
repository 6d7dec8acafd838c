"""The first page: models in use, jobs, data, alarms; the first steps where there is nothing yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter
from starlette.responses import Response

from onward.dashboard.first_training import request_key, sample_request, start_training, training_under_way
from onward.dashboard.forms import REQUEST_KEY_FIELD, SafeForm
from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render
from onward.dashboard.services import Book, Runs
from onward.dashboard.views.overview import FAILED_WITHIN, OverviewView, overview_view
from onward.jobs.states import STATES, TERMINAL
from onward.server.authorisation import requires
from onward.server.dependencies import Caller, Manager, Registry, Repositories, State, Store

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.registry import ModelRegistry, RunStore
    from onward.server.coverage import CoverageBook
    from onward.server.state import ServerState

__all__ = ["PAGE", "router"]

PAGE = Page("overview", "/", "overview", shots=(("overview", "/"),))

router = APIRouter()

MOST = 12
LIVE = tuple(state for state in STATES if state not in TERMINAL)


@router.get("/", dependencies=[requires("read")])
def overview(
    render: Render, registry: Registry, store: Store, book: Book, runs: Runs, state: State
) -> Response:
    """Show the overview."""
    view = _look(registry, store, book, runs, state)
    return render.page("overview", view=view, request_key=_key(view, store))


@router.get("/ui/overview", dependencies=[requires("read")])
def refreshed(
    render: Render, registry: Registry, store: Store, book: Book, runs: Runs, state: State
) -> Response:
    """Return the part that changes, which the page asks for now and then."""
    view = _look(registry, store, book, runs, state)
    return render.fragment("fragments/overview.html", view=view, request_key=_key(view, store))


@router.post("/ui/overview/train-sample", dependencies=[requires("run")])
async def train_sample(
    render: Render,
    form: SafeForm,
    state: State,
    manager: Manager,
    repositories: Repositories,
    registry: Registry,
    runs: Runs,
    store: Store,
    caller: Caller,
) -> Response:
    """Store the bundled bars, and train a first model on them, where there is none yet.

    However often the button of one page is sent, it is one job; and so it is with the buttons of other
    pages, of this server or another one, that were shown before it began.
    """

    def submit() -> Response:
        job = training_under_way(store)
        if job is None:
            if registry.list_models() or _has_run(runs):
                return render.redirect("/", toast="overview.toast.not_first", tone="calm")
            request = sample_request(in_use=caller.may("admin"), actor=caller.actor)
            after = str(form.get(REQUEST_KEY_FIELD, ""))
            job = start_training(request, after, store=store, manager=manager, repositories=repositories)
        return render.redirect(f"/jobs/{job.id}", toast="overview.toast.submitted")

    return await anyio.to_thread.run_sync(submit, limiter=state.heavy)


@router.post("/ui/overview/store-sample", dependencies=[requires("run")])
async def store_bundled(render: Render, form: SafeForm, state: State, repositories: Repositories) -> Response:
    """Store the bundled bars for a model that learnt from them, and go back to where that was asked for."""

    def store() -> bool:
        from onward.data.sample import store_sample  # pandas

        return store_sample(repositories)

    stored = await anyio.to_thread.run_sync(store, limiter=state.heavy)
    model = str(form.get("model", ""))[:200]
    back = "/predict?" + urlencode({"model": model}) if model else "/"
    return render.redirect(back, toast="overview.toast.stored" if stored else "overview.toast.was_stored")


def _key(view: OverviewView, store: JobStore) -> str:
    """Return what the button for a first model carries, where there is one."""
    return request_key(store) if view.is_empty and not view.has_run else ""


def _has_run(runs: RunStore) -> bool:
    return any(one.record.status == "succeeded" for one in runs.list(limit=MOST))


def _look(
    registry: ModelRegistry, store: JobStore, book: CoverageBook, runs: RunStore, state: ServerState
) -> OverviewView:
    summaries = registry.list_models()
    now = datetime.now(UTC)
    lately = now - FAILED_WITHIN
    return overview_view(
        summaries=summaries,
        in_use=registry.in_use(),
        running=store.find(states=LIVE, limit=MOST).jobs,
        ended=store.find(states=tuple(TERMINAL), limit=50).jobs,
        failed=store.find(states=("failed",), ended_after=lately, limit=50).jobs,
        n_failed=store.counts(ended_after=lately)["failed"],
        counts=store.counts(),
        coverage=book.coverage(),
        now=now,
        has_run=bool(summaries) or _has_run(runs),
        most=MOST,
        most_missed=state.provider.services.settings.prediction.max_staleness_bars,
    )
