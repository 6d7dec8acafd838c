"""Predictions by published models, over bars of the client's own or stored ones."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path
from starlette.responses import Response

from onward.server.bodies.predictions import PredictionAnswer, PredictionBody
from onward.server.dependencies import Shelf, State, requires
from onward.server.responses import answer, refusals
from onward.server.routes.models import Name, Number, version_of
from onward.server.serving.shelf import ModelShelf
from onward.server.state import ServerState

__all__ = ["router"]

router = APIRouter(
    tags=["predictions"], dependencies=[requires("read", rate="predictions")], responses=refusals(404)
)


@router.post("/models/{ref}/predictions", response_model=PredictionAnswer)
async def by_alias(
    ref: Annotated[str, Path(description="NAME@ALIAS.", examples=["btc-1h@champion"])],
    body: PredictionBody,
    state: State,
    shelf: Shelf,
) -> Response:
    """Predict with whatever version an alias stands for now."""
    return await _predict(state, shelf, ref, body)


@router.post("/models/{name}/versions/{version}/predictions", response_model=PredictionAnswer)
async def by_version(
    name: Name, version: Number, body: PredictionBody, state: State, shelf: Shelf
) -> Response:
    """Predict with one version."""
    return await _predict(state, shelf, version_of(name, version), body)


async def _predict(state: ServerState, shelf: ModelShelf, reference: str, body: PredictionBody) -> Response:
    def work() -> dict[str, Any]:
        model = shelf.get(reference)  # first of all: it decides how the libraries below are loaded

        import pandas as pd

        from onward.server.serving.answering import predicted

        return predicted(
            model,
            body,
            store=lambda: state.provider.build("repositories"),
            max_staleness_bars=state.provider.services.settings.prediction.max_staleness_bars,
            now=pd.Timestamp.now(tz="UTC"),
            shelf=state.markets,
        )

    return answer(await anyio.to_thread.run_sync(work, limiter=state.predicting))
