"""Audits labels that a search may choose, and the inner folds by which trials with them are judged.

Outer folds of such a search are cut from spans that hold every trial's labels, and what is learnt in
them is audited like any training. Inside, each trial has labels and folds of its own: a labeler whose
spans end too early, or folds that are not purged by them, would make the search choose what leaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onward.audit.decisions import check_decisions, decisions
from onward.audit.report import AuditReport, Ledger
from onward.audit.resolution import check_labels
from onward.audit.splits import check_splits
from onward.audit.world import Split, as_splits
from onward.errors import AuditError
from onward.protocols import Labeler, Progress
from onward.types import Market, ProgressEvent

__all__ = ["Question", "audit_questions"]


@dataclass(frozen=True, eq=False)
class Question:
    """Labels that a trial may ask about.

    Attributes
    ----------
    name
        What tells it from the others: ``labels.horizon_bars = 12``.
    labeler
        Unfitted.
    inner
        Training and test rows of every inner fold, positions into ``labeler.spans(market)``.
    """

    name: str
    labeler: Labeler
    inner: Sequence[Split]


def audit_questions(
    market: Market,
    questions: Sequence[Question],
    *,
    n_asked: int | None = None,
    subject: str = "labels of trials",
    progress: Progress | None = None,
) -> AuditReport:
    """Prove, or disprove, that labels which vary keep to their spans, and inner folds to the labels.

    Checks, each for every question: ``interval_overlap`` of its inner folds by its own spans;
    ``label_resolution`` (no label that had ended may change with what comes after it); and
    ``primary_signal`` and ``event_sampling``, where its labels have such (see `audit_training`).

    Parameters
    ----------
    market
        The true market.
    questions
        What trials may ask.
    n_asked
        How many were asked in all, where ``questions`` are some of them: the report says so.
    subject
        Name in the report.
    progress
        Told after each question.

    Raises
    ------
    AuditError
        There are no questions, or a fold has positions that its labels do not have.
    """
    if not questions:
        raise AuditError("There are no labels to audit", allowed="at least one question")
    ledger = Ledger()
    some = f"{len(questions)} of {n_asked} label settings" if n_asked and n_asked > len(questions) else ""
    with ledger.check("interval_overlap"):
        ledger.note = some
        for question in questions:
            spans = question.labeler.spans(market)
            check_splits(
                spans, f"{question.name}, inner split", as_splits(question.inner, len(spans)), ledger
            )
    with ledger.check("label_resolution"):
        ledger.note = some
        for number, question in enumerate(questions):
            check_labels(question.labeler, market, _rows(question, market), ledger, subject=question.name)
            if progress is not None:
                progress(ProgressEvent("audit", number + 1, len(questions), "labels"))
    said: set[tuple[str, str]] = set()
    for question in questions:
        found = {(check, name) for check, name, _ in decisions(question.labeler)}
        if not found <= said:
            check_decisions(question.labeler, market, ledger)
            said |= found
    return ledger.report(subject, market.content_hash)


def _rows(question: Question, market: Market) -> np.ndarray:
    """Return rows to fit the labeler on: those that an inner fold learns from."""
    if question.inner:
        return np.asarray(question.inner[-1][0], dtype=np.int64)
    return np.arange(len(question.labeler.spans(market)), dtype=np.int64)
