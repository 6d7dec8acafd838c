"""What a published model says of the newest bar of a market, how fresh that is, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render
from onward.dashboard.services import Book
from onward.dashboard.views.predict import (
    PredictView,
    choices,
    default_choice,
    markets,
    predict_view,
    problem_of,
)
from onward.errors import OnwardError, StorageError
from onward.server.authorisation import requires
from onward.server.dependencies import Registry, Repositories, Shelf, State
from onward.server.responses import answer

if TYPE_CHECKING:
    from onward.prediction.loaded import LoadedModel
    from onward.registry import ModelRegistry
    from onward.server.coverage import CoverageBook
    from onward.server.serving.shelf import ModelShelf
    from onward.server.state import ServerState

__all__ = ["PAGE", "router"]

PAGE = Page("predict", "/predict", "predict", shots=(("predict", "/predict?model={model}@champion"),))

Model = Annotated[str, Query(max_length=200)]
Symbol = Annotated[str, Query(max_length=100)]

router = APIRouter()


async def looked(
    registry: Registry,
    shelf: Shelf,
    state: State,
    repositories: Repositories,
    book: Book,
    model: Model = "",
    symbol: Symbol = "",
) -> PredictView:
    """Return what a model says now; it reads a model and a market, hence the thread."""
    return await anyio.to_thread.run_sync(
        _look, registry, shelf, state, repositories, book, model, symbol, limiter=state.predicting
    )


Looked = Annotated[PredictView, Depends(looked)]


@router.get("/predict", dependencies=[requires("read")])
async def predict(render: Render, view: Looked) -> Response:
    """Show what a model says."""
    return render.page("predict", status=404 if view.problem == "gone" else 200, view=view)


@router.get("/ui/predict", dependencies=[requires("read")])
async def refreshed(render: Render, view: Looked) -> Response:
    """Return the part that changes, which is asked for when a new bar came."""
    return render.fragment("fragments/predict.html", view=view)


@router.get("/ui/predict/state", dependencies=[requires("read")])
async def newest(
    shelf: Shelf, state: State, repositories: Repositories, model: Model, symbol: Symbol
) -> Response:
    """Return a text that changes when there is something new to say."""

    def look() -> str:
        import pandas as pd

        from onward.dashboard.forecasting import state_of

        return state_of(shelf.get(model), repositories, symbol, pd.Timestamp.now(tz="UTC"))

    return answer({"key": await anyio.to_thread.run_sync(look, limiter=state.predicting)})


@router.get("/ui/predict/past", dependencies=[requires("read")])
async def before(
    shelf: Shelf, state: State, repositories: Repositories, model: Model, symbol: Symbol
) -> Response:
    """Return what the model says of the bars before, for the marks of the chart."""

    def look() -> dict[str, Any]:
        import pandas as pd

        from onward.dashboard.forecasting import past

        return past(shelf.get(model), repositories, symbol, pd.Timestamp.now(tz="UTC"))

    return answer(await anyio.to_thread.run_sync(look, limiter=state.predicting))


def _look(
    registry: ModelRegistry,
    shelf: ModelShelf,
    state: ServerState,
    store: Any,
    book: CoverageBook,
    reference: str,
    symbol: str,
) -> PredictView:
    import pandas as pd

    from onward.dashboard.forecasting import forecast

    summaries = registry.list_models()
    reference = reference or default_choice(summaries)
    view = PredictView(choices(summaries), (), reference, symbol)
    if not reference:
        return view
    try:
        model = shelf.get(reference)
        view = _chosen(view, model, registry, book, symbol, state)
        return predict_view(
            view, forecast(model, store, state.markets, view.symbol, pd.Timestamp.now(tz="UTC"))
        )
    except StorageError:
        raise  # a page of its own, which tries again
    except OnwardError as error:
        return _without(view, state.shown.error(error))


def _chosen(
    view: PredictView,
    model: LoadedModel,
    registry: ModelRegistry,
    book: CoverageBook,
    symbol: str,
    state: ServerState,
) -> PredictView:
    from onward.dashboard.forecasting import compares

    version = model.version
    manifest = version.manifest
    stored = [c.symbol for c in book.coverage() if c.kind == "candles" and c.timeframe == manifest.timeframe]
    return PredictView(
        choices=choices(registry.list_models(), registry.list_versions(version.name)),
        markets=markets(manifest.symbols, stored, only_trained=compares(model)),
        reference=view.reference,
        symbol=symbol or manifest.symbols[0],
        version=version,
        timeframe=manifest.timeframe,
        most_missed=state.provider.services.settings.prediction.max_staleness_bars,
        meta=model.predictor.following is not None,
    )


def _without(view: PredictView, error: OnwardError) -> PredictView:
    return replace(view, problem=problem_of(error), details=error.to_dict())
