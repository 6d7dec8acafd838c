"""One line of docs/results.md, run in a process of its own: what is found, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["class_frequencies", "found", "run"]

FIGURES = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "max_drawdown",
    "turnover",
    "time_invested",
    "n_trades",
    "cost_per_year",
    "funding_per_year",
)
CURVES = ("Model", "Model before costs", "Buy and hold")
CURVE_POINTS = 300


def run(words: Sequence[str], home: str, *, timerange: str | None = None) -> dict[str, Any]:
    """Do what the command does, and return its figures.

    The steps are those of ``onward.cli.commands``; only the equity curves, which the command draws
    into its report, are taken out as numbers too.

    Parameters
    ----------
    words
        Of the command, without ``onward``.
    home
        Home directory.
    timerange
        Bars to use, for a rough pass.
    """
    import argparse

    from onward.cli.market import load_market
    from onward.cli.session import Session
    from onward.training.optimization import with_search

    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["train", "tune"])
    parser.add_argument("plan")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--trials", type=int)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--series", action="append", default=[])
    parser.add_argument("--no-audit", action="store_true")
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args(list(words))
    overrides = [*asked.set, *([f"data.timerange={timerange}"] if timerange else [])]
    application = Session(Path(home), tuple(overrides)).application(asked.plan)
    plan = application.settings.plan
    market = load_market(application.repositories, plan.data, asked.data, asked.series)
    if asked.verb == "tune":
        plan = with_search(plan, trials=asked.trials, seconds=None)
        result = application.training.tune(market, plan, audit=not asked.no_audit)
    else:
        result = application.training.train(market, plan, audit=not asked.no_audit)
    result.report(asked.report)
    return found(result)


def found(result: Any) -> dict[str, Any]:
    """Return the figures of a finished run as plain values."""
    from onward.evaluation.report.equity import simulations
    from onward.training.reporting import report_content

    runs = simulations(report_content(result))
    market = result.training.dataset.market
    search, information = result.search, result.information
    return {
        "run": result.run_id,
        "plan_hash": result.plan.content_hash,
        "data_hash": market.content_hash,
        "bars": len(market),
        "first": str(market.index.get_level_values(-1).min()),
        "last": str(market.index.get_level_values(-1).max()),
        "scored_from": str(result.oof["decision_time"].min()),
        "columns": int(result.training.dataset.features.shape[1]),
        "verdict": result.verdict.to_dict(),
        "scores": result.scores.to_dict(),
        "class_frequencies": class_frequencies(result),
        "certificate": {
            "status": result.certificate.status,
            "checks": list(result.certificate.checks),
            "findings": [
                f"{f.severity}: {f.check}, {f.subject}: {f.detail}" for f in result.certificate.findings
            ],
        },
        "warnings": list(result.warnings),
        "information": None
        if information is None
        else json.loads(information.summary.to_json(orient="index")),
        "importance": importance_of(result),
        "equity": {name: _figures(one) for name, one in runs.items()},
        "curves": {name: _curve(runs[name]) for name in CURVES},
        "notes": list(runs["Model"].notes),
        "learning": None if result.learning is None else result.learning.to_dict(),
        "search": None if search is None else _search(search),
    }


def class_frequencies(result: Any) -> dict[str, float]:
    """Return what the class frequencies of each fold's training rows score as a prediction of its test rows.

    They are the same for all rows of a block, so what they reach is the drift of the classes from
    block to block. A model that says no more than they do knows nothing about a bar.
    """
    from onward.evaluation.metrics import measure

    oof = result.training.oof
    scored = measure(oof.prior, oof.y, oof.prior)
    return {name: getattr(scored, name) for name in ("direction_auc", "range_auc", "log_loss_skill")}


def importance_of(result: Any) -> list[str]:
    """Return the five columns that count most in the folds, by their share of the gain."""
    from onward.training.reporting import importance_table

    return [str(name) for name in importance_table(result.training)["feature"].head(5)]


def _figures(one: Any) -> dict[str, float]:
    figures = one.statistics.to_dict()
    return {name: float(figures[name]) for name in FIGURES}


def _curve(one: Any) -> dict[str, list[float]]:
    """Return the equity at evenly spread bars, the last one among them."""
    import numpy as np

    from onward.types import to_ns

    at = np.unique(np.linspace(0, len(one.time) - 1, CURVE_POINTS).astype(int))
    return {
        "time": [round(t / 1e9) for t in to_ns(one.time)[at].tolist()],
        "equity": [round(float(e), 5) for e in np.asarray(one.equity)[at]],
    }


def _search(search: Any) -> dict[str, Any]:
    statistics: Mapping[str, float] | None = search.statistics and search.statistics.to_dict()
    return {
        "n_trials": search.n_trials,
        "chosen": dict(search.chosen),
        "inner": [study.chosen.score for study in search.folds],
        "outer": [study.outer_score for study in search.folds],
        "pruned": sum(study.count("pruned") for study in (*search.folds, search.final)),
        "statistics": statistics,
    }


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    print(json.dumps(run(told["words"], told["home"], timerange=told["timerange"])))
