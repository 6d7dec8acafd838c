"""Names of symbols: ``BTC/USDT``, ``BTC/USDT:USDT`` (a perpetual contract that settles in USDT)."""

from __future__ import annotations

__all__ = ["stand_ins"]


def stand_ins(symbol: str) -> list[str]:
    """Return the symbols whose side values may stand beside a symbol, the best first, last the one of all."""
    pair, _, settle = symbol.partition(":")
    other = []
    if "/" in pair:
        other = [pair] if settle else [f"{pair}:{pair.split('/')[1]}"]
    return [symbol, *other, ""]
