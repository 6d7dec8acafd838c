"""What selection did: where columns left, which stage's survive, who stands for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from onward.evaluation.report import words
from onward.evaluation.report.tables import Cell, Column, Row, Table, records, table
from onward.features.selection.across_fits import FINAL_FIT
from onward.features.selection.ledger import STEPS

__all__ = ["SelectionView", "selection_view"]

STEP_NAMES = {
    "stage_test": "Test of the stage itself",
    "constant": "Constant or hardly known",
    "duplicate": "Duplicate",
    "correlation": "Correlated with a better one",
    "relevance": "No better than shifted labels",
    "null_importance": "No more important than under shifted labels",
    "places": "Beyond the places",
    "kept": "Kept",
}
"""Steps of the ledger as the page calls them; a step of another selector goes by its own name."""


@dataclass(frozen=True)
class SelectionView:
    """Selection of a run.

    Attributes
    ----------
    survivors
        Columns of each stage that were kept, fit by fit.
    steps
        Columns that left at each step of the final fit, by stage.
    represented
        Columns for which another one stands in the final fit; None when there are none.
    ledger
        Every column of the final fit: what became of it, and why.
    """

    survivors: Table
    steps: Table
    represented: Table | None
    ledger: Table


def selection_view(selection: pd.DataFrame) -> SelectionView | None:
    """Return the selection part of a report, None when nothing was selected.

    Parameters
    ----------
    selection
        As `ReportContent.selection`.
    """
    if selection.empty:
        return None
    final = selection[selection["fold"] == FINAL_FIT]
    return SelectionView(_survivors(selection), _steps(final), _represented(final), _ledger(final))


def _survivors(selection: pd.DataFrame) -> Table:
    stages = list(dict.fromkeys(selection["stage"]))
    fits = sorted(set(selection["fold"]) - {FINAL_FIT})
    fits += [FINAL_FIT] if (selection["fold"] == FINAL_FIT).any() else []
    kept = selection.pivot_table(index="stage", columns="fold", values="kept", aggfunc="sum", fill_value=0)
    most = {fit: max(float(kept[fit].max()), 1.0) for fit in fits}
    ever = selection[selection["kept"]].groupby("stage")["column"].nunique()
    offered = selection.groupby("stage")["column"].nunique()
    rows: list[Row] = [
        [
            stage,
            words.count(offered[stage]),
            *(
                Cell(
                    words.count(kept.loc[stage, fit]),
                    tint=round(float(kept.loc[stage, fit]) / most[fit], 4),
                )
                for fit in fits
            ),
            words.count(ever.get(stage, 0)),
        ]
        for stage in stages
    ]
    if len(stages) > 1:
        rows.append(
            [
                Cell("All stages", "strong"),
                words.count(offered.sum()),
                *(words.count(kept[fit].sum()) for fit in fits),
                words.count(ever.sum()),
            ]
        )
    names = ("Final fit" if fit == FINAL_FIT else f"Fold {fit + 1}" for fit in fits)
    return table("Columns kept of each stage, fit by fit", ("Stage", "Offered", *names, "Kept in any"), rows)


def _steps(final: pd.DataFrame) -> Table:
    stages = list(dict.fromkeys(final["stage"]))
    counts = final.pivot_table(index="step", columns="stage", values="column", aggfunc="count", fill_value=0)
    others = [step for step in counts.index if step not in (*STEPS, "kept")]
    rows: list[Row] = []
    for step in (*STEPS, *others, "kept"):
        if step not in counts.index:
            continue
        total = int(counts.loc[step].sum())
        share = round(total / len(final), 4)
        rows.append(
            [
                Cell(STEP_NAMES.get(step, words.spoken(step)), "strong" if step == "kept" else ""),
                Cell(words.count(total), bar=share),
                *(words.count(counts.loc[step, stage]) for stage in stages if len(stages) > 1),
            ]
        )
    headings = ("Columns", *(stages if len(stages) > 1 else ()))
    return table("Where columns left in the final fit", ("Step", *headings), rows, narrow=len(stages) < 3)


def _represented(final: pd.DataFrame) -> Table | None:
    twins = final[final["represented_by"].astype(bool)]
    if twins.empty:
        return None
    leads = dict(zip(final["column"], final["represented_by"], strict=True))
    became = dict(zip(final["column"], final["step"], strict=True))
    for_whom: dict[str, list[str]] = {}
    for column in twins["column"]:
        for_whom.setdefault(_last(column, leads), []).append(column)
    order = sorted(for_whom, key=lambda one: (became.get(one) != "kept", -len(for_whom[one])))
    rows: list[Row] = [
        [
            one,
            _fate(became.get(one, "")),
            words.count(len(for_whom[one])),
            ", ".join(for_whom[one]),
        ]
        for one in order
    ]
    headings = ("Column", Column("What became of it", "text"), "Stands for", Column("Which", "text"))
    return table("Columns that stand for others in the final fit", headings, rows)


def _last(column: str, leads: dict[str, str]) -> str:
    """Follow a column's representatives to the last one."""
    while leads.get(column):
        column = leads[column]
    return column


def _ledger(final: pd.DataFrame) -> Table:
    ordered = final.sort_values("kept", ascending=False, kind="stable")
    rows: list[Row] = [
        [str(one["column"]), _fate(one["step"]), str(one["reason"])] for one in records(ordered)
    ]
    headings: Sequence[Column] = (Column("Column", "text"), Column("Step", "text"), Column("Why", "text"))
    return table("Selection ledger of the final fit", headings, rows)


def _fate(step: str) -> Cell:
    return Cell(STEP_NAMES.get(step, words.spoken(step)), "good" if step == "kept" else "quiet")
