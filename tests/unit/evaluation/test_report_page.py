"""What a report says, section by section, on runs whose outcome is known."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from onward.data.quality import check
from onward.evaluation.judgement import judge
from onward.evaluation.oof import OutOfFold
from onward.evaluation.report import ReportContent
from onward.evaluation.report.page import page
from onward.testing.markets import random_walk
from onward.types import Certificate, Finding, Spans, from_ns

HOUR = 3_600_000_000_000
HORIZON = 24


def scored(market, *, skill=0.0, seed=0, n_folds=4):
    """Return predictions of moves over 24 bars that know the outcome with some skill."""
    generator = np.random.default_rng(seed)
    keep, y, start = [], [], []
    close = np.log(market.bars["close"].to_numpy())
    for rows in market.rows.values():
        own = np.arange(rows.start, rows.stop - HORIZON)
        move = close[own + HORIZON] - close[own]
        border = 0.43 * np.abs(move).mean() * 1.25
        keep.append(own)
        y.append(np.where(move > border, 1, np.where(move < -border, -1, 0)))
        start.append(market.decision_time_ns[own])
    rows, y, start = np.concatenate(keep), np.concatenate(y), np.concatenate(start)
    noise = generator.normal(0.0, 0.4, (len(y), 3))
    score = noise + skill * np.eye(3)[y + 1]
    probability = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    edges = np.quantile(start, np.linspace(0, 1, n_folds + 1)[1:-1])
    prior = np.tile(np.bincount(y + 1, minlength=3) / len(y), (len(y), 1))
    spans = Spans(market.index[rows], start, start + HORIZON * HOUR)
    fold = np.searchsorted(edges, start, side="right").astype(np.int64)
    return OutOfFold(spans, fold, y.astype(np.int64), probability, prior, {"momentum": prior})


COLUMNS = {
    "manual__atr_14": ("relevance", "noise", ""),
    "manual__rsi_14": ("kept", "direction (z 4.00)", ""),
    "manual__rsi_21": ("correlation", "correlated with manual__rsi_14 (0.970)", "manual__rsi_14"),
    "tsfresh__rsi_twin": ("duplicate", "equal to manual__rsi_21", "manual__rsi_21"),
}


def selection_of(kept):
    """Return the ledgers of some fits: which of the manual columns each keeps."""
    rows = []
    for fold, names in kept.items():
        for column, (step, reason, stands) in COLUMNS.items():
            stays = any(column.endswith(name) for name in names)
            rows.append(
                (fold, column.partition("__")[0], column, stays, "kept" if stays else step, reason, stands)
            )
    columns = ["fold", "stage", "column", "kept", "step", "reason", "represented_by"]
    return pd.DataFrame(rows, columns=columns)


def content_of(market, *, skill=0.0, n_looked_at=1, **changes):
    """Return the content of a report without a training."""
    oof = scored(market, skill=skill)
    labels = pd.DataFrame(
        [np.bincount(oof.y[oof.fold == f] + 1, minlength=3) for f in oof.folds],
        columns=["down", "range", "up"],
        index=pd.Index(oof.folds, name="fold"),
    )
    content = ReportContent(
        title="SYNTH/USD 1h",
        created_at=datetime(2024, 5, 6, 7, 8, tzinfo=UTC),
        version="0.0.0",
        market=market,
        oof=oof,
        judgement=judge(oof, n_shifts=100, looked_at=n_looked_at),
        plan={"labels": {"horizon_bars": 24, "threshold": None}, "model": {"extra": {}, "balanced": True}},
        plan_hash="a" * 64,
        data_hash="b" * 64,
        run_id=None,
        fee_bps=5.0,
        slippage_bps=2.0,
        importance=pd.DataFrame(
            {
                "feature": ["manual__rsi_14", "manual__atr_14"],
                "folds": [4, 1],
                "importance": [0.6, 0.4],
                "deviation": [0.05, 0.0],
                "final": [0.7, math.nan],
            }
        ),
        selection=selection_of({0: ["rsi_14", "atr_14"], 1: ["rsi_14"], -1: ["rsi_14"]}),
        nan_ledger=pd.DataFrame(
            {
                "column": ["manual__rsi_14", "manual__atr_14"],
                "count": [0, 13],
                "share": [0.0, 13 / len(market)],
                "first_valid": from_ns(market.open_time_ns[[0, 13]]),
            }
        ),
        labels=labels,
        quality=check(market),
        certificate=Certificate("passed", ("truncation", "batch_equals_latest"), rows_probed=0.64),
        disabled={"sentiment": "needs the side series value fear_greed"},
        seconds={"features": 0.5, "folds": 65.0},
        libraries={"numpy": "2.4.0"},
    )
    return replace(content, **changes)


@pytest.fixture(scope="module")
def noise():
    return content_of(random_walk(1_500, seed=1))


@pytest.fixture(scope="module")
def noise_page(noise):
    return page(noise)


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_the_verdict_is_said_in_words_colour_and_symbol(noise_page):
    direction, range_ = noise_page.cards
    assert (direction.subject, range_.subject) == ("Direction", "Range")
    assert direction.level == "no evidence of skill"
    assert (direction.symbol, direction.tone) == ("○", "quiet")
    assert dict(direction.figures)["configurations looked at"] == "1"
    assert "Do not trade this model for direction" in noise_page.meaning
    assert noise_page.headline.startswith("Direction: no evidence of skill.")


def test_skill_is_recognised_and_shown_right_of_chance():
    found = page(content_of(random_walk(1_500, seed=1), skill=0.5, n_looked_at=3))
    direction = found.cards[0]
    assert (direction.level, direction.symbol, direction.tone) == ("evidence of skill", "●", "good")
    assert direction.strip.observed > direction.strip.high > direction.strip.low
    assert 0 <= direction.strip.low < direction.strip.observed <= 100
    assert dict(direction.figures)["configurations looked at"] == "3"
    assert "above all of them" in found.chance[0].summary


def test_a_verdict_without_a_band_claims_nothing():
    market = random_walk(1_500, seed=1)
    oof = scored(market)
    quiet = OutOfFold(oof.spans, oof.fold, np.zeros_like(oof.y), oof.probability, oof.prior, oof.baselines)
    found = page(content_of(market, oof=quiet, judgement=judge(quiet, n_shifts=100)))
    direction = found.cards[0]
    assert direction.level == "no evidence of skill"
    assert direction.strip is None
    assert dict(direction.figures)["AUC"] == "not known"
    assert found.charts["chance"]["direction"] is None


@pytest.mark.parametrize(
    ("status", "tone", "word"), [("failed", "bad", "worthless"), ("not_run", "fair", "not run")]
)
def test_scores_that_nobody_vouches_for_are_flagged_before_the_verdict(noise, status, tone, word):
    finding = Finding("truncation", "leak", "manual__rsi_14", "A 2020-01-01", "0.1 became 0.2")
    findings = (finding,) if status == "failed" else ()
    found = page(replace(noise, certificate=Certificate(status, findings=findings)))
    assert found.notice.tone == tone
    assert word in found.notice.text
    if findings:
        assert texts(found.certificate.findings)[0][:3] == ["✕ leak", "truncation", "manual__rsi_14"]


def test_a_passed_audit_needs_no_warning(noise_page):
    assert noise_page.notice is None
    assert noise_page.certificate.checks == ("truncation", "batch equals latest")
    assert "On 64.0 % of the rows a look one bar ahead would show." in noise_page.certificate.sentence


def test_warnings_of_the_run_are_passed_on(noise, noise_page):
    assert noise_page.warnings == ()
    assert page(replace(noise, warnings=("Rows were lost.",))).warnings == ("Rows were lost.",)


def test_equity_is_shown_beside_holding_and_the_rules(noise, noise_page):
    rows = {row[0]: row for row in texts(noise_page.equity.table)}
    assert list(rows) == ["Model", "Model before costs", "Buy and hold", "Momentum", "Mean reversion"]
    assert rows["Buy and hold"][-1] == "1"
    assert int(rows["Momentum"][-1].replace(",", "")) > 10  # the rule itself is traded
    assert "5.0 bps fee and 2.0 bps slippage" in noise_page.equity.costs
    chart = noise_page.equity.chart
    n = 1 + sum(length for _, length in chart["time"]["runs"])
    assert all(len(curve["equity"]) == n for curve in chart["curves"])
    final = chart["curves"][0]["equity"][-1]
    assert f"into {final:.2f} after costs" in noise_page.equity.summary


def test_the_deepest_fall_survives_downsampling():
    market = random_walk(6_000, seed=3)
    found = page(content_of(market)).equity
    assert found.chart["merged"] > 1
    deepest = {row[0]: row[6] for row in texts(found.table)}["Model"]
    drawn = min(found.chart["curves"][0]["drawdown"])
    assert deepest == f"−{-drawn:.1f} %"


def test_candles_keep_the_true_extremes(noise, noise_page):
    chart = noise_page.candles.chart[0]
    for level in ("overview", "detail"):
        assert max(chart[level]["high"]) == pytest.approx(noise.market.bars["high"].max(), rel=1e-6)
        assert min(chart[level]["low"]) == pytest.approx(noise.market.bars["low"].min(), rel=1e-6)
    assert len(chart["detail"]["open"]) == len(noise.market)
    assert len(chart["overview"]["open"]) <= 900
    held = [p for p in chart["detail"]["position"] if p is not None]
    assert set(held) == {-1.0, 0.0, 1.0}


def test_a_panel_shows_its_first_symbols_and_their_own_figures():
    names = [f"S{i}/USD" for i in range(8)]
    found = page(content_of(random_walk(400, seed=2, symbols=names)))
    assert found.candles.symbols == tuple(names[:6])
    assert "first 6 of 8 symbols" in found.candles.note
    assert [row[0] for row in texts(found.equity.by_symbol)] == names
    assert [row[0] for row in texts(found.scores.symbols)] == names


def test_scores_stand_beside_the_rules_and_the_mean_is_kept_apart(noise, noise_page):
    scores = noise_page.scores
    assert [column.name for column in scores.pooled.columns] == ["Score", "Better", "Model", "Momentum"]
    first = texts(scores.pooled)[0]
    assert first[2] == f"{noise.judgement.scores.pooled.direction_auc:.3f}"
    assert scores.mean_fold_auc == f"{noise.judgement.scores.mean_fold_direction_auc:.3f}"
    assert [row[0] for row in texts(scores.folds)] == [
        *(f"Fold {n}" for n in range(1, 5)),
        "Mean of folds",
        "Pooled",
    ]


def test_regimes_account_for_every_row(noise, noise_page):
    for table in noise_page.scores.regimes:
        rows = {row[0]: int(row[1].replace(",", "")) for row in texts(table)}
        assert sum(rows.values()) == len(noise.oof)
        assert rows["not known"] == 168  # a window is not full yet


def test_calibration_draws_only_what_enough_rows_carry(noise_page):
    for curve in noise_page.reliability.chart:
        assert min(curve["n"], default=240) >= 240  # ten labels of 24 bars
    counts = [row[-1].replace(",", "") for row in texts(noise_page.reliability.confusion)]
    assert int(counts[-1]) == sum(map(int, counts[:-1]))


def test_features_say_how_steady_they_are(noise_page):
    features = noise_page.features
    rsi, atr = texts(features.importance)
    assert rsi == ["manual__rsi_14", "60.0 %", "± 5.0 %", "4 of 4", "70.0 %"]
    assert atr == ["manual__atr_14", "40.0 %", "", "1 of 4", "dropped"]
    assert [row[:2] for row in texts(features.unknown)] == [["manual__atr_14", "13"]]
    assert texts(features.disabled) == [["sentiment", "needs the side series value fear_greed"]]
    assert (features.n_columns, features.n_kept, features.n_known) == ("2", "1", "1")


def test_selection_is_told_by_stage_step_and_representative(noise_page):
    selection = noise_page.features.selection
    assert [column.name for column in selection.survivors.columns] == [
        *("Stage", "Offered", "Fold 1", "Fold 2", "Final fit", "Kept in any")
    ]
    assert texts(selection.survivors) == [
        ["manual", "3", "2", "1", "1", "2"],
        ["tsfresh", "1", "0", "0", "0", "0"],
        ["All stages", "4", "2", "1", "1", "2"],
    ]
    assert [cell.tint for cell in selection.survivors.rows[0][2:5]] == [1.0, 1.0, 1.0]
    assert texts(selection.steps) == [
        ["Duplicate", "1", "0", "1"],
        ["Correlated with a better one", "1", "1", "0"],
        ["No better than shifted labels", "1", "1", "0"],
        ["Kept", "1", "1", "0"],
    ]
    # The twin of a column that left itself is shown under the one that stands for both in the end.
    assert texts(selection.represented) == [
        ["manual__rsi_14", "Kept", "2", "manual__rsi_21, tsfresh__rsi_twin"]
    ]
    assert texts(selection.ledger)[0] == ["manual__rsi_14", "Kept", "direction (z 4.00)"]
    assert {row[0] for row in texts(selection.ledger)} == set(COLUMNS)


def test_selection_of_one_stage_without_twins_is_short(noise):
    one = noise.selection[noise.selection["column"].isin(["manual__rsi_14", "manual__atr_14"])]
    found = page(replace(noise, selection=one.assign(step="a_step_of_its_own"))).features.selection
    assert found.represented is None
    assert texts(found.survivors) == [["manual", "2", "2", "1", "1", "2"]]
    assert texts(found.steps) == [["a step of its own", "2"]]


def test_labels_add_up(noise, noise_page):
    whole = noise_page.labels[-1]
    assert whole.n == f"{len(noise.oof):,}"
    assert sum(width for _, _, width in whole.shares) == pytest.approx(100.0, abs=0.02)


def test_settings_identities_and_time(noise_page):
    written = {row[0]: row[1] for table in noise_page.settings for row in texts(table)}
    assert written == {
        "labels.horizon_bars": "24",
        "labels.threshold": "not set",
        "model.extra": "none",
        "model.balanced": "true",
    }
    assert dict(texts(noise_page.identities))["Plan hash"] == "a" * 64
    assert dict(texts(noise_page.identities))["Run"] == "not recorded"
    assert texts(noise_page.time_spent)[-1] == ["all", "1 min 6 s"]


def test_a_report_may_know_very_little(noise):
    bare = replace(
        noise,
        importance=noise.importance.iloc[:0],
        selection=noise.selection.iloc[:0],
        nan_ledger=noise.nan_ledger.iloc[:0],
        disabled={},
        seconds={},
        libraries={},
        plan={},
    )
    found = page(bare)
    assert found.features.importance is None
    assert found.features.selection is None
    assert found.features.unknown is None
    assert found.time_spent is None
    assert found.libraries is None
    assert found.settings == ()


def test_unknown_importance_is_unknown(noise):
    silent = noise.importance.assign(importance=math.nan, deviation=math.nan)
    assert texts(page(replace(noise, importance=silent)).features.importance)[0][1] == "not known"
