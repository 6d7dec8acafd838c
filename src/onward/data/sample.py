"""The bundled bars as a stored series: without it, nobody could ask a model that learnt from them."""

from __future__ import annotations

from onward.data.read import sample_market
from onward.data.repositories import DataStore
from onward.naming.sample import SAMPLE_SYMBOL, SAMPLE_TIMEFRAME

__all__ = ["store_sample"]


def store_sample(repositories: DataStore) -> bool:
    """Store the bundled bars where nothing is stored of their symbol in their timeframe.

    What is stored of it stays as it is: it may be bars of somebody else, or a part that was chosen.

    Parameters
    ----------
    repositories
        Of the home.

    Returns
    -------
    bool
        Whether they were stored now.
    """
    candles = repositories.candles(SAMPLE_TIMEFRAME)
    if SAMPLE_SYMBOL in candles.symbols():
        return False
    bars = sample_market().bars.reset_index().rename(columns={"open_time": "timestamp"})
    candles.upsert(SAMPLE_SYMBOL, bars.drop(columns="symbol"))
    return True
