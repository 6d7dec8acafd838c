"""`OptimizationCoordinator`: a nested search around whatever trainer a plan makes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from onward.errors import UserError, in_section
from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler, Progress, Splitter
from onward.splits import final_rows
from onward.training.cautions import purging_cautions, symbol_cautions
from onward.training.cutting import label_and_cut
from onward.training.dataset import Dataset, label_spans
from onward.training.figures import FoldFigures
from onward.training.learnable import require_learnable
from onward.training.optimization.bench import Bench, Candidate, TrainerFactory
from onward.training.optimization.budget import Budget
from onward.training.optimization.cautions import search_cautions
from onward.training.optimization.corners import require_corners
from onward.training.optimization.crew import Together, work_together
from onward.training.optimization.errand import labeler_of
from onward.training.optimization.objective import fold_score
from onward.training.optimization.outer import (
    Outer,
    n_questions,
    own_folds,
    pooled,
    translated,
    with_inner_folds,
)
from onward.training.optimization.pooling import judge_apart
from onward.training.optimization.records import TrialRecord, trial_records
from onward.training.optimization.refusals import (
    require_inner_folds,
    require_one_question,
    require_trainers,
    require_trials,
)
from onward.training.optimization.result import FINAL, SearchedTraining, SearchResult, StudyResult
from onward.training.optimization.search import Search, best_of
from onward.training.optimization.sharing import Memory
from onward.training.optimization.space import Space
from onward.training.optimization.statistics import parameter_importance, statistics_of
from onward.training.optimization.studies import StudyKeeper
from onward.training.plan import TrainingPlan
from onward.training.trainer import BaseTrainer, FoldOutcome, TrainingRows
from onward.types import Fold, IntArray, Labels, Market, ProgressEvent, Spans

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["OptimizationCoordinator"]

REHEARSAL_TRIALS = 3
"""Trials of each search when the learning path is audited: what a search may see does not depend on
how long it looks."""


class OptimizationCoordinator:
    """Searches parameters, nested: inner purged folds choose, outer folds score.

    Every outer fold searches anew on its own training rows, makes the trainer of the best trial,
    fits it on those rows and predicts its test rows, which no search has seen. The final model
    comes from one more search, on all rows. So the outer scores are scores of the whole procedure,
    search included, and the trials need no correction in the verdict.

    Parameters
    ----------
    plan
        What to search: its ``[optimization]`` section says how long, where and by which score.
    market
        Decides what trainers can be made; `train` may be given another of the same kind.
    make_trainer
        Makes the trainer of a plan: a single model or an ensemble.
    keeper
        Where trials are kept while searches are under way.

    Raises
    ------
    PlanError
        When there are no trials to run, the space is contradictory, or the plan does not fit.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        market: Market,
        *,
        make_trainer: TrainerFactory,
        keeper: StudyKeeper | None = None,
    ) -> None:
        self.plan = plan
        self.config = plan.optimization
        require_trials(plan)
        self.keeper = keeper if keeper is not None else StudyKeeper(url=_url(plan))
        self.space = Space.of(plan)
        require_one_question(self.space)
        self._make_trainer = make_trainer
        self._base = make_trainer(self.space.plan, market)
        require_corners(self.space)
        self._kinds = require_trainers(self.space, self._base, make_trainer, market)
        self.pipeline: FeaturePipeline = self._base.pipeline
        self.splitter: Splitter = self._base.splitter
        self.labeler: Labeler = labeler_of(self.space, self._base.labeler)
        self._memory: tuple[Market, Memory] | None = None
        self._together: Together | None = None
        self._figures: FoldFigures = _untold

    def kept_by(
        self, keeper: StudyKeeper, together: Together | None = None, figures: FoldFigures | None = None
    ) -> OptimizationCoordinator:
        """Return the coordinator with its trials kept elsewhere.

        Others take part in its searches (``together``), and the outer scores that ``figures`` gives
        are told as folds come.
        """
        other = self._copy(keeper=keeper)
        other._together = together
        other._figures = figures or _untold
        return other

    def rehearsal(self, pipeline: FeaturePipeline) -> OptimizationCoordinator:
        """Return a coordinator for an audit: everything as here, with few trials that are not kept.

        Parameters
        ----------
        pipeline
            Features of the final model: those that the audit looks at one by one.
        """
        few = min(REHEARSAL_TRIALS, self.config.trials)
        config = self.config.model_copy(update={"trials": few, "seconds": None, "processes": 1})
        other = self._copy(keeper=StudyKeeper())
        other.config = config
        other._make_trainer = partial(_uncached, self._make_trainer)
        other.pipeline = pipeline
        return other

    def train(
        self,
        market: Market,
        *,
        looks: Callable[[], int] = lambda: 1,
        progress: Progress | None = None,
    ) -> SearchedTraining:
        """Search and train: out-of-fold predictions, verdicts, and the final fit.

        Parameters
        ----------
        market
            Bars and side series.
        looks
            Called once, when the outer scores are about to be seen (see `BaseTrainer.train`).
        progress
            Told of every trial with its inner score and the best so far, and of each part. It is
            told no outer score, unless whoever gives them has the look counted (`kept_by`).

        Raises
        ------
        PlanError
            When no trial of a search fits the data.
        SplitError
            When outer folds cannot be cut, or no inner folds inside them.
        ModelError
            When inner folds have too few independent outcomes for the calibrator.
        NotEnoughDataError
            When no row has an outcome.
        """
        report = progress or _silent
        started = time.perf_counter()
        seconds: dict[str, float] = {}
        budget = Budget.of(self.config.seconds)
        spans, folds = self.cut(market)
        rows = _bars_of(market, spans)
        bench = self._bench(market, self.labeler)
        outer = []
        for place, fold in enumerate(folds):
            deadline = budget.deadline(len(folds) + 1 - place)
            title = f"fold {place + 1} of {len(folds)}"
            outer.append(self._outer(bench, rows, fold, title, report, deadline))
            figures = self._figures(outer[-1].outcome)
            report(ProgressEvent("fold", place + 1, len(folds), f"fold {place + 1}", figures))
        seconds["searches and folds"] = round(time.perf_counter() - started, 3)
        started = time.perf_counter()
        everything = np.ones(len(market), dtype=np.bool_)
        search = Search(FINAL, self.config, bench, everything, self._seed(-1))
        study, records = self._run(search, "final", report, budget.deadline(1))
        chosen = best_of(records)
        seconds["final search"] = round(time.perf_counter() - started, 3)
        started = time.perf_counter()
        candidate = bench.candidate(dict(chosen.parameters))
        statistics = statistics_of(study, chosen, market, candidate.terms)
        importance = parameter_importance(study, self._seed(-1))
        final = StudyResult(FINAL, records, float("nan"), importance)
        labels, state, rows_in_hand = self._final_rows(candidate)
        report(ProgressEvent("final fit", 0, 1))
        predictor = candidate.trainer.learn(rows_in_hand)
        learning = candidate.trainer.describe(rows_in_hand, predictor)
        report(ProgressEvent("final fit", 1, 1))
        seconds["final fit"] = round(time.perf_counter() - started, 3)
        started = time.perf_counter()
        oof, paths = pooled(self.splitter, spans, outer)
        mixed = n_questions(outer) > 1
        judgement = judge_apart(
            oof,
            lookback=max(one.outcome.predictor.pipeline.lookback for one in outer) * market.timeframe_ns,
            n_shifts=self.plan.evaluation.n_shifts,
            seed=self.plan.training.seed,
            looked_at=looks(),
            mixed=mixed,
        )
        seconds["judgement"] = round(time.perf_counter() - started, 3)
        found = SearchResult(
            objective=self.config.objective,
            space=tuple(self.space.to_dict()),
            folds=tuple(one.study for one in outer),
            final=final,
            statistics=statistics,
            mixed_questions=mixed,
            place=self.keeper.place,
        )
        return SearchedTraining(
            dataset=Dataset(market, candidate.dataset.features, spans, rows),
            folds=tuple(one.outcome for one in outer),
            oof=oof,
            judgement=judgement,
            labels=labels,
            labeler_state=state,
            predictor=predictor,
            learning=learning,
            seconds=seconds,
            warnings=(
                *judgement.cautions,
                *purging_cautions(spans, folds, self.splitter),
                *symbol_cautions(market, spans),
                *search_cautions(found, self.config),
                *(() if paths is None else paths.sentences),
            ),
            paths=paths,
            search=found,
        )

    def cut(self, market: Market) -> tuple[Spans, Sequence[Fold]]:
        """Return the spans and outer folds of a market, after every check that needs no feature."""
        spans, folds = label_and_cut(market, self.labeler, self.splitter)
        rows = _bars_of(market, spans)
        with in_section("labels"):
            require_inner_folds(self.space, self._kinds, market, rows, folds, self.config.inner_splits)
            if not self.space.searches_labels:
                require_learnable(self._base, market, spans, folds)
        return spans, folds

    def judged_by(
        self, market: Market, asked: Sequence[Mapping[str, Any]]
    ) -> Iterator[tuple[Labeler, list[Fold]]]:
        """Yield the labeler of each of some trials, and the inner folds by which it is judged, for audits.

        Those of every outer fold's search and of the one on all rows, and, where the trial's trainer cuts
        folds itself, those. Positions are positions into the labeler's spans. An outer fold that leaves
        such a trial no inner folds refuses it, and has none here.
        """
        spans = label_spans(market, self.labeler)
        rows, seen = _bars_of(market, spans), [np.ones(len(market), dtype=np.bool_)]
        for fold in self.splitter.folds(spans):
            seen.append(np.zeros(len(market), dtype=np.bool_))
            seen[-1][rows[fold.train]] = True
        bench = Bench(self.space, self._make_trainer, market, self.labeler)
        for values in asked:
            candidate = bench.labelled(dict(values))
            found: list[Fold] = []
            for allowed in seen:
                with contextlib.suppress(UserError):
                    found += bench.inner_folds(candidate, allowed, self.config.inner_splits)
                    found += own_folds(candidate, allowed)
            yield candidate.labeler, found

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        """Search on a fold's training rows, fit the best trial on them, predict the test rows.

        Nothing is kept of the search, but its inner folds are noted in the outcome's learning record.
        Audits ask this of redrawn labels and other futures.
        """
        bench = self._bench(dataset.market, labeler)
        found = self._outer(bench, dataset.rows, fold, "", _silent, None)
        chosen = dict(found.study.chosen.parameters)
        return with_inner_folds(found.outcome, bench, chosen, self.config.inner_splits)

    def _outer(
        self,
        bench: Bench,
        rows: IntArray,
        fold: Fold,
        title: str,
        report: Progress,
        deadline: float | None,
    ) -> Outer:
        """Search, fit and predict one outer fold; ``rows`` are the bars of its positions."""
        allowed = np.zeros(len(bench.market), dtype=np.bool_)
        allowed[rows[fold.train]] = True
        search = Search(title, self.config, bench, allowed, self._seed(fold.number))
        study, records = self._run(search, f"fold-{fold.number}", report, deadline)
        chosen = best_of(records)
        report(ProgressEvent("fold", fold.number, 0, title))
        candidate = bench.candidate(dict(chosen.parameters))
        own, kept = translated(candidate.dataset, rows, fold)
        outcome = candidate.trainer.fit_fold(candidate.dataset, candidate.labeler, own)
        score = fold_score(self.config.objective, candidate, outcome)
        importance = parameter_importance(study, self._seed(fold.number)) if title else {}
        return Outer(
            outcome=replace(outcome, fold=kept),
            ends=candidate.dataset.spans.end[own.test],
            study=StudyResult(f"fold {fold.number + 1}", records, score, importance),
        )

    def _run(
        self, search: Search, name: str, report: Progress, deadline: float | None
    ) -> tuple[Study, tuple[TrialRecord, ...]]:
        study = self.keeper.open(name)
        # An audit's labels (drawn anew, say) are known to this process alone.
        own_labels = search.bench.labeler is self.labeler
        shared = self.config.processes > 1 or self._together is not None
        if shared and self.keeper.shareable and own_labels:
            if self.keeper.url is None:
                search.close_orphans(study)
            left = None if deadline is None else deadline - time.monotonic()
            together = self._together or work_together
            with together(search, self._make_trainer, self.keeper, name, left):
                search.run(study, report, deadline=deadline, joining=True)
            if self.keeper.url is None:  # what a helper that was lost had begun is done anew
                search.close_orphans(study)
                search.run(study, report, deadline=deadline, joining=True)
            records = trial_records(study)
            best_of(records)
            return study, records
        # In a database other machines may be at work on the same study: what runs is theirs.
        records = search.run(study, report, deadline=deadline, joining=self.keeper.url is not None)
        best_of(records)
        return study, records

    def _bench(self, market: Market, labeler: Labeler) -> Bench:
        # Redrawn labels leave the features of a market as they are; other markets start anew.
        if self._memory is None or self._memory[0] is not market:
            self._memory = (market, Memory())
        processes = self.config.processes if self.keeper.shareable else 1
        memory = self._memory[1]
        return Bench(self.space, self._make_trainer, market, labeler, memory=memory, processes=processes)

    def _final_rows(self, candidate: Candidate) -> tuple[Labels, dict[str, Any], TrainingRows]:
        dataset, trainer = candidate.dataset, candidate.trainer
        kept = final_rows(dataset.spans, getattr(self.splitter, "training_window", None))
        labeler = candidate.labeler.fit(dataset.market, kept)
        labels = labeler.label(dataset.market)
        rows = trainer._rows(dataset, labels, kept, trainer.seed, "the rows of the final fit")
        return labels, labeler.to_json(), rows

    def _seed(self, number: int) -> int:
        """Return the seed of a search: of an outer fold by its number, of all rows by -1."""
        sequence = np.random.SeedSequence([self.plan.training.seed, number + 1])
        return int(sequence.generate_state(1)[0])

    def _copy(self, keeper: StudyKeeper) -> OptimizationCoordinator:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.keeper = keeper
        other._memory = None
        return other


def _uncached(make_trainer: TrainerFactory, plan: TrainingPlan, market: Market) -> BaseTrainer:
    """Make a trainer that leaves nothing in the cache of features: audits make up futures."""
    trainer = make_trainer(plan, market)
    pipeline = trainer.pipeline
    trainer.pipeline = FeaturePipeline(pipeline.causal, pipeline.fitted, dtype=pipeline.dtype)
    return trainer


def _bars_of(market: Market, spans: Spans) -> IntArray:
    return np.asarray(market.index.get_indexer(spans.index), dtype=np.int64)


def _url(plan: TrainingPlan) -> str | None:
    secret = plan.optimization.storage_url
    return None if secret is None else secret.get_secret_value()


def _untold(outcome: FoldOutcome) -> Mapping[str, float]:  # noqa: ARG001
    """Give no score."""
    return {}


def _silent(event: ProgressEvent) -> None:
    """Take no note."""
