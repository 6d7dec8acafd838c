"""What a published model says of the newest bar of a market, how fresh that is, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    meant,
    predict_view,
    problem_of,
)
from onward.errors import OnwardError, StorageError
from onward.server.authorisation import requires
from onward.server.dependencies import Registry, Repositories, Shelf, State
from onward.server.responses import answer

if TYPE_CHECKING:
    from onward.registry import ModelRegistry, Version
    from onward.server.coverage import CoverageBook
    from onward.server.serving.shelf import ModelShelf
    from onward.server.state import ServerState

__all__ = ["PAGE", "router"]

PAGE = Page("predict", "/predict", "predict", shots=(("predict", "/predict?model={model}@champion"),))

Model = Annotated[str, Query(max_length=200)]
Symbol = Annotated[str, Query(max_length=100)]

router = APIRouter()


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked, and of what it can be answered."""

    registry: ModelRegistry
    shelf: ModelShelf
    state: ServerState
    book: CoverageBook
    model: str
    symbol: str

    async def framed(self) -> PredictView:
        """Return what can be said without the model."""
        return await anyio.to_thread.run_sync(_frame, self)

    async def answered(self) -> PredictView:
        """Return what the model says now; it may have to be loaded, hence threads of its own."""
        return await anyio.to_thread.run_sync(_look, self, limiter=self.state.predicting)


async def asked(
    registry: Registry, shelf: Shelf, state: State, book: Book, model: Model = "", symbol: Symbol = ""
) -> _Asked:
    """Return the question of this request."""
    return _Asked(registry, shelf, state, book, model, symbol)


Asked = Annotated[_Asked, Depends(asked)]


@router.get("/predict", dependencies=[requires("read")])
async def predict(render: Render, asked: Asked, wait: bool = False) -> Response:
    """Show what a model says; of one that has to be loaded first the page comes before the answer.

    ``wait`` asks for both together, as readers without scripts do.
    """
    view = await asked.framed()
    if view.version is not None and not view.problem and not (view.pending and not wait):
        view = await asked.answered()
    return render.page("predict", status=404 if view.problem == "gone" else 200, view=view)


@router.get("/ui/predict", dependencies=[requires("read")])
async def refreshed(render: Render, asked: Asked) -> Response:
    """Return the part that changes, which is asked for when a new bar came."""
    return render.fragment("fragments/predict.html", view=await asked.answered())


@router.get("/ui/predict/answer", dependencies=[requires("read")])
async def late(render: Render, asked: Asked) -> Response:
    """Return what the page came without, because the model had to be loaded."""
    return render.fragment("fragments/predict_answer.html", view=await asked.answered(), late=True)


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


def _frame(asked: _Asked) -> PredictView:
    """Return the choices, and the version that was chosen: all but what the model says."""
    summaries = asked.registry.list_models()
    reference = asked.model or default_choice(summaries)
    view = PredictView(choices(summaries), (), reference, asked.symbol)
    if not reference:
        return view
    named = next((one for one in summaries if one.name == reference), None)
    try:
        if named is not None:
            versions = asked.registry.list_versions(named.name)
            reference = meant(named, versions)
            if not reference:
                numbers = tuple(one.number for one in versions)
                return replace(
                    view, choices=choices(summaries, versions), problem="unusable", unusable=numbers
                )
            view = replace(view, reference=reference)
        version = asked.registry.resolve(reference)
        others = asked.registry.list_versions(version.name)
    except StorageError:
        raise  # a page of its own, which tries again
    except OnwardError as error:
        return _without(view, asked.state.shown.error(error))
    manifest = version.manifest
    return replace(
        view,
        choices=choices(summaries, others),
        # Whether it compares symbols, and so takes no others, only the model knows.
        markets=_markets(asked, version, only_trained=len(manifest.symbols) > 1),
        symbol=asked.symbol or manifest.symbols[0],
        version=version,
        timeframe=manifest.timeframe,
        most_missed=asked.state.provider.services.settings.prediction.max_staleness_bars,
        pending=not asked.shelf.holds(version),
    )


def _look(asked: _Asked) -> PredictView:
    view = replace(_frame(asked), pending=False)
    if view.version is None:
        return view
    import pandas as pd

    from onward.dashboard.forecasting import compares, forecast

    try:
        model = asked.shelf.get(view.reference)
        view = replace(
            view,
            version=model.version,
            markets=_markets(asked, model.version, only_trained=compares(model)),
            meta=model.predictor.following is not None,
        )
        store = asked.state.provider.build("repositories")
        now = pd.Timestamp.now(tz="UTC")
        return predict_view(view, forecast(model, store, asked.state.markets, view.symbol, now))
    except StorageError:
        raise
    except OnwardError as error:
        return _without(view, asked.state.shown.error(error))


def _markets(asked: _Asked, version: Version, *, only_trained: bool) -> tuple[str, ...]:
    trained, length = version.manifest.symbols, version.manifest.timeframe
    stored = [c.symbol for c in asked.book.coverage() if c.kind == "candles" and c.timeframe == length]
    return markets(trained, stored, only_trained=only_trained)


def _without(view: PredictView, error: OnwardError) -> PredictView:
    return replace(view, problem=problem_of(error), details=error.to_dict())
