"""Audits the labels that a search chose from, each by its own spans and on its own inner folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from onward.audit import AuditReport, Question, audit_questions
from onward.protocols import Progress
from onward.training.optimization import OptimizationCoordinator, SearchedTraining
from onward.training.outcomes import Training
from onward.types import Market

__all__ = ["audit_searched_labels", "labels_asked"]

MOST_LABELS = 24
"""Label settings that are audited: a search over a continuous border asks for another in each trial."""


def audit_searched_labels(
    coordinator: OptimizationCoordinator,
    market: Market,
    training: Training | None,
    progress: Progress | None = None,
) -> tuple[AuditReport, ...]:
    """Audit the labels of every trial that counted, or without a training those that trials may draw.

    Of more than `MOST_LABELS` settings those are audited that were chosen, and others evenly spread; the
    report says how many of how many.

    Returns
    -------
    tuple
        One report; none where labels do not vary.
    """
    if not coordinator.space.searches_labels:
        return ()
    asked = labels_asked(coordinator, training)
    some = _some(asked)
    questions = [
        Question(name, labeler, [(fold.train, fold.test) for fold in inner])
        for name, (labeler, inner) in zip(
            some, coordinator.judged_by(market, list(some.values())), strict=True
        )
        if inner
    ]
    report = audit_questions(
        market, questions, n_asked=len(asked), subject="labels of trials", progress=progress
    )
    return (report,)


def labels_asked(
    coordinator: OptimizationCoordinator, training: Training | None
) -> Mapping[str, Mapping[str, Any]]:
    """Return the values of a trial for each setting of the labels, by that setting, the chosen first."""
    found: dict[str, Mapping[str, Any]] = {}
    for values in _values(coordinator, training):
        labels = {path: value for path, value in values.items() if path.startswith("labels.")}
        name = ", ".join(f"{path} = {labels[path]}" for path in sorted(labels))
        found.setdefault(name or "labels of the plan", values)
    return found


def _values(coordinator: OptimizationCoordinator, training: Training | None) -> Iterator[Mapping[str, Any]]:
    search = training.search if isinstance(training, SearchedTraining) else None
    if search is None:
        yield from coordinator.space.label_choices()
        return
    studies = (*search.folds, search.final)
    yield from (study.chosen.parameters for study in studies)
    yield from (trial.parameters for study in studies for trial in study.trials if trial.state != "refused")


def _some(asked: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    names = list(asked)
    if len(names) <= MOST_LABELS:
        return dict(asked)
    first = MOST_LABELS // 2
    rest = np.linspace(first, len(names) - 1, MOST_LABELS - first).astype(int)
    return {names[place]: asked[names[place]] for place in (*range(first), *rest.tolist())}
