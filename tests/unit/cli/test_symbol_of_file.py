"""A file that does not tell its symbol: whoever names it on the command line is told what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from onward.cli.market import load_market
from onward.config import DataProcessingConfig
from onward.testing.markets import random_walk


@pytest.mark.parametrize(
    ("name", "symbols", "said"),
    [
        ("btc_nosym.csv", None, "The symbol is btc_nosym, as the file is called"),
        ("btc_nosym.csv", ("BTC/USDT",), ""),
        ("BTC_USDT-1h.csv", None, ""),
    ],
)
def test_a_symbol_that_is_the_name_of_the_file_is_said(
    name: str,
    symbols: tuple[str, ...] | None,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / name
    random_walk(50).bars.droplevel("symbol").reset_index(names="timestamp").to_csv(file, index=False)
    market = load_market(None, DataProcessingConfig(symbols=symbols), file)
    assert market.symbols == (symbols or (("BTC/USDT",) if not said else ("btc_nosym",)))
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert bool(told) == bool(said)
