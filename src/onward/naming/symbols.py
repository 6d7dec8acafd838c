"""Names of symbols: ``BTC/USDT``, ``BTC/USDT:USDT`` (a perpetual contract that settles in USDT)."""

from __future__ import annotations

import re

from onward.errors import DataError

__all__ = ["check_symbol", "stand_ins"]

LONGEST = 64
SYMBOL = re.compile(r"(?=.*[^\W_])[\w^$@#.][\w/:.+=^&#@$-]*!?")
"""Letters and digits of any script and the signs of exchanges and vendors: ``1000PEPE/USDT``, ``^GSPC``,
``BRK.B``, ``BTC-USD``, ``EURUSD=X``, ``BTC/USD:BTC-240329-50000-C``, ``M&M.NS``, ``venue:BTC/USDT``;
``ES1!`` is how charts call a continuous future."""


def check_symbol(symbol: object) -> str:
    """Return a symbol under which series may be stored; those that are stored already are read in any case.

    Raises
    ------
    DataError
        When it is none that an exchange or a vendor of data uses: blanks, quotes, commas, brackets.
    """
    if isinstance(symbol, str) and len(symbol) <= LONGEST and SYMBOL.fullmatch(symbol):
        return symbol
    shown = repr(symbol)
    raise DataError(
        "This cannot be a symbol",
        got=shown if len(shown) <= 80 else f"{shown[:79]}…",
        allowed=f"1 to {LONGEST} letters, digits and / : . - _ + = & ^ # @ $, no blanks",
        remedy="Write it as its exchange does, such as BTC/USDT, BTC/USDT:USDT, ^GSPC or EURUSD=X.",
        settings=("symbol",),
    )


def stand_ins(symbol: str) -> list[str]:
    """Return the symbols whose side values may stand beside a symbol, the best first, last the one of all."""
    pair, _, settle = symbol.partition(":")
    other = []
    if "/" in pair:
        other = [pair] if settle else [f"{pair}:{pair.split('/')[1]}"]
    return [symbol, *other, ""]
