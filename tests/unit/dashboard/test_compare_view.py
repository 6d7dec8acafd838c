"""What a comparison of runs says, from plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from onward.dashboard.pages.compare import address
from onward.dashboard.views.compare import Compared, CompareView, Row, compare_view
from onward.dashboard.views.compare_evidence import evidence_of, figure_of
from onward.dashboard.views.compare_search import search_of
from onward.dashboard.views.report import run_line
from onward.registry import Run, RunRecord, RunVerdict

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLAN: dict[str, Any] = {
    "model": {"name": "lightgbm", "n_rounds": 5, "extra": {}},
    "data": {"symbols": ["A", "B"]},
}
SCORES: dict[str, Any] = {
    "pooled": {"n": 100, "direction_auc": 0.55, "log_loss_skill": None},
    "folds": {"0": {"direction_auc": 0.5}, "1": {"direction_auc": 0.6}, "10": {"direction_auc": 0.7}},
    "baselines": {"momentum": {"direction_auc": 0.51}},
}
CARD = {"subject": "direction", "level": "weak evidence", "p": 0.03, "band": {"low": 0.45, "high": 0.54}}
PAGE: dict[str, Any] = {
    "cards": [{"verdict": CARD}],
    "equity": {
        "table": {
            "columns": [
                ["Strategy", "text"],
                ["Total return", "number"],
                ["Trades", "number"],
                ["Mood", "text"],
            ],
            "rows": [
                [["Model", "strong", None, None], ["−21.9 %", "bad", None, None], "1,410", "bad"],
                ["Buy and hold", "+3.0 %", "1", "good"],
            ],
        }
    },
    "certificate": {"status": "failed", "findings": {"rows": [[], []]}},
}


def trial(number: int, score: float | None, state: str = "complete") -> dict[str, Any]:
    folds = [] if score is None else [score - 0.1, score + 0.1]
    drawn = {"model.n_rounds": 5 + number}
    told = {"number": number, "state": state, "parameters": drawn, "fold_scores": folds}
    return {**told, "score": score, "seconds": 0.5, "reason": ""}


SEARCH: dict[str, Any] = {
    "objective": "log_loss_skill",
    "space": [{"path": "model.n_rounds", "low": 2, "high": 9}],
    "chosen": {"model.n_rounds": 7},
    "statistics": {"deflated_sharpe": 0.4, "overfitting": None},
    "folds": [
        {"title": "fold 1", "inner_score": 0.1, "outer_score": -0.2, "trials": [trial(0, 0.1)], "chosen": 0}
    ],
    "final": {
        "chosen": 2,
        "inner_score": 0.3,
        "importance": {"a": 0.2, "b": 0.8},
        "trials": [
            trial(0, 0.1),
            trial(1, 0.9, "pruned"),
            trial(2, 0.3),
            trial(3, None, "refused"),
            trial(4, 0.2),
        ],
    },
}


def compared(name: str, *, page: dict[str, Any] | None = None, **changes: Any) -> Compared:
    verdicts = {"direction": RunVerdict("no evidence of skill", 0.4)}
    record = RunRecord("train", PLAN, "p", "d" * 64, "threshold", scores=SCORES, verdicts=verdicts)
    run = Run(name, NOW, replace(record, **changes), NOW)
    return Compared(run, run_line(run), evidence_of(run.record.verdicts, page))


def row(view: CompareView, group: str, name: str) -> Row:
    rows = [one for each in view.groups if each.name == group for one in each.rows]
    return next(one for one in rows if one.name == name)


def test_only_settings_that_differ_are_shown_until_asked_for_all() -> None:
    other = {
        "model": {"name": "lightgbm", "n_rounds": 8, "extra": {}, "new": True},
        "data": {"symbols": ["A"]},
    }
    runs = [compared("a"), compared("b", plan=other)]
    view = compare_view(runs)
    names = [one.name for one in view.groups]
    assert names[:3] == ["direction", "plan", "run"], "verdicts first, then what differs"
    plan = {one.name: one.values for each in view.groups if each.name == "plan" for one in each.rows}
    assert plan == {"model.n_rounds": ("5", "8"), "data.symbols": ("A, B", "A"), "model.new": (None, "true")}
    assert (view.n_differing, view.n_settings) == (3, 5)
    everything = compare_view(runs, everything=True)
    assert everything.groups[-1].name == "plan"
    assert row(everything, "plan", "model.name").values == ("lightgbm", "lightgbm")
    assert not row(everything, "plan", "model.name").differs
    assert row(everything, "plan", "model.extra").values == ("–", "–")


def test_scores_stand_beside_what_chance_reaches() -> None:
    view = compare_view([compared("a", page=PAGE), compared("b")])
    assert row(view, "direction", "level").values == ("weak evidence", "no evidence of skill")
    assert row(view, "direction", "auc").values == (0.55, 0.55)
    assert row(view, "direction", "chance").values == ((0.45, 0.54), None)
    assert row(view, "direction", "corrected_p").values == (None, 0.4), "without a report, that of the row"
    assert row(view, "direction", "momentum").values == (0.51, 0.51)
    assert row(view, "direction", "fold_spread").values[0] == pytest.approx(0.1)
    assert row(view, "run", "findings").values == (2, None)
    assert "range" not in [one.name for one in view.groups], "nothing is known of it"


def test_figures_of_the_equity_come_from_the_report() -> None:
    view = compare_view([compared("a", page=PAGE), compared("b")])
    assert row(view, "backtest", "total_return").values == (pytest.approx(-0.219), None)
    assert row(view, "backtest", "n_trades").values == (1410, None)
    assert row(view, "backtest", "holding").values == (pytest.approx(0.03), None)
    assert not [one for one in compare_view([compared("a"), compared("b")]).groups if one.name == "backtest"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("−21.9 %", -0.219),
        ("+3 %", 0.03),
        ("3,584.7 ×", 3584.7),
        ("-1", -1.0),
        ("not known", None),
        ("", None),
        ("1 2", None),
        ("%", None),
    ],
)
def test_figures_are_read_as_the_report_writes_them(text: str, value: float | None) -> None:
    assert figure_of(text) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"cards": None},
        {"equity": {"table": {"columns": [], "rows": [[]]}}},
        {"cards": [1, {"verdict": 2}]},
    ],
)
def test_a_report_of_another_version_does_no_harm(page: dict[str, Any]) -> None:
    evidence = evidence_of({"range": RunVerdict("weak evidence", 0.02)}, page)
    assert evidence.verdicts["range"] == {"level": "weak evidence", "corrected_p": 0.02}
    assert dict(evidence.model) == {}


def test_folds_are_laid_over_each_other_by_number() -> None:
    fewer = {**SCORES, "folds": {"1": {"direction_auc": 0.4, "range_auc": 0.9}}}
    view = compare_view([compared("a"), compared("b", scores=fewer)])
    assert view.folds["direction_auc"] == ((1, (0.5, None)), (2, (0.6, 0.4)), (11, (0.7, None)))
    assert view.for_scripts["folds"]["range_auc"] == {"x": [2], "lines": [[None], [0.9]]}
    assert "log_loss_skill" not in view.for_scripts["folds"]


def test_runs_on_other_data_or_labels_do_not_compare() -> None:
    assert compare_view([compared("a"), compared("b")]).same_data
    assert not compare_view([compared("a"), compared("b", data_hash="e" * 64)]).same_data
    assert not compare_view([compared("a"), compared("b", label_family="trend")]).same_data


def test_a_run_that_came_to_nothing_has_blanks() -> None:
    view = compare_view(
        [
            compared("a"),
            compared("b", scores={}, verdicts={}, status="failed", plan={}),
            compared("c", data={}),
        ]
    )
    assert row(view, "direction", "auc").values == (0.55, None, 0.55)
    assert row(view, "plan", "model.name").values == ("lightgbm", None, "lightgbm")


def test_a_search_is_told_with_its_best_so_far() -> None:
    search = search_of(SEARCH)
    assert search is not None
    assert search.history == {
        "x": [0, 1, 2, 3, 4],
        "score": [0.1, None, 0.3, None, 0.2],
        "best": [0.1, 0.1, 0.3, 0.3, 0.3],
    }, "a trial that was stopped early counts for nothing"
    assert [one.number for one in search.leaders] == [2, 4, 0, 1, 3]
    assert search.leaders[0].chosen
    assert search.leaders[0].deviation == pytest.approx(0.1)
    assert search.importance == (("b", 0.8), ("a", 0.2))
    assert (search.n_complete, search.is_thin) == (3, True), "two parameters need twenty"
    many = [trial(number, 0.1) for number in range(20)]
    plenty = search_of({**SEARCH, "final": {**SEARCH["final"], "trials": many}})
    assert plenty is not None
    assert (plenty.n_complete, plenty.is_thin) == (20, False)
    assert (search.n_trials, search.best, search.statistics["overfitting"]) == (6, 0.3, None)
    assert (search.folds[0].inner, search.folds[0].outer) == (0.1, -0.2)
    view = compare_view([replace(compared("a"), search=search), compared("b")])
    assert row(view, "search", "trials").values == (6, None)
    assert [one.run.id for one in view.searched] == ["a"]


@pytest.mark.parametrize("told", [None, [], {}, {**SEARCH, "final": {}}, {**SEARCH, "space": [1]}, "text"])
def test_what_no_search_wrote_is_no_search(told: object) -> None:
    assert search_of(told) is None


def test_addresses_of_comparisons() -> None:
    assert address([]) == "/compare"
    assert address(["a b", "c"], everything=True) == "/compare?run=a+b&run=c&all=1"
    assert address(["a"], choose=True, before="x&y") == "/compare?run=a&choose=1&before=x%26y"
