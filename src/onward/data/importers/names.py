"""What file names and exchange codes say about the symbol."""

from __future__ import annotations

import itertools
import re

__all__ = ["pair", "symbol_from_name"]

_QUOTES = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDE", "DAI", "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD",
    "NZD", "TRY", "KRW", "BRL", "BTC", "ETH", "BNB",
)  # fmt: skip
_FREQTRADE = re.compile(r"(?<![A-Za-z0-9])([A-Z0-9]+)_([A-Z0-9]+)(?:_([A-Z0-9]+))?-\d+[smhdwM](?![a-z])")
_BINANCE = re.compile(r"(?<![A-Za-z0-9])([A-Z0-9]{5,20})-(?:\d+[smhdw]|metrics)(?![a-z])")


def pair(code: str) -> str:
    """Return an exchange's code as base/quote: ``BTCUSDT``, ``BTC-USDT``, ``btc_usdt`` -> ``BTC/USDT``.

    Codes that do not end in a known quote currency are returned as they are.
    """
    text = code.strip()
    if "/" in text:
        return text
    parts = re.split(r"[-_]", text)
    if len(parts) == 2 and all(parts):
        return f"{parts[0].upper()}/{parts[1].upper()}"
    upper = text.upper()
    for quote in _QUOTES:
        if upper.endswith(quote) and len(upper) - len(quote) >= 2 and upper.isalnum():
            return f"{upper[: -len(quote)]}/{quote}"
    return text


def symbol_from_name(stem: str) -> str | None:
    """Return the symbol that a file name suggests, in ccxt spelling, or None.

    ``BTC_USDT_USDT-1h-futures`` -> ``BTC/USDT:USDT``; ``BTCUSDT-1h-2024-12`` -> ``BTC/USDT``;
    ``btc_usdt_spot_1h`` and ``btcusd_1h`` likewise.
    """
    found = _FREQTRADE.search(stem)
    if found:
        settle = f":{found[3]}" if found[3] else ""
        return f"{found[1]}/{found[2]}{settle}"
    found = _BINANCE.search(stem)
    if found:
        return pair(found[1])
    words = re.split(r"[^A-Za-z0-9]+", stem)
    for base, quote in itertools.pairwise(words):
        if quote.upper() in _QUOTES and base.isalnum() and 2 <= len(base) <= 10:
            return f"{base.upper()}/{quote.upper()}"
    for word in words:
        if 6 <= len(word) <= 12 and word.isalpha() and "/" in pair(word):
            return pair(word)
    return None
