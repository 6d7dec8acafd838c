"""The pass over real data: its plans, the bars it prepares, the tables it writes."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from benchmarks import _results_page as page
from benchmarks._process import ROOT
from benchmarks._results_data import prepare, split_factors
from benchmarks._results_lines import LINES, MARKETS, VARIANTS
from benchmarks._results_picture import picture
from onward.settings import load_settings


@pytest.fixture
def bars():
    """Bars of a stock: a 2:1 split on day 2, a special dividend of a tenth on day 3, a 3:1 split on day 4."""
    held = np.array([100.0, 101.0, 102.0, 92.0, 93.0])
    split = np.array([1.0, 1.0, 2.0, 2.0, 6.0])
    return pd.DataFrame(
        {
            "symbol": "ABC",
            "timestamp": pd.date_range("2020-01-01", periods=5, tz="UTC"),
            **dict.fromkeys(("open", "high", "low", "close"), held / split),
            "adj_close": held * np.array([0.9, 0.9, 0.9, 1.0, 1.0]) / 6.0,
            "volume": 1_000.0 * split,
        }
    )


def test_splits_are_found_and_dividends_left_alone(bars):
    assert split_factors(bars).tolist() == [1.0, 1.0, 2.0, 2.0, 6.0]


def test_prepared_prices_run_on_through_splits(bars, tmp_path):
    bars.to_parquet(tmp_path / "raw.parquet")
    done = pd.read_parquet(prepare(tmp_path / "raw.parquet", tmp_path / "done.parquet"))
    assert done["close"].tolist() == pytest.approx([100.0, 101.0, 102.0, 92.0, 93.0])
    assert done["volume"].tolist() == pytest.approx([1_000.0] * 5)
    assert "adj_close" not in done


def test_a_later_split_changes_nothing_before_it(bars, tmp_path):
    for name, rows in (("all", bars), ("some", bars.iloc[:4])):
        rows.to_parquet(tmp_path / name)
    whole, part = (pd.read_parquet(prepare(tmp_path / n, tmp_path / f"{n}.done")) for n in ("all", "some"))
    pd.testing.assert_frame_equal(whole.iloc[:4], part)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_the_settings_of_every_line_are_valid(line, tmp_path):
    words = line.command()
    overrides = [value for option, value in pairwise(words) if option == "--set"]
    plan = load_settings(home=tmp_path, plan_file=ROOT / words[2], overrides=overrides).plan
    assert plan.ensemble.method == ("none" if line.variant.name in ("single", "tuned") else line.variant.name)
    assert plan.optimization.trials == 0
    assert (line.variant.trials is not None) == (line.variant.verb == "tune")


def test_at_least_one_line_of_every_market_is_audited():
    assert all(set(market.audited) & {v.name for v in VARIANTS} for market in MARKETS)


def judged(level, auc, p):
    return {
        "level": level,
        "auc": auc,
        "p": p,
        "corrected_p": 2 * p,
        "n_looked_at": 2,
        "band": {"independent": 99.0},
    }


def figures(**changes):
    score = {"n": 1_000, "direction_auc": 0.51, "range_auc": 0.6, "log_loss_skill": 0.01}
    earned = dict.fromkeys(
        ("total_return", "cagr", "sharpe", "max_drawdown", "turnover", "n_trades", "time_invested"), 0.25
    )
    curve = {"time": [0, 86_400, 172_800], "equity": [1.0, 0.0, 1.3]}
    names = ("Model", "Model before costs", "Buy and hold")
    return {
        "bars": 2_000,
        "columns": 10,
        "first": "2020-01-01",
        "last": "2020-12-31",
        "scored_from": "2020-06-01",
        "seconds": 3.0,
        "cpu_seconds": 5.0,
        "peak_gb": 0.7,
        "verdict": {
            "direction": judged("no evidence of skill", 0.51, 0.3),
            "range": judged("evidence of skill", 0.6, 0.001),
        },
        "scores": {"pooled": score, "folds": {"0": score, "1": score}, "baselines": {"momentum": score}},
        "class_frequencies": score,
        "warnings": ["mind the gap"],
        "certificate": {"status": "not_run"},
        "equity": dict.fromkeys(names, earned),
        "curves": dict.fromkeys(names, curve),
        "information": None,
        "search": None,
        **changes,
    }


def test_every_run_is_told_and_a_failed_one_says_why():
    lines = {line.name: figures() for line in LINES} | {"eurusd-stacking": {"failed": "no bars"}}
    text = page.generated(
        {"machine": "a machine", "date": "2020-12-31", "load": "0.1 before", "lines": lines}
    )
    assert "| single | 2 | 0.510 | 0.60 | 0.76 | none | 0.600 | 0.0020 | 0.0040 | **evidence** |" in text
    assert "| AUC by block | 1 | 2 |" in text
    assert text.count("- `single`, `bagging`, `stacking`, `tuned`: mind the gap") == len(MARKETS) - 1
    assert text.count("- `single`, `bagging`, `tuned`: mind the gap") == 1
    widths = [
        [line.count("|") for line in table.splitlines()] for table in text.split("\n\n") if table[0] == "|"
    ]
    assert all(len(set(width)) == 1 for width in widths)
    assert "`stacking` failed: no bars" in text
    assert "1 minutes of processor time" in text
    assert text.count("not run") == len(LINES) - 1
    for line in LINES:
        assert line.shown in text
    drawn = picture(lines)
    assert drawn.count("<polyline") == len(MARKETS) * (len(VARIANTS) + 1) - 1
    assert "nan" not in drawn


def test_the_page_has_its_marks():
    before, begin, rest = page.PAGE.read_text(encoding="utf-8").partition(page.BEGIN)
    assert before
    assert begin
    assert page.END in rest
