"""What scores on test rows lose without a column, and whether folds agree on what counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from onward.evaluation.diagnosis import MAIN_SCORE, Diagnosis, PermutationImportance
from onward.evaluation.importance_stability import ImportanceStability
from onward.evaluation.report import words
from onward.evaluation.report.tables import Cell, Column, Row, Table, records, table

__all__ = ["ImportanceView", "importance_view"]

N_SHOWN = 12
HEADINGS = ("Log-loss skill lost", "Between folds", "Up/down AUC lost", "Accuracy lost", "Fell in folds")


@dataclass(frozen=True)
class ImportanceView:
    """The part of a report on permutation importance and agreement.

    Attributes
    ----------
    summary
        What costs most, in a sentence; empty when nothing was measured.
    columns, others
        The most important columns, and the rest; None when there are none.
    clusters
        Columns that were displaced together; None when no column resembles another.
    stability
        How far folds agree; None when it cannot be told.
    """

    summary: str
    columns: Table | None
    others: Table | None
    clusters: Table | None
    stability: Table | None


def importance_view(diagnosis: Diagnosis | None) -> ImportanceView | None:
    """Return the section; None when there is nothing to show."""
    if diagnosis is None:
        return None
    found = diagnosis.importance
    stability = _stability(diagnosis)
    if found is None:
        return None if stability is None else ImportanceView("", None, None, None, stability)
    columns, others = _table("What scores on test rows lose without a column", found.summary).split(N_SHOWN)
    return ImportanceView(_summary(found.summary), columns, others, _clusters(found), stability)


def _summary(summary: pd.DataFrame) -> str:
    main = summary[summary["score"] == MAIN_SCORE]
    if main.empty or not (main["decrease"] > 0).any():
        return (
            "No column is missed on rows that the models had not seen: moved elsewhere in time, none of them "
            "costs any log-loss skill."
        )
    best = records(main)[0]
    folds = f"in {round(best['positive'] * best['folds'])} of {best['folds']} folds"
    return (
        f"{best['subject']} is missed most: moved elsewhere in time, it costs "
        f"{words.number(best['decrease'], 4)} of log-loss skill on rows that the models had not seen, and "
        f"the skill falls {folds}."
    )


def _clusters(found: PermutationImportance) -> Table | None:
    if found.cluster_folds.empty:
        return None
    names = {name: f"{name} and {len(members) - 1} more" for name, members in found.clusters.items()}
    together = {names[name]: ", ".join(members[1:]) for name, members in found.clusters.items()}
    summary = found.cluster_summary.assign(subject=found.cluster_summary["subject"].map(names))
    plain = _table("What scores lose without columns that resemble each other", summary)
    headings = (*plain.columns, Column("Together with", "text"))
    rows = tuple((*map(_barless, row), Cell(together[row[0].text], "quiet")) for row in plain.rows)
    return Table(plain.caption, headings, rows)


def _barless(cell: Cell) -> Cell:
    """Return the cell without its bar, which would hang below the first of several lines."""
    return replace(cell, bar=None)


def _table(caption: str, summary: pd.DataFrame) -> Table:
    main = summary[summary["score"] == MAIN_SCORE]
    others = {
        score: dict(zip(part["subject"], part["decrease"], strict=True))
        for score, part in summary.groupby("score", sort=False)
    }
    largest = max(float(main["decrease"].max(skipna=True)), 1e-12)
    rows: list[Row] = [
        [
            str(one["subject"]),
            Cell(
                words.signed(one["decrease"], 4),
                bar=round(float(np.clip(np.nan_to_num(one["decrease"]) / largest, 0.0, 1.0)), 4),
            ),
            f"± {words.number(one['standard_error'], 4)}" if one["folds"] > 1 else "",
            *(words.signed(others[name][one["subject"]], 4) for name in ("direction_auc", "accuracy")),
            Cell(
                f"{round(one['positive'] * one['folds'])} of {one['folds']}",
                "good" if one["positive"] == 1.0 else "quiet",
            ),
        ]
        for one in records(main)
    ]
    return table(caption, ("Column", *HEADINGS), rows)


def _stability(diagnosis: Diagnosis) -> Table | None:
    of_test = None if diagnosis.importance is None else diagnosis.importance.stability
    sides = [
        (name, found)
        for name, found in (("By gain", diagnosis.stability), ("On test rows", of_test))
        if found is not None
    ]
    if not sides:
        return None
    top = sides[0][1].top
    figures: tuple[tuple[str, str, str], ...] = (
        ("spearman", "Rank correlation of two folds, mean", "0"),
        ("kendall_w", "Concordance of all folds (Kendall's W)", f"1 / folds = {1 / sides[0][1].n_folds:.2f}"),
        ("jaccard", f"Shared of the {top} most important columns", "grows with the sets"),
        ("kuncheva", "The same, above chance (Kuncheva)", "0"),
        ("selection", "Agreement on which columns count at all", "0"),
    )
    rows: list[Row] = [
        [name, *(_figure(found, key) for _, found in sides), by_chance] for key, name, by_chance in figures
    ]
    headings = ("Do folds agree on what counts?", *(name for name, _ in sides), "By chance")
    return table("Agreement of the folds, 1 = all say the same", headings, rows, narrow=True)


def _figure(found: ImportanceStability, key: str) -> str:
    return words.number(float(getattr(found, key)), 2)
