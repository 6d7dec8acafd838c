"""Whether the rows that a model was asked about look like those that it learnt from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.evaluation.diagnosis import Diagnosis
from onward.evaluation.drift_summary import DRIFTED_AT
from onward.evaluation.report import words
from onward.evaluation.report.tables import Cell, Column, Row, Table, records, table

__all__ = ["DriftView", "drift_view"]

N_SHOWN = 10


@dataclass(frozen=True)
class DriftView:
    """The drift section of a report.

    Attributes
    ----------
    summary
        Both findings in sentences.
    columns, others
        The most drifted columns, and the rest; None when drift was not measured.
    folds
        The stability index of each column, fold by fold; None likewise.
    adversarial
        How well test rows can be told from training rows; None when it was not tried.
    """

    summary: tuple[str, ...]
    columns: Table | None
    others: Table | None
    folds: Table | None
    adversarial: Table | None


def drift_view(diagnosis: Diagnosis | None) -> DriftView | None:
    """Return the section; None when there is nothing to show."""
    if diagnosis is None or (diagnosis.drift.empty and diagnosis.adversarial.empty):
        return None
    sentences: list[str] = []
    columns = others = folds = adversarial = None
    if not diagnosis.drift.empty:
        summary = diagnosis.drift_summary
        sentences.append(_drifted(summary))
        columns, others = _columns(summary).split(N_SHOWN)
        folds = _by_fold(diagnosis.drift, list(summary["column"]))
    if not diagnosis.adversarial.empty:
        sentences.append(_told_apart(diagnosis.adversarial))
        adversarial = _adversarial(diagnosis.adversarial)
    return DriftView(tuple(sentences), columns, others, folds, adversarial)


def _drifted(summary: pd.DataFrame) -> str:
    n, moved = len(summary), int((summary["drifted"] > 0).sum())
    columns = f"{words.count(n)} column{'' if n == 1 else 's'}"
    if moved == 0:
        return f"Of {columns}, none drifted beyond what its own rhythm explains."
    return f"Of {columns}, {words.count(moved)} drifted beyond what their own rhythm explains, in some fold."


def _told_apart(told: pd.DataFrame) -> str:
    auc, placebo = float(told["auc"].mean()), float(told["placebo_mean"].mean())
    beside = (
        "; windows of the training rows themselves with " + words.number(placebo, 2)
        if math.isfinite(placebo)
        else ""
    )
    return (
        f"A model tells test rows from training rows with an AUC of {words.number(auc, 2)} in the mean of "
        f"the folds{beside} (0.5 = not at all)."
    )


def _columns(summary: pd.DataFrame) -> Table:
    rows: list[Row] = [
        [
            str(one["column"]),
            Cell(
                f"{one['drifted']} of {one['folds']}",
                "bad" if one["drifted"] == one["folds"] else "fair" if one["drifted"] else "quiet",
            ),
            words.probability(one["ks_q"]),
            words.number(one["ks"], 2),
            words.number(one["psi"], 2),
            words.number(one["psi_expected"], 2),
            words.signed(one["median_shift"], 2),
        ]
        for one in records(summary)
    ]
    headings = (
        "Column",
        "Drifted in folds",
        "Smallest q",
        "Distance (KS)",
        "Stability index (PSI)",
        "PSI without drift",
        "Largest median shift",
    )
    return table("Test rows beside training rows, column by column", headings, rows)


def _by_fold(drift: pd.DataFrame, order: list[str]) -> Table:
    wide = drift.pivot_table(index="column", columns="fold", values="psi", dropna=False).reindex(order)
    q = drift.pivot_table(index="column", columns="fold", values="ks_q", dropna=False).reindex(order)
    most = max(float(np.nanmax(wide.to_numpy(), initial=0.0)), 1e-12)
    rows: list[Row] = [
        [
            column,
            *(
                Cell("")
                if pd.isna(psi)
                else Cell(
                    words.number(psi, 2), "bad" if known < DRIFTED_AT else "", tint=round(psi / most, 4)
                )
                for psi, known in zip(wide.loc[column], q.loc[column], strict=True)
            ),
        ]
        for column in order
    ]
    names = (f"Fold {int(fold) + 1}" for fold in wide.columns)
    return table("Stability index of each column, fold by fold", ("Column", *names), rows)


def _tinted(psi: float, *, drifted: bool, share: float) -> Cell:
    return Cell(words.number(psi, 2), "bad" if drifted else "", tint=round(share, 4))


def _adversarial(told: pd.DataFrame) -> Table:
    rows: list[Row] = [
        [
            f"Fold {one['fold'] + 1}",
            Cell(words.number(one["auc"], 2), "strong"),
            f"± {words.number(one['standard_error'], 2)}",
            words.number(one["placebo_mean"], 2) if one["n_placebos"] else "no room",
            words.signed(one["excess"], 2),
            ", ".join(one["top"][:3]) or "nothing",
        ]
        for one in records(told)
    ]
    headings = (
        "Fold",
        "AUC",
        "Between stretches",
        "Placebo",
        "Excess",
        Column("What gives them away", "text"),
    )
    return table("Can test rows be told from training rows?", headings, rows)
