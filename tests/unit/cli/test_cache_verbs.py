"""``onward cache``, and the one place that the cache comes from."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from onward.config import StorageConfig
from onward.features.cache import DEFAULT_MAX_BYTES, FeatureCache
from onward.settings import load_settings
from onward.testing.markets import random_walk
from onward.wiring import build_application

BUILD = ("features", "build", "--data", "btc.csv", "--out", "f.parquet", "--force")
FEW = ("--set", "features.manual.families=returns", "--set", "features.stages=manual")


@pytest.fixture
def built(cli) -> Path:
    """Return the cache directory of a home in which features were built."""
    bars = random_walk(300).bars.reset_index("symbol", drop=True)
    bars.to_csv("btc.csv")
    cli.ok(*BUILD, *FEW)
    return cli.home / "cache" / "features"


def test_show_says_what_there_is(cli, built: Path) -> None:
    shown = cli.json("cache", "show")
    (entry,) = built.glob("*.npy")
    assert shown["directory"] == str(built)
    assert (shown["entries"], shown["bytes"]) == (1, entry.stat().st_size)
    assert (shown["in_use"], shown["bytes_in_use"], shown["unfinished"]) == (0, 0, 0)
    assert shown["max_bytes"] == 10_000_000_000
    assert shown["last_used"][0] == shown["last_used"][1]
    text = cli.ok("cache", "show")
    assert "10.0 GB" in text
    assert "Last used between" in text


def test_an_empty_cache_is_no_error(cli) -> None:
    assert cli.json("cache", "show")["last_used"] is None
    assert "matrices" in cli.ok("cache", "show", "--set", "storage.feature_cache_gb=none")
    assert "nothing is kept" in cli.ok("cache", "show", "--set", "storage.feature_cache_gb=0")
    assert cli.json("cache", "clear", "--yes") == {"removed": 0, "bytes": 0, "in_use": 0, "refused": 0}
    assert "Removed 0 matrices" in cli.ok("cache", "clear")  # nothing to ask about
    assert not (cli.home / "cache").exists()


def test_clear_asks_first(cli, built: Path) -> None:
    assert cli("cache", "clear", stdin="n\n").exit_code == 1
    assert len(list(built.glob("*.npy"))) == 1
    assert "--yes" in cli.fails("cache", "clear", "--json")
    assert "Removed 1 matrices" in cli.ok("cache", "clear", stdin="y\n")
    assert list(built.iterdir()) == []
    cli.ok(*BUILD, *FEW)
    assert cli.json("cache", "clear", "--yes")["removed"] == 1


def test_without_anybody_to_ask_the_refusal_names_yes(cli, built: Path) -> None:
    shown = cli.fails("cache", "clear")  # the input is empty
    assert "nobody is there to be asked" in shown
    assert "fix:     Add --yes." in shown
    assert len(list(built.glob("*.npy"))) == 1


def test_what_a_process_uses_stays(cli, built: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom onward.features.cache import FeatureCache\n"
        "(path,) = Path(sys.argv[1]).glob('*.npy')\n"
        "matrix = FeatureCache(path.parent).get(path.name.split('.')[0])\n"
        "print('mapped', flush=True)\nsys.stdin.read()\nprint(matrix.shape)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(built)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "mapped\n"
        assert cli.json("cache", "show")["in_use"] == 1
        assert "1 are in use and stay" in cli.ok("cache", "clear", "--yes")
        rest, _ = reader.communicate()
    assert rest.startswith("(300, ")
    assert cli.json("cache", "clear", "--yes")["removed"] == 1


@pytest.mark.parametrize(
    ("value", "expected"), [("2.5", 2_500_000_000), ("none", None), ("0", 0), (None, 10_000_000_000)]
)
def test_the_limit_comes_from_the_settings(cli, value: str | None, expected: int | None) -> None:
    overrides = () if value is None else (f"storage.feature_cache_gb={value}",)
    application = build_application(load_settings(home=cli.home, overrides=overrides))
    cache = application.feature_cache
    assert isinstance(cache, FeatureCache)
    assert cache.max_bytes == expected
    assert cache.directory == cli.home / "cache" / "features"
    assert application.feature_cache is cache
    assert application.training._make_trainer.keywords["cache"] is cache


def test_both_defaults_agree() -> None:
    assert StorageConfig.sealed().feature_cache_gb * 1e9 == DEFAULT_MAX_BYTES


@pytest.mark.parametrize("value", ["-1", "much", "inf"])
def test_a_limit_that_is_no_size_is_refused(cli, value: str) -> None:
    shown = cli.fails("cache", "show", "--set", f"storage.feature_cache_gb={value}")
    assert "storage.feature_cache_gb" in shown


def test_features_are_found_again_and_built_without_a_cache_too(cli, built: Path) -> None:
    first = cli(*BUILD, *FEW)
    assert "from the cache" in first.stderr
    other = cli(*BUILD, *FEW, "--set", "storage.feature_cache_gb=0")
    assert other.exit_code == 0
    assert "from the cache" not in other.stderr
    assert len(list(built.glob("*.npy"))) == 1


def test_a_cache_that_cannot_be_written_costs_speed_and_says_so_once(
    cli, built: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in built.iterdir():
        path.unlink()
    built.rmdir()
    built.write_text("a file stands in its place")
    two = ("--set", 'features.stages=["manual", "alpha158"]', "--set", "features.manual.families=returns")
    with caplog.at_level(logging.DEBUG, "onward.features.cache"):
        assert cli.json(*BUILD, *two)["rows"] == 300
    levels = [record.levelname for record in caplog.records if "cannot be written" in record.getMessage()]
    assert levels == ["WARNING", "DEBUG"]
