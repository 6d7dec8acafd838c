"""``onward data`` and ``onward features`` on real files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from onward.testing.markets import HOUR, random_walk

HOURS = pd.date_range("2020-01-01", periods=1500, freq="h", tz="UTC")


@pytest.fixture
def candles() -> Path:
    bars = random_walk(1500).bars.droplevel("symbol").reset_index(names="timestamp")
    bars.to_csv("btc.csv", index=False)
    return Path("btc.csv")


@pytest.fixture
def funding() -> Path:
    table = pd.DataFrame({"timestamp": HOURS[::8], "funding_rate": 0.0001})
    table.to_csv("funding.csv", index=False)
    return Path("funding.csv")


def test_importing_twice_changes_nothing(cli, candles: Path) -> None:
    arguments = ("data", "import", candles, "--symbol", "BTC/USDT")
    (first,) = cli.json(*arguments)
    assert first["kind"] == "candles"
    assert first["rows"] == 1500
    assert first["stored"][0]["added"] == 1500
    (again,) = cli.json(*arguments)
    assert (again["stored"][0]["added"], again["stored"][0]["unchanged"]) == (0, 1500)
    (listed,) = cli.json("data", "list")
    assert (listed["symbol"], listed["timeframe"], listed["rows"]) == ("BTC/USDT", "1h", 1500)
    assert "BTC/USDT" in cli.ok("data", "list")


def test_an_import_tells_what_it_recognised(cli, candles: Path) -> None:
    shown = cli.ok("data", "import", candles, "--symbol", "BTC/USDT")
    assert "Recognised" in shown
    assert "1500 added" in shown


def test_a_dry_run_says_what_would_be_stored_and_stores_nothing(cli, candles: Path) -> None:
    named = shutil.copy(candles, "ETH_USDT-1h.csv")
    shown = cli.ok("data", "import", named, "--dry-run")
    assert "would be stored as candles of ETH/USDT; nothing was stored" in shown
    (told,) = cli.json("data", "import", candles, "--symbol", "BTC/USDT", "--dry-run")
    assert (told["symbols"], told["stored"], told["dry_run"]) == (["BTC/USDT"], [], True)
    assert not cli.home.exists()


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["import", "dry run"])
def test_a_dry_run_refuses_what_the_import_refuses(dry: tuple[str, ...], cli, candles: Path) -> None:
    table = pd.read_csv(candles)
    table.loc[700, "high"] = table.loc[700, "low"] * 0.5
    table.to_csv("ETH_USDT-1h.csv", index=False)
    assert "high or low does not contain" in cli.fails("data", "import", "ETH_USDT-1h.csv", *dry)
    assert "--symbol" in cli.fails("data", "import", candles, *dry)
    assert cli.json("data", "list") == []


def test_candles_without_a_symbol_are_refused(cli) -> None:
    random_walk(100).bars.droplevel("symbol").reset_index(names="timestamp").to_csv("1.csv", index=False)
    shown = cli.fails("data", "import", "1.csv")
    assert "--symbol" in shown


@pytest.mark.parametrize("verb", ["import", "check"])
def test_files_nobody_can_read(verb: str, cli) -> None:
    Path("notes.txt").write_text("dear diary")
    assert "Nobody recognises this file" in cli.fails("data", verb, "notes.txt")
    cli.fails("data", verb, "missing.csv")
    assert "Unknown format" in cli.fails("data", verb, "notes.txt", "--format", "nonsense")


def test_nothing_is_stored_yet(cli) -> None:
    assert "Nothing is stored yet" in cli.ok("data", "list")
    assert cli.json("data", "list") == []
    assert "onward data import" in cli.fails("data", "check")


def test_check_reports_and_fails_on_impossible_prices(cli, candles: Path) -> None:
    assert "Passed." in cli.ok("data", "check", candles, "--symbol", "BTC/USDT")
    table = pd.read_csv(candles)
    table.loc[700, "high"] = table.loc[700, "low"] * 0.5
    table.drop(index=range(900, 905)).to_csv("broken.csv", index=False)
    result = cli("data", "check", "broken.csv", "--symbol", "BTC/USDT")
    assert result.exit_code == 1
    assert "Failed" in result.stdout
    assert "5 bars missing" in result.stdout


def test_check_takes_every_timeframe_that_is_stored(cli, candles: Path, funding: Path) -> None:
    cli.ok("data", "import", candles, funding, "--symbol", "BTC/USDT")
    days = random_walk(300, timeframe=24 * HOUR).bars.droplevel("symbol").reset_index(names="timestamp")
    days.to_csv("eth.csv", index=False)
    cli.ok("data", "import", "eth.csv", "--symbol", "ETH/USDT")
    report = cli.json("data", "check")
    assert [(r["timeframe"], r["symbol"], r["rows"]) for r in report["symbols"]] == [
        ("1h", "BTC/USDT", 1500),
        ("1d", "ETH/USDT", 300),
    ]
    assert report["passed"] is True
    shown = cli.ok("data", "check")
    assert shown.index("1h bars") < shown.index("BTC/USDT") < shown.index("1d bars") < shown.index("ETH/USDT")
    assert [r["symbol"] for r in cli.json("data", "check", "--symbol", "ETH/USDT")["symbols"]] == ["ETH/USDT"]
    # a verb of one market needs no timeframe where only one has the symbol, and says how to name it
    built = cli.json(
        "features", "build", "--out", "f.parquet", "--set", "data.symbols=BTC/USDT",
        "--set", "features.stages=manual", "--set", "features.manual.families=price",
    )  # fmt: skip
    assert built["rows"] == 1500
    assert "--set data.timeframe=1h" in cli.fails("features", "build", "--out", "g.parquet")


def test_an_error_names_the_file_it_is_about(cli, candles: Path) -> None:
    shutil.copy(candles, "nameless.csv")
    named = Path("ETH_USDT-1h.csv")
    shutil.copy(candles, named)
    assert "nameless.csv: Neither the file" in cli.fails("data", "import", named, "nameless.csv")
    assert [r["symbol"] for r in cli.json("data", "list")] == ["ETH/USDT"]
    random_walk(1500, seed=9).bars.droplevel("symbol").reset_index(names="timestamp").to_csv(
        "b.csv", index=False
    )
    assert "--symbol VENUE:ETH/USDT" in cli.fails("data", "import", "b.csv", "--symbol", "ETH/USDT")


@pytest.mark.parametrize("order", [("ETH_USDT-1h.csv", "notes.txt"), ("notes.txt", "ETH_USDT-1h.csv")])
def test_of_several_files_all_are_read_and_what_is_good_is_stored(
    cli, candles: Path, order: tuple[str, str]
) -> None:
    shutil.copy(candles, "ETH_USDT-1h.csv")
    Path("notes.txt").write_text("buy low\nsell high\n")
    said = cli.fails("data", "import", *order)
    assert "notes.txt" in said
    assert "1 of 2 files were refused" in said
    assert "Stored are: ETH_USDT-1h.csv." in said
    assert [r["symbol"] for r in cli.json("data", "list")] == ["ETH/USDT"]
    assert "Nothing was stored." in cli.fails("data", "import", "notes.txt", "notes.txt")


def test_a_binary_file_is_told_as_one(cli) -> None:
    Path("photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    said = cli.fails("data", "import", "photo.png")
    assert "photo.png: a binary file (PNG)" in said
    assert "\ufffd" not in said


def test_only_what_is_alike_in_what_is_traded_is_suggested(cli, candles: Path) -> None:
    shutil.copy(candles, "ETH_USDT-1h.csv")
    cli.ok("data", "import", "ETH_USDT-1h.csv")
    build = ("features", "build", "--out", "f.parquet", "--set", "data.timeframe=1h", "--set")
    assert "did you mean 'ETH/USDT'?" in cli.fails(*build, "data.symbols=EHT/USDT")
    other = cli.fails(*build, "data.symbols=DOGE/USDT")
    assert "did you mean" not in other
    assert "ETH/USDT" in other


def test_symbols_without_a_series_are_named_in_one_line(
    cli, candles: Path, funding: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cli.ok("data", "import", candles, funding, "--symbol", "BTC/USDT")
    for symbol in ("ETH/USDT", "SOL/USDT"):
        cli.ok("data", "import", candles, "--symbol", symbol)
    caplog.clear()
    cli.ok("data", "check")
    assert [r.message for r in caplog.records if "stored for" in r.message] == [
        "No funding is stored for ETH/USDT, SOL/USDT."
    ]


def test_check_what_is_stored(cli, candles: Path, funding: Path) -> None:
    cli.ok("data", "import", candles, "--symbol", "BTC/USDT")
    cli.ok("data", "import", funding, "--symbol", "BTC/USDT")
    report = cli.json("data", "check")
    assert [s["symbol"] for s in report["symbols"]] == ["BTC/USDT"]
    assert [s["name"] for s in report["series"]] == ["funding"]
    assert "did you mean" in cli.fails("data", "check", "--symbol", "BTC/USD")


def test_text_that_is_no_symbol_is_refused_and_what_is_stored_under_it_stays_readable(
    cli, candles: Path
) -> None:
    odd = "BTC USD !!"
    for how in (("data", "import", candles), ("data", "import", candles, "--dry-run")):
        assert "cannot be a symbol" in cli.fails(*how, "--symbol", odd)
    assert "cannot be a symbol" in cli.fails("jobs", "submit", "import", candles, "--symbol", odd)
    assert cli.json("data", "list") == []
    cli.ok("data", "import", candles, "--symbol", "^GSPC")
    place = next(cli.home.rglob("%5EGSPC"))
    place.rename(place.with_name("BTC%20USD%20%21%21"))  # as a version before stored it
    assert [one["symbol"] for one in cli.json("data", "list")] == [odd]
    assert cli.json("data", "check", "--symbol", odd)["passed"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather"])
def test_convert_keeps_the_bars(suffix: str, cli, candles: Path) -> None:
    target = Path(f"out{suffix}")
    arguments = ("data", "convert", candles, target, "--symbol", "A/B", "--timerange", "20200102-20200103")
    assert cli.json(*arguments)["rows"] == 24
    assert "there is a file already" in cli.fails(*arguments)
    cli.ok(*arguments, "--force")
    assert cli.json("data", "check", target)["symbols"][0]["rows"] == 24


def test_convert_from_what_is_stored(cli, candles: Path) -> None:
    cli.ok("data", "import", candles, "--symbol", "BTC/USDT")
    assert cli.json("data", "convert", cli.home / "data", "all.parquet")["rows"] == 1500


def test_features_list_says_what_is_off_and_why(cli, candles: Path, funding: Path) -> None:
    listed = {r["family"]: r for r in cli.json("features", "list")["families"]}
    assert listed["returns"]["off"] == ""
    assert len(listed["returns"]["columns"]) > 5
    assert "funding_rate" in listed["funding"]["off"]
    data = ("--data", candles, "--series", f"funding={funding}")
    assert {r["family"]: r["off"] for r in cli.json("features", "list", *data)["families"]}["funding"] == ""
    named = cli.ok("features", "list", "--columns", "--set", "features.manual.families=returns")
    assert "manual__" in named
    assert "volatility" not in named


def test_features_list_reads_the_market_that_a_plan_names(cli, candles: Path, funding: Path) -> None:
    cli.ok("data", "import", candles, funding, "--symbol", "BTC/USDT")
    Path("plan.toml").write_text('[data]\nsymbols = ["BTC/USDT"]\nseries = ["funding"]\n')
    listed = {r["family"]: r for r in cli.json("features", "list", "--plan", "plan.toml")["families"]}
    assert listed["funding"]["off"] == ""
    assert len(listed["funding"]["columns"]) > 0
    assert "fear_greed" in listed["sentiment"]["off"]
    Path("plan.toml").write_text('[data]\nseries = ["fear_greed"]\n')  # named, but nothing is stored
    assert "fear greed" in cli.fails("features", "list", "--plan", "plan.toml")


def test_features_build_writes_what_the_pipeline_computes(cli, candles: Path) -> None:
    arguments = ("features", "build", "--data", candles, "--out", "f.parquet")
    options = ("--set", "features.manual.families=returns", "--timerange", "20200101-20200201")
    built = cli.json(*arguments, *options)
    table = pd.read_parquet("f.parquet")
    assert len(table) == built["rows"] == 31 * 24
    assert table.shape[1] == built["columns"] + 2  # symbol, open_time
    assert "there is a file already" in cli.fails(*arguments, *options)


def test_features_of_what_is_stored(cli, candles: Path) -> None:
    cli.ok("data", "import", candles, "--symbol", "BTC/USDT")
    built = cli.json("features", "build", "--out", "f.parquet", "--set", "features.manual.families=price")
    assert built["rows"] == 1500


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "features.manual.families=retruns"), "Did you mean 'returns'?"),
        (("--set", "features.stages=manuel"), "Did you mean 'manual'?"),
        (("--series", "funding"), "name=file"),
        (("--plan", "nope.toml"), "cannot be read"),
    ],
)
def test_features_that_do_not_exist(arguments: tuple[str, ...], words: str, cli, candles: Path) -> None:
    assert words in cli.fails("features", "build", "--data", candles, "--out", "f.parquet", *arguments)
    assert not Path("f.parquet").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent to POSIX processes")
def test_ctrl_c_during_an_import_leaves_whole_files_or_none(cli, tmp_path: Path) -> None:
    big = random_walk(60_000).bars.droplevel("symbol").reset_index(names="timestamp")
    for number in range(6):
        big.to_parquet(f"part{number}.parquet", index=False)
    cli.ok("data", "import", "part0.parquet", "--symbol", "S/0")
    files = [f"part{n}.parquet" for n in range(6)] * 3
    command = [sys.executable, "-c", "from onward.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "data", "import", *files, "--symbol", "S/1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert "Recognised" in process.stdout.readline()
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, problem = process.communicate(timeout=30)
    assert process.returncode == 130, problem
    assert "Traceback" not in problem
    assert time.monotonic() - sent < 5
    rows = {c["symbol"]: c["rows"] for c in cli.json("data", "list")}
    assert rows.pop("S/0") == 60_000
    assert rows in ({}, {"S/1": 60_000})
    cli.ok("data", "import", "part0.parquet", "--symbol", "S/1")
    assert {c["rows"] for c in cli.json("data", "list")} == {60_000}
