"""The first page: models in use, jobs, data, alarms; the first steps where there is nothing yet."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from fastapi import APIRouter
from starlette.responses import Response

from onward.dashboard.forms import REQUEST_KEY_FIELD, SafeForm, idempotency_key, new_request_key
from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render
from onward.dashboard.services import Book, Runs
from onward.dashboard.views.overview import OverviewView, overview_view
from onward.jobs.states import STATES, TERMINAL
from onward.server.authorisation import requires
from onward.server.dependencies import Caller, Manager, Registry, Repositories, State, Store

if TYPE_CHECKING:
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job
    from onward.registry import ModelRegistry, RunStore, Version
    from onward.server.coverage import CoverageBook

__all__ = ["PAGE", "router"]

PAGE = Page("overview", "/", "overview", shots=(("overview", "/"),))

router = APIRouter()

MOST = 12
LIVE = tuple(state for state in STATES if state not in TERMINAL)
SAMPLE_SYMBOL, SAMPLE_TIMEFRAME, SAMPLE_MODEL = "BTC/USD", "1h", "btc-usd-1h"
FIRST = threading.Lock()
"""Held by whoever looks whether a first model is being trained, until its job is there to be seen."""


@router.get("/", dependencies=[requires("read")])
def overview(render: Render, registry: Registry, store: Store, book: Book, runs: Runs) -> Response:
    """Show the overview."""
    view = _look(registry, store, book, runs)
    return render.page("overview", view=view, request_key=new_request_key())


@router.get("/ui/overview", dependencies=[requires("read")])
def refreshed(render: Render, registry: Registry, store: Store, book: Book, runs: Runs) -> Response:
    """Return the part that changes, which the page asks for now and then."""
    view = _look(registry, store, book, runs)
    return render.fragment("fragments/overview.html", view=view, request_key=new_request_key())


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

    However often the button of one page is sent, it is one job; and while that goes on, the buttons
    of other pages lead to it as well.
    """

    def submit() -> Response:
        with FIRST:  # two pages at once: the second finds the job of the first
            return decide()

    def decide() -> Response:
        under_way = _sample_job(store)
        if under_way is None:
            if registry.list_models() or _has_run(runs):
                return render.redirect("/", toast="overview.toast.not_first", tone="calm")
            request = sample_request(in_use=caller.may("admin"), actor=caller.actor)
            key = idempotency_key("sample", str(form.get(REQUEST_KEY_FIELD, "")), request)
            _store_sample(repositories)
            with as_file(files("onward.data") / "samples" / "btcusd_1h.parquet") as path:
                spec = {**request, "data": str(path)}
                under_way = manager.submit("train", spec, idempotency_key=key).job
        return render.redirect(f"/jobs/{under_way.id}", toast="overview.toast.submitted")

    return await anyio.to_thread.run_sync(submit, limiter=state.heavy)


def sample_request(*, in_use: bool, actor: str | None = None) -> dict[str, Any]:
    """Return the request for a first model: bundled bars, the preset `fast`, published.

    Parameters
    ----------
    in_use
        Whether the alias ``champion`` stands for it afterwards; who may not move aliases may not ask
        for that.
    actor
        On whose behalf.
    """
    from onward.training.plan import preset_values

    data = {"data.symbols": [SAMPLE_SYMBOL], "data.timeframe": SAMPLE_TIMEFRAME}
    alias = {"alias": "champion"} if in_use else {}
    return {"plan": {**preset_values("fast"), **data}, "save": SAMPLE_MODEL, **alias, "actor": actor}


def _sample_job(store: JobStore) -> Job | None:
    """Return the training on the sample that has not ended, if there is one."""
    live = store.find(states=LIVE, kinds=["train"], limit=MOST).jobs
    return next((job for job in live if job.request.spec.get("save") == SAMPLE_MODEL), None)


def _has_run(runs: RunStore) -> bool:
    return any(one.record.status == "succeeded" for one in runs.list(limit=MOST))


def _store_sample(repositories: Any) -> None:
    """Store the sample for whoever predicts with the model, where nothing is stored of its symbol.

    The model is trained on the file itself in any case: what is stored of the symbol may be bars of
    somebody else.
    """
    from onward.data.read import sample_market

    candles = repositories.candles(SAMPLE_TIMEFRAME)
    if SAMPLE_SYMBOL not in candles.symbols():
        bars = sample_market().bars.reset_index().rename(columns={"open_time": "timestamp"})
        candles.upsert(SAMPLE_SYMBOL, bars.drop(columns="symbol"))


def _look(registry: ModelRegistry, store: JobStore, book: CoverageBook, runs: RunStore) -> OverviewView:
    summaries = registry.list_models()
    ended = store.find(states=tuple(TERMINAL), limit=50).jobs
    return overview_view(
        summaries=summaries,
        in_use=_in_use(registry, summaries),
        running=store.find(states=LIVE, limit=MOST).jobs,
        ended=ended,
        counts=store.counts(),
        coverage=book.coverage(),
        now=datetime.now(UTC),
        has_run=bool(summaries) or _has_run(runs),
        most=MOST,
    )


def _in_use(registry: ModelRegistry, summaries: Any) -> list[tuple[str, Version]]:
    """Return the versions that aliases stand for, those named champion first."""
    aliases = [(alias, one.name, number) for one in summaries for alias, number in one.aliases]
    aliases.sort(key=lambda entry: (entry[0] != "champion", entry[1]))
    return [(alias, registry.resolve(f"models:/{name}/{number}")) for alias, name, number in aliases[:MOST]]
