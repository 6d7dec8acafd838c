"""Audits a trainer end to end: other outcomes for a test fold, another future for a whole market."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from onward.audit.perturbation import perturb_future, redraw_between
from onward.audit.pipeline import moved_rows
from onward.audit.report import AuditReport, Ledger
from onward.audit.splits import check_overlap, row_name
from onward.audit.world import PipelineRun, Split, as_run, as_splits
from onward.errors import AuditError
from onward.protocols import Labeler, Progress
from onward.types import BoolArray, Finding, FloatArray, Fold, IntArray, Labels, Market, ProgressEvent, Spans

__all__ = ["REDRAW_STYLES", "RedrawnLabeler", "audit_training"]

REDRAW_STYLES = ("mirror", "rise", "fall", "scramble")
"""Paths on which the outcomes of a test fold are redrawn."""


@dataclass(frozen=True, eq=False)
class RedrawnLabeler:
    """A labeler that gives other outcomes to chosen rows, and the inner one's to all others.

    The price path between the first decision and the last outcome of the chosen rows is redrawn,
    in a copy that only labels see: features still come from the true market. The chosen rows take
    label and weight from that copy, so classes, thresholds and barriers fit the redrawn returns.
    All other rows keep their own labels, also those that reach into the redrawn stretch or whose
    trailing threshold does. Fitting sees the redrawn returns exactly when it is given a chosen
    row: a threshold fitted on training rows alone does not move, one fitted on all rows does.

    Parameters
    ----------
    inner
        The labeler under audit.
    market
        The market under audit.
    rows
        Positions into ``inner.spans(market)`` that are redrawn.
    seed
        Seed of the redrawn path.
    style
        One of `REDRAW_STYLES`.
    """

    inner: Labeler
    market: Market
    rows: IntArray
    seed: int = 0
    style: str = "mirror"
    _redrawn: pd.DataFrame | None = field(default=None, repr=False)
    _chosen: pd.Index | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self._redrawn is not None:
            return
        if self.style not in REDRAW_STYLES:
            raise AuditError("Unknown redraw", got=self.style, allowed=", ".join(REDRAW_STYLES))
        spans = self.inner.spans(self.market)
        if len(self.rows) == 0 or self.rows.min() < 0 or self.rows.max() >= len(spans):
            raise AuditError(
                "Rows to redraw are not rows of the spans",
                got=f"{len(self.rows)} positions",
                allowed=f"positions 0 to {len(spans) - 1}",
            )
        start, end = int(spans.start[self.rows].min()), int(spans.end[self.rows].max())
        other = redraw_between(self.market, start, end, self.style, seed=self.seed)
        object.__setattr__(self, "_redrawn", other.bars)
        object.__setattr__(self, "_chosen", spans.index[self.rows])

    @property
    def kind(self) -> Literal["classes", "target"]:
        """Kind of the inner labels."""
        return self.inner.kind

    def spans(self, market: Market) -> Spans:
        """Return the spans of the inner labeler on the true market."""
        return self.inner.spans(market)

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Fit the inner labeler; on redrawn returns when a chosen row is among ``rows``."""
        positions = np.asarray(rows)
        sees = bool(self._is_chosen(self.inner.spans(market))[positions].any())
        fitted = self.inner.fit(self._other(market) if sees else market, rows)
        return replace(self, inner=fitted)

    def label(self, market: Market) -> Labels:
        """Return the inner labels, with those of the chosen rows redrawn."""
        labels = self.inner.label(market)
        redrawn = self.inner.label(self._other(market))
        chosen = np.flatnonzero(self._is_chosen(labels.spans))
        source = redrawn.spans.index.get_indexer(labels.spans.index[chosen])
        chosen, source = chosen[source >= 0], source[source >= 0]
        y, weight = labels.y.copy(), labels.weight.copy()
        y[chosen], weight[chosen] = redrawn.y[source], redrawn.weight[source]
        return Labels(y, labels.spans, weight, labels.kind)

    def __getattr__(self, name: str) -> Any:
        """Pass on whatever else a trainer may ask of its labeler."""
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def _is_chosen(self, spans: Spans) -> BoolArray:
        assert self._chosen is not None
        chosen: BoolArray = spans.index.isin(self._chosen)
        return chosen

    def _other(self, market: Market) -> Market:
        assert self._redrawn is not None
        if market.bars.index.equals(self._redrawn.index):
            return market.replace(bars=self._redrawn)
        bars = market.bars.copy()
        common = bars.index.intersection(self._redrawn.index)
        bars.loc[common] = self._redrawn.loc[common, bars.columns]
        return market.replace(bars=bars)


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
    its predictions must be bit-identical); ``perturbation`` (everything after the middle of the
    newest test block is changed: prices, volumes, side values, labels; predictions made before
    must be bit-identical, which tests features, labels, selection and training in one go).

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
        ``scramble``, ``mirror``.
    seed
        Seed of the redraws.
    subject
        Name in the report.
    progress
        Told after each training.

    Raises
    ------
    AuditError
        There are no folds, or predictions are not one row a span.
    """
    spans = labeler.spans(market)
    splits = as_splits(folds, len(spans))
    if not splits:
        raise AuditError("There are no folds to audit", allowed="at least one fold")
    ledger = Ledger()
    train = _Trainings(fit_predict, len(spans), 1 + draws + len(futures) + (base is None), progress)
    run = _run_of(base, len(spans)) if base is not None else train(market, labeler, range(len(splits)))
    trial = _Trial(train, market, labeler, spans, splits, run, ledger)
    with ledger.check("interval_overlap"):
        check_overlap(spans, run.used or splits, [*as_splits(inner, len(spans)), *run.inner], ledger)
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

    @property
    def newest(self) -> int:
        """Number of the fold whose test rows reach furthest."""
        return max(
            range(len(self.splits)), key=lambda f: int(self.spans.start[self.splits[f][1]].max(initial=0))
        )

    def repeat(self) -> bool:
        fold = self.newest
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
        fold = self.newest
        learnt, test = self.splits[fold]
        moment = int(np.quantile(self.spans.start[test], 0.5, method="lower"))
        if len(learnt) and int(self.spans.end[learnt].max()) > moment:
            self.ledger.note = "the newest test block is not the end of the data"
            return
        for number, style in enumerate(futures):
            other = perturb_future(self.market, moment, style, seed=number)
            if not self.labeler.spans(other).index.equals(self.spans.index):
                self.ledger.note = f"another future ({style}) changes which rows have labels"
                continue
            seen = self.train(other, self.labeler, [fold])
            made = test[self.spans.start[test] <= moment]
            told = "{} predictions moved when everything after them was changed (" + style + ")"
            if self._moved("perturbation", fold, made, seen, told):
                return

    def _moved(self, check: str, fold: int, rows: IntArray, seen: PipelineRun, told: str) -> bool:
        self.ledger.runs += 1
        moved = moved_rows(self.run.predictions, seen.predictions, rows)
        if len(moved) == 0:
            return False
        row = int(moved[0])
        before, after = _shown(self.run.predictions[row]), _shown(seen.predictions[row])
        detail = f"{told.format(len(moved))}; first {before}, then {after}"
        self.ledger.add(Finding(check, "leak", f"fold {fold}", row_name(self.spans, row), detail))
        return True


class _Trainings:
    """Calls the trainer, on the folds that are looked at where it lets us choose."""

    def __init__(
        self, fit_predict: Callable[..., Any], n_rows: int, about: int, progress: Progress | None
    ) -> None:
        self._fit_predict, self._n_rows, self._about, self._progress = fit_predict, n_rows, about, progress
        self._chooses = "only" in inspect.signature(fit_predict).parameters
        self._done = 0

    def __call__(self, market: Market, labeler: Any, only: Sequence[int]) -> PipelineRun:
        chosen = {"only": tuple(only)} if self._chooses else {}
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
