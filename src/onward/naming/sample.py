"""How the bundled bars are called, and by what a model that learnt from them is known."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SAMPLE_DATA_HASH", "SAMPLE_SYMBOL", "SAMPLE_TIMEFRAME", "is_sample"]

SAMPLE_SYMBOL, SAMPLE_TIMEFRAME = "BTC/USD", "1h"
SAMPLE_DATA_HASH = "184b641ecb449bf6eb79ce765b2a7c3dac3fda20a885421c0fdf20b62ce640b4"
"""Content hash of the market that `onward.data.read.sample_market` returns."""


def is_sample(symbols: Sequence[str], timeframe: str, data_hash: str) -> bool:
    """Return whether a model learnt from the whole sample and from nothing else.

    Parameters
    ----------
    symbols, timeframe, data_hash
        As its manifest says.
    """
    return (tuple(symbols), timeframe, data_hash) == ((SAMPLE_SYMBOL,), SAMPLE_TIMEFRAME, SAMPLE_DATA_HASH)
