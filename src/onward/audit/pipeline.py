"""Audits a whole learning pipeline through a callable; imports no trainer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from onward.audit.noise import check_noise
from onward.audit.redraw import REDRAWS, redraw_features, redraw_labels
from onward.audit.report import AuditReport, Ledger
from onward.audit.splits import check_duplicates, check_overlap, row_name
from onward.audit.world import Pipeline, PipelineRun, PipelineWorld, Split, as_run
from onward.errors import AuditError, nearest
from onward.protocols import Progress
from onward.types import Finding, FloatArray, IntArray, ProgressEvent

__all__ = ["CHECKS", "audit_pipeline", "moved_rows"]

CHECKS = (
    "determinism",
    "interval_overlap",
    "duplicates",
    "test_label_perturbation",
    "unresolved_labels",
    "other_test_rows",
    "noise",
)
"""Names of the checks, in the order in which they run."""


def audit_pipeline(
    pipeline: Pipeline,
    world: PipelineWorld,
    *,
    draws: int = 4,
    checks: Collection[str] | None = None,
    noise_worlds: Iterable[PipelineWorld] = (),
    seed: int = 0,
    subject: str = "pipeline",
    progress: Progress | None = None,
) -> AuditReport:
    """Prove, or disprove, that no prediction of a pipeline has seen its own future.

    Checks, each by mechanism:

    ``determinism``
        The same world gives the same predictions; nothing else could be judged.
    ``interval_overlap``
        No training label of an outer or inner split shares an instant with a test label of it.
    ``duplicates``
        No row, and no copy of a row, is on both sides of a split.
    ``test_label_perturbation``
        Labels and outcomes of one test fold are redrawn; the predictions of that fold must be
        bit-identical. If the first row that moves depends on labels that were known at its
        decision time only, this is a warning: learning on the run is honest.
    ``unresolved_labels``
        Only labels not yet known at a moment inside a fold are redrawn, and none that the fold
        trains on; predictions made up to that moment must be bit-identical.
    ``other_test_rows``
        Features of the later test rows of a fold are changed; predictions of the earlier ones must
        not move (a leak). Then a random half is changed: predictions of the other half that move
        are a warning, because cross-sectional ranks do that too.
    ``noise``
        Only with ``noise_worlds``: pooled AUC on random walks against a null band; confirms a
        leak, never clears one.

    Parameters
    ----------
    pipeline
        Takes a `PipelineWorld`, trains and predicts every fold, returns a `PipelineRun` (or the
        predictions alone). It must be deterministic and must not modify the world.
    world
        The data.
    draws
        Redraws a check, at least 1; one draw alone misses choices by test score.
    checks
        Names of the checks to run; all of them when None. ``determinism`` always runs.
    noise_worlds
        Worlds of random walks, same shape.
    seed
        Seed of the redraws.
    subject
        Name in the report.
    progress
        Told after each run.

    Raises
    ------
    AuditError
        The pipeline raises on the world itself, or returns no prediction for any row.
    """
    if draws < 1:
        raise AuditError("Too few draws", got=draws, allowed="at least 1")
    wanted = _wanted(checks)
    ledger = Ledger()
    probe = _Probe(pipeline, world, 2 + 2 * draws + 3, progress)
    base = probe.base()
    splits = base.used or world.folds
    judge = _Judge(probe, base, tuple(splits), ledger, seed)
    with ledger.check("determinism"):
        steady = judge.determinism()
    perturbing: dict[str, Callable[[], None]] = {
        "test_label_perturbation": lambda: judge.test_labels(draws),
        "unresolved_labels": lambda: judge.unresolved_labels(draws),
        "other_test_rows": judge.other_test_rows,
    }
    looking: dict[str, Callable[[], None]] = {
        "interval_overlap": lambda: check_overlap(world.spans, splits, base.inner, ledger),
        "duplicates": lambda: check_duplicates(world, splits, base.inner, ledger),
        **perturbing,
        "noise": lambda: check_noise(pipeline, noise_worlds, ledger),
    }
    for name, look in looking.items():
        if name not in wanted:
            ledger.skip(name, "not asked for")
        elif name in perturbing and not steady:
            ledger.skip(name, "the pipeline gives other predictions on every run")
        else:
            with ledger.check(name):
                look()
    probe.finish()
    return ledger.report(subject, _hash(world))


def _wanted(checks: Collection[str] | None) -> frozenset[str]:
    unknown = sorted(set(checks or ()) - set(CHECKS))
    if unknown:
        close = nearest(unknown[0], CHECKS)
        raise AuditError(
            "There is no such check",
            got=", ".join(unknown),
            allowed=", ".join(CHECKS),
            remedy=f"Did you mean {close}?" if close else None,
        )
    return frozenset(CHECKS if checks is None else checks)


def moved_rows(before: FloatArray, after: FloatArray, rows: IntArray) -> IntArray:
    """Return those of the rows whose predictions are not bit-identical (NaN equals NaN)."""
    first, second = before[rows], after[rows]
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    moved: IntArray = rows[~(same if same.ndim == 1 else same.all(axis=1))]
    return moved


class _Probe:
    """Runs the pipeline on changed worlds and tells how far it is."""

    def __init__(
        self, pipeline: Pipeline, world: PipelineWorld, about: int, progress: Progress | None
    ) -> None:
        self.pipeline, self.world, self._about, self._progress = pipeline, world, about, progress
        self._done = 0

    def base(self) -> PipelineRun:
        try:
            run = self(self.world)
        except AuditError:
            raise
        except Exception as error:
            raise AuditError(
                "The pipeline does not run on the world itself",
                got=f"{type(error).__name__}: {error}",
                remedy="Make it run first; the audit starts from there.",
            ) from error
        if not np.isfinite(run.predictions).any():
            raise AuditError("The pipeline predicted no row", got="NaN everywhere", allowed="the test rows")
        return run

    def __call__(self, world: PipelineWorld) -> PipelineRun:
        run = as_run(self.pipeline(world), len(world))
        self._done += 1
        if self._progress is not None:
            self._progress(ProgressEvent("audit", min(self._done, self._about), self._about, "pipeline"))
        return run

    def finish(self) -> None:
        if self._progress is not None:
            self._progress(ProgressEvent("audit", self._about, self._about, "pipeline"))


@dataclass(frozen=True, eq=False)
class _Judge:
    probe: _Probe
    base: PipelineRun
    splits: tuple[Split, ...]
    ledger: Ledger
    seed: int

    @property
    def world(self) -> PipelineWorld:
        return self.probe.world

    def determinism(self) -> bool:
        self.ledger.runs += 1
        every = np.arange(len(self.world))
        moved = moved_rows(self.base.predictions, self.probe(self.world).predictions, every)
        if len(moved) == 0:
            return True
        detail = f"{len(moved)} predictions differ between two runs on the same world; fix every seed"
        where = row_name(self.world.spans, int(moved[0]))
        self.ledger.add(Finding("determinism", "leak", "predictions", where, detail))
        return False

    def test_labels(self, draws: int) -> None:
        for number, fold in self._folds(draws):
            test = np.unique(self.splits[fold][1])
            style = REDRAWS[number % len(REDRAWS)]
            seed = self.seed + 1_000 * number
            seen = self._redrawn(test, style, seed)
            if seen is None:
                continue
            moved = self._in_time(moved_rows(self.base.predictions, seen.predictions, test))
            if len(moved) == 0:
                continue
            first = int(moved[0])
            late = test[self.world.spans.end[test] > self.world.spans.start[first]]
            again = self._redrawn(late, style, seed) if len(late) < len(test) else seen
            guilty = again is not None and len(
                moved_rows(self.base.predictions, again.predictions, np.array([first]))
            )
            told = (
                f"{len(moved)} of its predictions moved when its own labels were redrawn ({style})"
                if guilty
                else f"{len(moved)} of its predictions moved, with labels of the fold known by then"
            )
            self._add(
                "test_label_perturbation",
                "leak" if guilty else "warning",
                fold,
                row=first,
                seen=seen,
                told=told,
            )
            if guilty:
                return

    def unresolved_labels(self, draws: int) -> None:
        spans = self.world.spans
        for number, fold in self._folds(draws):
            train, test = self.splits[fold][0], np.unique(self.splits[fold][1])
            share = (1 + number % 3) / 4
            moment = int(np.quantile(spans.start[test], share, method="lower"))
            unknown = spans.end > moment
            unknown[train] = False
            style = REDRAWS[number % len(REDRAWS)]
            seen = self._redrawn(np.flatnonzero(unknown), style, self.seed + 7 + 1_000 * number)
            if seen is None:
                continue
            made = test[spans.start[test] <= moment]
            moved = self._in_time(moved_rows(self.base.predictions, seen.predictions, made))
            if len(moved):
                told = f"{len(moved)} predictions moved when only labels not yet known by then were redrawn"
                self._add("unresolved_labels", "leak", fold, row=int(moved[0]), seen=seen, told=told)
                return

    def other_test_rows(self) -> None:
        for number, fold in self._folds(2):
            test = np.unique(self.splits[fold][1])
            start = self.world.spans.start[test]
            middle = np.quantile(start, 0.5, method="lower")
            later, earlier = test[start > middle], test[start <= middle]
            told = {"severity": "leak", "which": "later"}
            if self._features_changed(fold, later, earlier, seed=self.seed + 11 + number, **told):
                return
        for number, fold in self._folds(1):
            test = np.unique(self.splits[fold][1])
            chosen = np.random.default_rng(self.seed + 13).random(len(test)) < 0.5
            # Rows of one moment are changed together: comparing symbols of a moment is honest.
            _, moment = np.unique(self.world.spans.start[test], return_inverse=True)
            chosen = chosen[moment]
            self._features_changed(
                fold,
                test[chosen],
                test[~chosen],
                severity="warning",
                which="other",
                seed=self.seed + 17 + number,
            )

    def _features_changed(
        self, fold: int, changed: IntArray, watched: IntArray, *, severity: str, which: str, seed: int
    ) -> bool:
        if len(changed) == 0 or len(watched) == 0:
            return False
        seen = self.probe(redraw_features(self.world, changed, seed=seed))
        self.ledger.runs += 1
        moved = self._in_time(moved_rows(self.base.predictions, seen.predictions, watched))
        if len(moved) == 0:
            return False
        told = f"{len(moved)} predictions moved when features of {which} test rows of the fold were changed"
        self._add("other_test_rows", severity, fold, row=int(moved[0]), seen=seen, told=told)
        return True

    def _redrawn(self, rows: IntArray, style: str, seed: int) -> PipelineRun | None:
        if len(rows) == 0:
            return None
        self.ledger.runs += 1
        return self.probe(redraw_labels(self.world, rows, style, self.base.predictions, seed=seed))

    def _folds(self, draws: int) -> Sequence[tuple[int, int]]:
        scored = [
            f for f, (_, test) in enumerate(self.splits) if np.isfinite(self.base.predictions[test]).any()
        ]
        order = np.random.default_rng(self.seed).permutation(scored)
        return [(number, int(order[number % len(order)])) for number in range(draws)]

    def _in_time(self, rows: IntArray) -> IntArray:
        return rows[np.argsort(self.world.spans.start[rows], kind="stable")]

    def _add(self, check: str, severity: str, fold: int, *, row: int, seen: PipelineRun, told: str) -> None:
        before, after = _shown(self.base.predictions[row]), _shown(seen.predictions[row])
        detail = f"{told}; first {before}, then {after}"
        where = row_name(self.world.spans, row)
        kind = "leak" if severity == "leak" else "warning"
        self.ledger.add(Finding(check, kind, f"fold {fold}", where, detail))  # type: ignore[arg-type]


def _shown(prediction: FloatArray | float) -> str:
    values = np.atleast_1d(prediction)
    return " ".join(f"{value:.9g}" for value in values)


def _hash(world: PipelineWorld) -> str:
    if world.market is not None:
        return world.market.content_hash
    digest = hashlib.sha256(b"world-v1")
    features = np.ascontiguousarray(np.asarray(world.X, dtype=np.float64))
    for part in (features, world.y, world.outcome, world.spans.start, world.spans.end):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
