"""Audits a trainer end to end: other outcomes for a test fold, another future for a whole market."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from onward.audit.decisions import check_decisions
from onward.audit.frozen import FrozenLabeler
from onward.audit.perturbation import perturb_future
from onward.audit.pipeline import moved_rows
from onward.audit.redrawn import REDRAW_STYLES, RedrawnLabeler
from onward.audit.report import AuditReport, Ledger
from onward.audit.resolution import FUTURES, check_labels
from onward.audit.splits import check_overlap, row_name
from onward.audit.world import PipelineRun, Split, as_run, as_splits
from onward.errors import AuditError
from onward.protocols import Labeler, Progress
from onward.types import Finding, FloatArray, Fold, IntArray, Market, ProgressEvent, Spans

__all__ = ["audit_training"]


def audit_training(
    fit_predict: Callable[..., Any],
    market: Market,
    labeler: Labeler,
    folds: Sequence[Fold | Split],
    *,
    base: Any = None,
    inner: Sequence[Split] = (),
    draws: int = 4,
    futures: Sequence[str] = ("rise", "scramble"),
    seed: int = 0,
    subject: str = "training",
    progress: Progress | None = None,
) -> AuditReport:
    """Prove, or disprove, that a trainer's out-of-fold predictions never saw their own outcome.

    Checks: ``determinism``; ``interval_overlap`` of outer and inner splits;
    ``test_label_perturbation`` (outcomes of a test fold are redrawn through `RedrawnLabeler`;
    its predictions must be bit-identical); ``perturbation`` (everything after the middle of a test
    block is changed: prices, volumes, side values, labels; predictions made before must be
    bit-identical, which tests features, labels, selection and training in one go; the rows of
    the folds stay those of the true market, whatever the other future would label);
    ``label_resolution`` (no label that had ended may change with what comes after it);
    ``primary_signal`` and ``event_sampling``, where the labels have such: what they say of a bar
    must follow from what was known then, as in `audit_stage`, for it is traded.
    Where no other future can be tried, because every test block has training rows after it, a
    warning says so.

    Parameters
    ----------
    fit_predict
        ``fit_predict(market, labeler)``: trains every fold and returns the out-of-fold
        predictions of the rows of ``labeler.spans(market)``, NaN where none: an array, a
        DataFrame, a `PipelineRun`, or anything with ``predictions``. If it has a parameter
        ``only``, it is given the fold numbers that are looked at, and need not train others.
        Deterministic, and on one and the same folds each time.
    market, labeler, folds
        What is trained on; ``folds`` are positions into the spans.
    base
        Result of an earlier ``fit_predict(market, labeler)``, to save one training.
    inner
        Splits that were used inside training sets, positions into the spans; those that a
        `PipelineRun` names are added.
    draws
        Redraws of test labels, spread over the folds.
    futures
        Styles of other futures (see `onward.audit.perturbation`): ``rise``, ``fall``,
        ``scramble``, ``mirror``. The first is tried on the newest test block, the next ones on
        earlier blocks as well, as far as nothing after them was trained on.
    seed
        Seed of the redraws.
    subject
        Name in the report.
    progress
        Told after each training.

    Raises
    ------
    AuditError
        There are no folds, a style of future is unknown, predictions are not one row a span, or
        folds test some rows more than once and ``fit_predict`` cannot be asked for one of them.
    """
    spans = labeler.spans(market)
    splits = as_splits(folds, len(spans))
    if not splits:
        raise AuditError("There are no folds to audit", allowed="at least one fold")
    unknown = [style for style in futures if style not in FUTURES]
    if unknown:
        raise AuditError("Unknown style of future", got=unknown[0], allowed=", ".join(FUTURES))
    ledger = Ledger()
    train = _Trainings(fit_predict, len(spans), 1 + draws + len(futures) + (base is None), progress)
    run = _run_of(base, len(spans)) if base is not None else train(market, labeler, range(len(splits)))
    trial = _Trial(train, market, labeler, spans, splits, run, ledger)
    trial.require_one_prediction()
    with ledger.check("interval_overlap"):
        check_overlap(spans, run.used or splits, [*as_splits(inner, len(spans)), *run.inner], ledger)
    with ledger.check("label_resolution"):
        check_labels(labeler, market, splits[-1][0], ledger)
    check_decisions(labeler, market, ledger)
    with ledger.check("determinism"):
        steady = trial.repeat()
    if steady:
        with ledger.check("test_label_perturbation"):
            trial.redraw_test_labels(draws, seed)
        with ledger.check("perturbation"):
            trial.change_the_future(futures)
    else:
        for name in ("test_label_perturbation", "perturbation"):
            ledger.skip(name, "the trainer gives other predictions on every run")
    return ledger.report(subject, market.content_hash)


@dataclass(frozen=True, eq=False)
class _Trial:
    train: _Trainings
    market: Market
    labeler: Labeler
    spans: Spans
    splits: Sequence[Split]
    run: PipelineRun
    ledger: Ledger

    @cached_property
    def shared(self) -> bool:
        """Whether some rows are tested by several folds, so that one table cannot hold all predictions."""
        return bool(np.bincount(np.concatenate([test for _, test in self.splits])).max(initial=0) > 1)

    @cached_property
    def _alone(self) -> dict[int, PipelineRun]:
        return {}

    def require_one_prediction(self) -> None:
        if self.shared and not self.train.chooses:
            raise AuditError(
                "Folds test the same rows, and all predictions come in one table",
                got="fit_predict without a parameter 'only'",
                allowed="fit_predict(market, labeler, only) that trains the folds of these numbers",
                remedy="Add the parameter, so that each fold can be judged by its own predictions.",
            )

    def made(self, fold: int) -> PipelineRun:
        """Return what the true market makes a fold predict."""
        if not self.shared:
            return self.run
        if fold not in self._alone:
            self._alone[fold] = self.train(self.market, self.labeler, [fold])
        return self._alone[fold]

    @cached_property
    def newest_first(self) -> list[int]:
        """Numbers of the folds, the one whose test rows reach furthest first."""
        start = self.spans.start
        return sorted(
            range(len(self.splits)), key=lambda f: int(start[self.splits[f][1]].max(initial=0)), reverse=True
        )

    def repeat(self) -> bool:
        fold = self.newest_first[0]
        told = "{} predictions differ between two trainings on the same data; fix every seed"
        seen = self.train(self.market, self.labeler, [fold])
        return not self._moved("determinism", fold, self.splits[fold][1], seen, told)

    def redraw_test_labels(self, draws: int, seed: int) -> None:
        made = np.isfinite(self.run.predictions)
        scored = [f for f, (_, test) in enumerate(self.splits) if made[test].any()]
        for number in range(draws if scored else 0):
            fold = scored[-1 - number % len(scored)]
            test = self.splits[fold][1]
            style = REDRAW_STYLES[number % len(REDRAW_STYLES)]
            redrawn = RedrawnLabeler(self.labeler, self.market, test, seed=seed + number, style=style)
            seen = self.train(self.market, redrawn, [fold])
            told = "{} of its predictions moved when its own outcomes were redrawn (" + style + ")"
            if self._moved("test_label_perturbation", fold, test, seen, told):
                return

    def change_the_future(self, futures: Sequence[str]) -> None:
        able = [(fold, made) for fold in self.newest_first if len(made := self._after_learning(fold))]
        if futures and not able:
            detail = (
                "no other future could be tried: every test block has training rows whose labels end after it"
            )
            self.ledger.add(Finding("perturbation", "warning", "folds", "", detail))
            return
        for number, style in enumerate(futures):
            fold, late = able[number % len(able)]
            moment = int(np.quantile(self.spans.start[late], 0.5, method="lower"))
            other = perturb_future(self.market, moment, style, seed=number)
            seen = self.train(other, FrozenLabeler(self.labeler, self.market, moment), [fold])
            made = late[self.spans.start[late] <= moment]
            told = "{} predictions moved when everything after them was changed (" + style + ")"
            if self._moved("perturbation", fold, made, seen, told):
                return

    def _after_learning(self, fold: int) -> IntArray:
        """Return the test rows of a fold, predicted ones, that decide after all it learnt from has ended."""
        learnt, test = self.splits[fold]
        last = int(self.spans.end[learnt].max(initial=-1))
        return test[self.spans.start[test] > last]

    def _moved(self, check: str, fold: int, rows: IntArray, seen: PipelineRun, told: str) -> bool:
        self.ledger.runs += 1
        made = self.made(fold).predictions
        moved = moved_rows(made, seen.predictions, rows)
        if len(moved) == 0:
            return False
        row = int(moved[0])
        before, after = _shown(made[row]), _shown(seen.predictions[row])
        detail = f"{told.format(len(moved))}; first {before}, then {after}"
        self.ledger.add(Finding(check, "leak", f"fold {fold}", row_name(self.spans, row), detail))
        return True


class _Trainings:
    """Calls the trainer, on the folds that are looked at where it lets us choose."""

    def __init__(
        self, fit_predict: Callable[..., Any], n_rows: int, about: int, progress: Progress | None
    ) -> None:
        self._fit_predict, self._n_rows, self._about, self._progress = fit_predict, n_rows, about, progress
        self.chooses = "only" in inspect.signature(fit_predict).parameters
        self._done = 0

    def __call__(self, market: Market, labeler: Any, only: Sequence[int]) -> PipelineRun:
        chosen = {"only": tuple(only)} if self.chooses else {}
        run = _run_of(self._fit_predict(market, labeler, **chosen), self._n_rows)
        self._done += 1
        if self._progress is not None:
            self._progress(ProgressEvent("audit", self._done, max(self._about, self._done), "training"))
        return run


def _run_of(result: Any, n_rows: int) -> PipelineRun:
    if isinstance(result, PipelineRun):
        return as_run(result, n_rows)
    return as_run(np.asarray(getattr(result, "predictions", result), dtype=np.float64), n_rows)


def _shown(prediction: FloatArray) -> str:
    return " ".join(f"{value:.9g}" for value in np.atleast_1d(prediction))
