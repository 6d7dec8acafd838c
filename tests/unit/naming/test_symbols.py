"""Symbols are written as exchanges and vendors write them, and no other text becomes one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.data.repositories.names import decode_symbol, encode_symbol
from onward.errors import DataError
from onward.naming import check_symbol

KNOWN = (
    "BTC/USDT", "BTC/USDT:USDT", "BTC-USD", "BTC_USDT", "BTCUSDT", "1000PEPE/USDT", "^GSPC", "BRK.B", "BF-B",
    "EURUSD=X", "ES=F", "ES1!", "M&M.NS", "0700.HK", "BTC/USD:BTC-240329-50000-C", "binance:BTC/USDT",
    "币安人生/USDT", "@ES#", "$VIX", ".SPX", "A", "S/0",
)  # fmt: skip


@pytest.mark.parametrize("symbol", KNOWN)
def test_symbols_of_exchanges_and_vendors_are_taken(symbol: str) -> None:
    assert check_symbol(symbol) == symbol
    assert decode_symbol(encode_symbol(symbol)) == symbol


@pytest.mark.parametrize(
    "symbol",
    ["BTC USD !!", "BTC USD", "BTC/USDT!!", "!", "", " ", "/", "..", "=1+1", "-A", "A,B", "'A'", "A%2FB",
     "A\n", "<b>", "A|B", "A\u202eB", "A" * 65, None, 7],
)  # fmt: skip
def test_what_no_exchange_uses_is_refused(symbol: object) -> None:
    with pytest.raises(DataError, match="cannot be a symbol") as refused:
        check_symbol(symbol)
    assert refused.value.setting == "symbol"


@given(st.text(max_size=70))
def test_whatever_is_taken_can_be_stored(text: str) -> None:
    try:
        check_symbol(text)
    except DataError:
        return
    assert decode_symbol(encode_symbol(text)) == text
