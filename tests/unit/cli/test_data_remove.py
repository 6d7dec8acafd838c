"""``onward data remove``: told first, asked, and then gone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from onward.testing.markets import random_walk

WRONG = pd.Timestamp("2025-06-01", tz="UTC")


@pytest.fixture
def stored(cli) -> Path:
    """Candles with one wrong stamp, and fear & greed for every symbol."""
    bars = random_walk(1500).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.loc[700, "timestamp"] = WRONG
    bars.to_csv("BTC_USDT-1h.csv", index=False)
    days = pd.date_range("2020-01-01", periods=9, freq="D", tz="UTC")
    pd.DataFrame({"timestamp": days, "fear_greed": 50}).to_csv("fg.csv", index=False)
    cli.ok("data", "import", "BTC_USDT-1h.csv", "fg.csv")
    return Path("BTC_USDT-1h.csv")


def rows(cli) -> dict[str, int]:
    return {one["symbol"]: one["rows"] for one in cli.json("data", "list")}


def test_one_wrong_stamp_is_taken_out_again(cli, stored: Path) -> None:
    (before,) = (one for one in cli.json("data", "list") if one["symbol"])
    assert before["missing"] > 40_000, "one stamp made a gap of years"
    arguments = ("data", "remove", "BTC/USDT", "--timerange", "20250101-")
    told = cli.ok(*arguments, "--dry-run")
    assert told == ("candles BTC/USDT 1h: 1 row, 2025-06-01 00:00 to 2025-06-01 00:00 UTC; 1,499 rows stay\n")
    assert rows(cli) == {"BTC/USDT": 1500, "": 9}
    result = cli(*arguments, stdin="y\n")
    assert result.exit_code == 0
    assert told in result.stderr
    assert result.stdout.endswith("Removed 1 row of candles BTC/USDT 1h; 1,499 rows stay.\n")
    (after,) = (one for one in cli.json("data", "list") if one["symbol"])
    assert (after["rows"], after["missing"]) == (1499, 1)


def test_an_import_says_which_row_looks_wrong_and_what_takes_it_out(cli, stored: Path) -> None:
    shown = cli.ok("data", "import", stored, "--symbol", "BTC/USDT:USDT")
    assert "1 row lies far from all others: 2025-06-01 00:00 UTC. Is the stamp wrong?" in shown
    assert (command := shown.partition("Take it out: onward ")[2].strip())
    assert "1,499 rows stay" in cli.ok(*command.split(), "--yes")
    assert "Take" not in cli.ok("data", "import", stored, "--dry-run")
    (told,) = cli.json("data", "import", stored)
    assert [(one["symbol"], one["rows"]) for one in told["strays"]] == [("BTC/USDT", 1)]


def test_nothing_goes_without_a_yes(cli, stored: Path) -> None:
    assert cli("data", "remove", "BTC/USDT", stdin="n\n").exit_code == 1
    assert "nobody is there to be asked" in cli.fails("data", "remove", "BTC/USDT")
    assert "--yes" in cli.fails("data", "remove", "BTC/USDT", "--json")
    assert rows(cli)["BTC/USDT"] == 1500


def test_a_series_goes_as_a_whole_and_comes_back(cli, stored: Path) -> None:
    (dry,) = cli.json("data", "remove", "BTC/USDT", "--dry-run")
    (gone,) = cli.json("data", "remove", "BTC/USDT", "--yes")
    assert {**gone, "dry_run": True} == dry
    assert (gone["rows"], gone["left"], gone["models"], gone["imports"]) == (1500, 0, [], [])
    assert gone["last"] == "2025-06-01T00:00:00+00:00"
    assert rows(cli) == {"": 9}
    shown = cli.ok("data", "remove", "-", "--kind", "fear_greed", "-y")
    assert shown == "Removed 9 rows of fear greed (every symbol); nothing of it is stored any more.\n"
    assert cli.json("data", "list") == []
    (entry, _) = cli.json("keys", "log", "--action", "data.remove")["entries"]
    assert (entry["who"], entry["subject"], entry["detail"]["rows"]) == (
        "local",
        "fear_greed (every symbol)",
        9,
    )
    cli.ok("data", "import", stored)
    assert rows(cli) == {"BTC/USDT": 1500}


def test_of_several_all_are_looked_at_before_one_goes(cli, stored: Path) -> None:
    cli.ok("data", "import", stored, "--symbol", "ETH/USDT")
    assert "'NO/PE'" not in (said := cli.fails("data", "remove", "BTC/USDT", "NO/PE", "--yes"))
    assert "No such series is stored" in said
    assert rows(cli)["BTC/USDT"] == 1500
    shown = cli.ok("data", "remove", "BTC/USDT", "ETH/USDT", "BTC/USDT", "--yes")
    assert shown.count("Removed") == 2
    assert rows(cli) == {"": 9}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("NO/PE",), "No such series is stored"),
        (("-",), "No such series is stored"),
        (("BTC/USDT", "--kind", "candle"), "did you mean 'candles'?"),
        (("BTC/USDT", "--timeframe", "4h"), "No such series is stored"),
        (("BTC/USDT", "--timerange", "20210101-20200101"), "The time range is empty"),
        (("BTC/USDT", "--timerange", "20200101-20200101"), "The time range is empty"),
        (("BTC/USDT", "--timerange", ""), "The time range names no moment"),
        (("BTC/USDT", "--timerange", "yesterday"), "Unreadable time range"),
        (("BTC/USDT", "--timerange", "20300101-"), "No stored row lies within the time range"),
        (("BTC/USDT\n",), r"'BTC/USDT\n'"),
    ],
)
def test_what_cannot_be_removed_is_refused_in_words(
    cli, stored: Path, arguments: tuple[str, ...], said: str
) -> None:
    for how in ("--yes", "--dry-run"):
        assert said in cli.fails("data", "remove", *arguments, how)
    assert rows(cli) == {"BTC/USDT": 1500, "": 9}
