"""The members of an ensemble beside what combines them, on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

from onward.evaluation.learning import LearningRecord
from onward.evaluation.report import words
from onward.evaluation.report.tables import Cell, Row, Table, table

__all__ = ["EnsembleView", "ensemble_view"]

WHOLE = {"stacking": "Meta-model over all", "voting": "Vote of all", "bagging": "Bag of all"}


@dataclass(frozen=True)
class EnsembleView:
    """The ensemble section of a report.

    Attributes
    ----------
    summary
        What it is made of, on which rows it was scored, and whether combining paid.
    members
        One row a member, the ensemble last.
    calibration
        How probabilities were calibrated; empty when they were not.
    """

    summary: tuple[str, ...]
    members: Table | None
    calibration: str


def ensemble_view(record: LearningRecord | None) -> EnsembleView | None:
    """Return the section; None when there is neither an ensemble nor a calibration."""
    if record is None or not (record.members or record.calibration):
        return None
    found = record.calibration
    calibration = (
        ""
        if found is None
        else (
            f"Probabilities are calibrated ({found.method}) on {words.count(found.n_rows)} out-of-fold "
            f"predictions, about {words.count(found.effective_n)} independent outcomes."
        )
    )
    if not record.members:
        return EnsembleView((), None, calibration)
    return EnsembleView(_summary(record), _members(record), calibration)


def _summary(record: LearningRecord) -> tuple[str, ...]:
    made = f"The final fit combines {', '.join(m.name for m in record.members)} by {record.method}."
    if not record.n_scored:
        return (made, "Its members were not scored inside the training rows.")
    covered = {
        "inner folds": "the training rows that inner purged folds cover",
        "out of bag": "the training rows outside a bag and what its labels touch",
    }[record.scored_on]
    scored = (
        f"Scored on {words.count(record.n_scored)} of {words.count(record.n_rows)} training rows: {covered}. "
        "What combines the members was fitted without the rows that it is scored on."
    )
    advantage, best = record.advantage, record.best_member
    if advantage is None or best is None:
        return (made, scored)
    paid = (
        f"Combining adds {words.number(advantage, 4)} of log-loss skill to the best member, {best.name}."
        if advantage > 0
        else f"Combining adds nothing: {best.name} alone has {words.number(-advantage, 4)} more "
        "log-loss skill."
    )
    return (made, scored, paid)


def _members(record: LearningRecord) -> Table:
    combined = None if record.combined is None else record.combined.log_loss_skill
    rows: list[Row] = []
    for member in (*record.members, None):
        metrics = record.combined if member is None else member.metrics
        name = WHOLE.get(record.method, "All together") if member is None else member.name
        share = words.percent(1.0 if member is None else member.share, 0)
        if metrics is None:
            rows.append([Cell(name, "strong" if member is None else ""), share, "", "", "", ""])
            continue
        rows.append(
            [
                Cell(name, "strong" if member is None else ""),
                share,
                words.number(metrics.direction_auc, 3),
                words.number(metrics.range_auc, 3),
                words.signed(metrics.log_loss_skill, 4),
                ""
                if member is None or combined is None
                else words.signed(metrics.log_loss_skill - combined, 4),
            ]
        )
    headings = ("Member", "Share", "AUC, direction", "AUC, range", "Log-loss skill", "Beside the whole")
    return table("Base models beside what combines them, on the same rows", headings, rows)
