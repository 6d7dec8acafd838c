"""Symbols as directory names: whatever a client calls a symbol, it cannot leave its directory."""

from __future__ import annotations

from urllib.parse import quote, unquote

from onward.errors import DataError

__all__ = ["decode_symbol", "encode_symbol"]

EVERY = "@every"
"""Directory of values that are valid for every symbol; ``@`` never occurs in an encoded symbol."""
MAX_LENGTH = 64


def encode_symbol(symbol: str) -> str:
    """Return the directory name of a symbol: ``BTC/USDT:USDT`` -> ``BTC%2FUSDT%3AUSDT``.

    Letters, digits, ``-``, ``_`` and inner dots stay; everything else is percent-encoded, so no
    symbol can name another directory. The empty symbol ("every symbol") has a name of its own.

    Raises
    ------
    DataError
        For symbols that are too long, or contain unprintable or outer blank characters.
    """
    if symbol == "":
        return EVERY
    if len(symbol) > MAX_LENGTH or not symbol.isprintable():
        raise DataError(
            "Not a symbol", got=repr(symbol)[:80], allowed=f"1 to {MAX_LENGTH} printable characters"
        )
    if symbol != symbol.strip():
        raise DataError("A symbol begins or ends with a blank", got=repr(symbol), allowed="BTC/USDT")
    encoded = quote(symbol, safe="").replace("~", "%7E")
    return "%2E" + encoded[1:] if encoded.startswith(".") else encoded


def decode_symbol(name: str) -> str:
    """Return the symbol of a directory name."""
    return "" if name == EVERY else unquote(name)
