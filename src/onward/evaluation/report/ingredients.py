"""What the model was made from: features, what was dropped, what was not known, the labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pandas as pd

from onward.evaluation.oof import CLASS_NAMES
from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.selection import SelectionView, selection_view
from onward.evaluation.report.tables import Cell, Column, Row, Table, records, table

__all__ = ["FeaturesView", "LabelRow", "features_view", "label_rows"]

N_IMPORTANT = 15


@dataclass(frozen=True)
class FeaturesView:
    """Features of a run.

    Attributes
    ----------
    n_columns, n_kept
        Columns offered, and those that the final fit kept.
    importance, importance_rest
        The most important features, and the others (None when there are none).
    selection
        What was kept or dropped in which fit, and why; None when nothing was selected.
    unknown
        Columns that are not known in some rows; None when all always are.
    n_known
        Columns that are always known.
    disabled
        Families that are off and why; None when all are on.
    """

    n_columns: str
    n_kept: str
    importance: Table | None
    importance_rest: Table | None
    selection: SelectionView | None
    unknown: Table | None
    n_known: str
    disabled: Table | None


@dataclass(frozen=True)
class LabelRow:
    """Class frequencies of one fold's test rows.

    Attributes
    ----------
    name
        Which fold.
    n
        Its rows.
    shares
        Class, its share as text, and the same from 0 to 100 for the bar.
    """

    name: str
    n: str
    shares: tuple[tuple[str, str, float], ...]


def features_view(content: ReportContent) -> FeaturesView:
    """Return the features section of a report."""
    importance = _importance(content)
    head, rest = (None, None) if importance is None else importance.split(N_IMPORTANT)
    ledger = content.nan_ledger
    partly = ledger[ledger["count"] > 0].sort_values("count", ascending=False, kind="stable")
    return FeaturesView(
        n_columns=words.count(len(ledger)),
        n_kept=words.count(int(content.importance["final"].notna().sum())),
        importance=head,
        importance_rest=rest,
        selection=selection_view(content.selection),
        unknown=_unknown(partly),
        n_known=words.count(len(ledger) - len(partly)),
        disabled=_disabled(content.disabled),
    )


def label_rows(content: ReportContent) -> tuple[LabelRow, ...]:
    """Return the class frequencies of every fold (or group of rows), those of all together last."""
    counts = content.labels.reindex(columns=list(CLASS_NAMES)).fillna(0)
    rows = [_label_row(_part_name(content.part, part), row) for part, row in counts.iterrows()]
    return (*rows, _label_row(f"All {content.part.lower()}s", counts.sum(axis=0)))


def _label_row(name: str, counts: pd.Series) -> LabelRow:
    total = float(counts.sum())
    shares = tuple(
        (one, words.percent(float(counts[one]) / total, 0), round(100 * float(counts[one]) / total, 2))
        for one in CLASS_NAMES
        if total > 0
    )
    return LabelRow(name, words.count(total), shares)


def _part_name(part: str, number: Hashable) -> str:
    return f"{part} {number + 1}" if isinstance(number, int) else str(number)


def _importance(content: ReportContent) -> Table | None:
    frame = content.importance
    if frame.empty:
        return None
    n_folds = content.n_folds
    largest = max(float(frame["importance"].max(skipna=True)), 1e-12)
    rows: list[Row] = [
        [
            str(one["feature"]),
            Cell(
                words.percent(one["importance"]),
                bar=None if pd.isna(one["importance"]) else round(one["importance"] / largest, 4),
            ),
            f"± {words.percent(one['deviation'])}" if one["folds"] > 1 else "",
            Cell(f"{one['folds']} of {n_folds}", "good" if one["folds"] == n_folds else "quiet"),
            "dropped" if pd.isna(one["final"]) else words.percent(one["final"]),
        ]
        for one in records(frame)
    ]
    return table(
        "Features by what they gave over all folds",
        ("Feature", "Mean share of gain", "Between folds", "Kept in folds", "Final fit"),
        rows,
    )


def _unknown(ledger: pd.DataFrame) -> Table | None:
    if ledger.empty:
        return None
    rows = [
        [
            str(one["column"]),
            words.count(one["count"]),
            words.percent(one["share"], 2),
            words.moment(one["first_valid"]),
        ]
        for one in records(ledger)
    ]
    return table(
        "Columns that are not known in some rows",
        ("Column", "Rows not known", "Share", Column("First known at (UTC)", "short")),
        rows,
    )


def _disabled(disabled: Mapping[str, str]) -> Table | None:
    if not disabled:
        return None
    columns = ("Family", Column("Why it is off", "text"))
    return table(
        "Feature families that are off", columns, [[words.spoken(n), why] for n, why in disabled.items()]
    )
