"""Backtest paths of combinatorial validation: scores and curves of one history, told several times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from onward.evaluation.report import words
from onward.evaluation.report.scores import MEANINGS, score
from onward.evaluation.report.tables import Cell, Row, Table, records, table

__all__ = ["PathsView", "paths_view"]

SHOWN = ("direction_auc", "range_auc", "log_loss_skill", "accuracy")
N_SHOWN = 15


@dataclass(frozen=True)
class PathsView:
    """The paths one by one, their range last; those beyond the first few apart."""

    table: Table
    others: Table | None


def paths_view(paths: pd.DataFrame | None) -> PathsView | None:
    """Return the table of the backtest paths; None when validation had none.

    Parameters
    ----------
    paths
        One row a path: the scores of `onward.evaluation.metrics.Metrics`, and ``sharpe``,
        ``total_return``, ``max_drawdown`` after costs.
    """
    if paths is None or paths.empty:
        return None
    rows = [_row(f"Path {number + 1}", one) for number, one in enumerate(records(paths))]
    extremes = [
        _row(name, one)
        for name, one in (("Lowest", paths.min().to_dict()), ("Highest", paths.max().to_dict()))
    ]
    columns = (
        "Path",
        *(MEANINGS[name][0] for name in SHOWN),
        "Total return",
        "Sharpe",
        "Deepest fall",
    )
    whole = table("Backtest paths, traded after costs", columns, [*extremes, *rows])
    first, others = whole.split(N_SHOWN + len(extremes))
    return PathsView(first, others)


def _row(name: str, one: Mapping[Any, Any]) -> Row:
    total = one["total_return"]
    return [
        Cell(name, "" if name.startswith("Path") else "strong"),
        *(score(shown, one[shown]) for shown in SHOWN),
        Cell(words.signed_percent(total), "good" if total > 0 else "bad" if total < 0 else ""),
        words.signed(one["sharpe"], 2),
        words.percent(one["max_drawdown"]),
    ]
