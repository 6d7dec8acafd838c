"""Stored market data: what there is, what it looks like, whether it is sound, and how more comes in."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from onward.dashboard.forms import SafeForm, safe_header
from onward.dashboard.importing import inspected, submitted
from onward.dashboard.navigation import Page
from onward.dashboard.removing import RemovalAsk, Removed, carry_out, look
from onward.dashboard.rendering import Render, Renderer
from onward.dashboard.services import Book
from onward.dashboard.stored import quality_of, series_view
from onward.dashboard.views.data import DataView, data_view, named_series, series_address
from onward.dashboard.views.data_import import outcome_view, preview_view, refusal
from onward.errors import DataError, UserError
from onward.server.authorisation import requires
from onward.server.dependencies import Config, Manager, Repositories, State, Store
from onward.server.problems import told
from onward.server.removing import remover_of
from onward.server.uploads.desk import Uploads
from onward.server.uploads.receiving import receive
from onward.server.uploads.staging import called

if TYPE_CHECKING:
    from collections.abc import Callable

    from onward.jobs.values import Job
    from onward.server.coverage import CoverageBook
    from onward.server.state import ServerState
    from onward.tasks.removing import SeriesRemover

__all__ = ["PAGE", "router"]

SHOTS = (
    ("data", "/data"),
    ("data-series", "/data/series?kind=candles&symbol={symbol}&timeframe={timeframe}"),
)
PREVIEW = "/ui/data/preview"
PAGE = Page("data", "/data", "data", shots=SHOTS, uploads=(PREVIEW,))
ASK, REMOVAL = "fragments/data_ask.html", "fragments/data_removal.html"
MOST_NAMES = 8
"""Models, and imports, that the question names."""
INLINE_ROWS = 250_000
"""Longer series are checked after their page is there: that takes the better part of a second."""
LIBRARY = "pandas"
"""What reads stored rows. Until it is loaded, which takes as long, every series is checked afterwards."""

Kind = Annotated[Literal["candles", "funding", "open_interest", "fear_greed"], Query()]
Symbol = Annotated[str, Query(max_length=100)]
Timeframe = Annotated[str, Query(max_length=20)]
Moment = Annotated[str, Query(max_length=100)]
Search = Annotated[str, Query(max_length=100)]
Number = Annotated[int, Query(ge=1, le=1_000_000)]

router = APIRouter()


@router.get("/data", dependencies=[requires("read")])
def data(
    render: Render,
    book: Book,
    config: Config,
    state: State,
    search: Search = "",
    page: Number = 1,
    symbol: Symbol = "",
    timeframe: Timeframe = "",
) -> Response:
    """Show what is stored; with a symbol and a timeframe, ask for their candles where there are none."""
    view = _list(book, state, search, page)
    wanted = (symbol, timeframe) if symbol and timeframe else None
    if any((one.symbol, one.timeframe) == wanted for one in book.coverage() if one.kind == "candles"):
        wanted = None
    return render.page("data", view=view, most=config.max_upload_bytes, wanted=wanted)


@router.get("/ui/data/list", dependencies=[requires("read")])
def listed(render: Render, book: Book, state: State, search: Search = "", page: Number = 1) -> Response:
    """Return the list alone, which is asked for again after an import."""
    view = _list(book, state, search, page)
    return render.fragment("fragments/data_list.html", view=view)


def _list(book: CoverageBook, state: ServerState, search: str, page: int) -> DataView:
    return data_view(
        book.coverage(),
        book.gaps,
        now=datetime.now(UTC),
        search=search,
        page=page,
        most_missed=state.provider.services.settings.prediction.max_staleness_bars,
    )


@router.get("/data/series", dependencies=[requires("read")])
async def series(
    render: Render,
    book: Book,
    state: State,
    kind: Kind = "candles",
    symbol: Symbol = "",
    timeframe: Timeframe = "",
    begin: Moment = "",
    until: Moment = "",
) -> Response:
    """Show one series: its candles with side series below, or its values; and whether it is sound.

    With ``begin`` or ``until`` it asks at once whether the rows between them are to be removed.
    """

    def look() -> Any:
        view = series_view(book, (kind, symbol, timeframe), now=datetime.now(UTC))
        if view is None or view.row.rows > INLINE_ROWS or LIBRARY not in sys.modules:
            return view, None, True
        return view, quality_of(state.provider.build("repositories"), kind, symbol, timeframe), False

    view, quality, later = await anyio.to_thread.run_sync(look, limiter=state.predicting)
    if view is None:
        named = {"kind": kind, "symbol": symbol, "timeframe": timeframe}
        return render.page("data", status=404, template="data_missing", **named)
    return render.page(
        "data", template="data_series", view=view, quality=quality, later=later, begin=begin, until=until
    )


@router.get("/ui/data/quality", dependencies=[requires("read")])
async def quality(
    render: Render,
    repositories: Repositories,
    state: State,
    kind: Kind = "candles",
    symbol: Symbol = "",
    timeframe: Timeframe = "",
) -> Response:
    """Check a long series."""
    found = await anyio.to_thread.run_sync(
        quality_of, repositories, kind, symbol, timeframe, limiter=state.heavy
    )
    return render.fragment("fragments/data_quality.html", quality=found)


@router.post(PREVIEW, dependencies=[requires("run", stream=True), Depends(safe_header)])
async def preview(
    request: Request,
    render: Render,
    state: State,
    config: Config,
    uploads: Uploads,
    symbol: Symbol = "",
    timeframe: Timeframe = "",
) -> Response:
    """Take a file in, and say what an import of it would store.

    ``symbol`` and ``timeframe`` are those that are waited for: they stand in the fields of what a file
    of candles does not say.
    """
    with uploads.staging.arriving(int(request.headers.get("content-length", "0"))) as arriving:
        try:
            await receive(request, arriving)
            read = await anyio.to_thread.run_sync(
                inspected, arriving.path, config, None, None, None, limiter=state.heavy
            )
        except UserError as error:
            return _refused(render, error, arriving.name)

        def keep() -> str:
            with uploads.staging.lock:
                return uploads.staging.identity_of(uploads.staging.place(arriving))

        upload = await anyio.to_thread.run_sync(keep, limiter=state.heavy)
    uploads.sweeper.wake()
    view = preview_view(read, upload=upload, symbol=None, timeframe=None).filled(symbol, timeframe)
    return render.fragment("fragments/data_preview.html", view=view)


@router.post("/ui/data/import", dependencies=[requires("run")])
async def start(
    render: Render, form: SafeForm, state: State, config: Config, manager: Manager, uploads: Uploads
) -> Response:
    """Store a file that was sent before, once what was given beside it fits."""
    given = {
        name: str(form.get(name, "")).strip()[:100] for name in ("upload", "symbol", "timeframe", "format")
    }
    symbol, timeframe = given["symbol"] or None, given["timeframe"] or None
    path = await anyio.to_thread.run_sync(uploads.staging.find, given["upload"])
    if path is None:
        return render.fragment(
            "fragments/data_refusal.html", status=422, key="gone", file=str(form.get("file", "")), details={}
        )
    try:
        read = await anyio.to_thread.run_sync(
            inspected, path, config, symbol, timeframe, given["format"] or None, limiter=state.heavy
        )
    except UserError as error:
        return _refused(render, error, called(path))
    view = preview_view(read, upload=given["upload"], symbol=symbol, timeframe=timeframe, answered=True)
    if view.errors:
        return render.fragment("fragments/data_preview.html", status=422, view=view)
    job = await anyio.to_thread.run_sync(
        submitted, uploads, manager, given["upload"], view, limiter=state.heavy
    )
    return _outcome(render, state, job)


@router.get("/ui/data/imports/{job_id}", dependencies=[requires("read")])
def imported(render: Render, store: Store, state: State, job_id: str) -> Response:
    """Say what came of an import."""
    return _outcome(render, state, store.get(job_id))


@router.get("/ui/data/ask", dependencies=[requires("admin")])
async def ask(
    request: Request, render: Render, state: State, kind: Kind, symbol: Symbol = "", timeframe: Timeframe = ""
) -> Response:
    """Ask whether somebody means to remove a series, or a part of it, and say what would go."""
    named = {"kind": kind, "symbol": symbol, "timeframe": timeframe}
    question = RemovalAsk.from_form({**request.query_params, **named})
    return await _asked(render, state, look, question, ASK)


@router.get("/ui/data/removal", dependencies=[requires("admin")])
async def removal(
    request: Request, render: Render, state: State, kind: Kind, symbol: Symbol = "", timeframe: Timeframe = ""
) -> Response:
    """Say what would go of another part."""
    named = {"kind": kind, "symbol": symbol, "timeframe": timeframe}
    question = RemovalAsk.from_form({**request.query_params, **named})
    return await _asked(render, state, look, question, REMOVAL)


@router.post("/ui/data/remove", dependencies=[requires("admin")])
async def remove(render: Render, form: SafeForm, state: State) -> Response:
    """Remove what was shown; say in words why not."""
    wanted = RemovalAsk.from_form({key: str(value) for key, value in form.items()})
    return await _asked(render, state, carry_out, wanted, ASK)


async def _asked(
    render: Renderer,
    state: ServerState,
    step: Callable[[SeriesRemover, RemovalAsk], RemovalAsk | Removed],
    question: RemovalAsk,
    template: str,
) -> Response:
    what = named_series(render.words, question.kind, question.symbol, question.timeframe)
    try:
        found = await anyio.to_thread.run_sync(
            lambda: step(remover_of(state.provider), question), limiter=state.heavy
        )
    except DataError:  # removed by somebody else, or never there
        return render.fragment("fragments/data_gone.html", status=404, what=what)
    if isinstance(found, RemovalAsk):
        status = found.status if step is carry_out else 200
        alone = template == REMOVAL
        return render.fragment(template, status=status, ask=found, what=what, most=MOST_NAMES, alone=alone)
    report = found.removal.report
    left = series_address(report.kind, report.symbol, report.timeframe) if report.left else "/data"
    return render.redirect(left, toast="data.toast.removed", count=report.rows, what=what)


def _outcome(render: Renderer, state: ServerState, job: Job) -> Response:
    return render.fragment("fragments/data_outcome.html", view=outcome_view(state.shown.whole_job(job)))


def _refused(render: Renderer, error: UserError, file: str) -> Response:
    """Say at the file why it is not taken."""
    return render.fragment(
        "fragments/data_refusal.html",
        status=422,
        key=refusal(error),
        file=file,
        details=told(render.request, error).to_dict(),
    )
