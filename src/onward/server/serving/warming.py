"""Loading models before traffic comes: the first prediction of a process compiles and reads a lot."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onward.errors import OnwardError
from onward.jobs.logs import job_logger

if TYPE_CHECKING:
    from onward.prediction.loaded import LoadedModel
    from onward.server.readiness import Readiness
    from onward.server.services import Provider
    from onward.server.serving.market_shelf import MarketShelf
    from onward.server.serving.shelf import ModelShelf

__all__ = ["warm_in_background"]


def warm_in_background(
    references: Sequence[str],
    *,
    provider: Provider,
    shelf: ModelShelf,
    markets: MarketShelf,
    readiness: Readiness,
) -> None:
    """Load models in a thread and let each predict once; the server is not ready before.

    A model that cannot be loaded keeps the server from being ready, and readiness says why.
    """
    for reference in references:
        readiness.awaits(reference, "is being loaded")

    def warm() -> None:
        for reference in references:
            try:
                _predict_once(shelf.get(reference), provider, markets)
            except OnwardError as error:
                readiness.awaits(reference, str(error))
                job_logger().warning("model_not_loaded", model=reference, error=str(error))
            else:
                readiness.done(reference)

    if references:
        threading.Thread(target=warm, name="warming", daemon=True).start()


def _predict_once(model: LoadedModel, provider: Provider, markets: MarketShelf) -> None:
    """Predict from whatever is stored for the model's symbols; without that, loading must do."""
    import pandas as pd

    from onward.server.serving.markets import stored_market

    try:
        now = pd.Timestamp.now(tz="UTC")
        store = provider.build("repositories")
        model.latest(stored_market(model, store, None, at=now, start=None, shelf=markets))
    except OnwardError as error:
        job_logger().info("model_not_warmed", model=model.version.ref, reason=str(error))
