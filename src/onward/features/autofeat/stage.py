"""The fitted stage that adds what autofeat finds."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import NotEnoughDataError, StageError, StorageError
from onward.features.autofeat.evaluate import evaluate
from onward.features.autofeat.formula import parse
from onward.features.autofeat.parameters import DEFAULT_TRANSFORMATIONS, Parameters
from onward.features.autofeat.report import AutoFeatReport, GeneratedFeature
from onward.features.description import FitInfo
from onward.features.training_rows import checked_classes
from onward.protocols import Progress
from onward.types import FloatArray, Spans

__all__ = ["AutoFeatStage"]


class AutoFeatStage:
    """Let autofeat combine columns into formulas, on the training rows of a fold.

    autofeat (Horn, Pack & Rieger 2019, "The autofeat Python Library for Automated Feature
    Engineering and Selection") applies transformations to columns, multiplies and adds the
    results pairwise, and selects with cross-validated lasso fits against noise columns. It runs
    in a child process with a fixed hash seed, a memory limit and a timeout. Its formulas are kept
    as text; `transform` evaluates them itself and imports neither autofeat nor SymPy.

    It sees nothing but the training rows given to `fit`, and of these an even sample of the earlier
    ones. The folds of its own cross-validation are not purged, though, and its noise columns are
    not autocorrelated: both make it choose too many formulas rather than too few. So its choice is
    taken as a proposal. The latest training rows, purged of overlap with the searched ones, are
    kept back: a formula stays only if its rank correlation with their labels stands above the same
    correlation with circularly shifted labels, and higher than that of each of its inputs, for the
    direction or for the range class.

    Parameters
    ----------
    feateng_steps
        autofeat's steps: 1 transforms, 2 multiplies pairs as well, 3 transforms these again ...
        The number of candidates explodes: 3 steps are for about 5 inputs.
    transformations
        Some of ``1/ exp log abs sqrt ^2 ^3 1+ 1- sin cos exp- 2^``.
    featsel_runs
        Selection runs on random 85 % of the sample, for each of the two targets; autofeat's own
        default is 5.
    max_inputs
        Columns that autofeat may combine: the most relevant ones to direction and to range in
        turn, without near duplicates.
    max_rows
        Rows that autofeat is shown, spread evenly over time.
    max_candidates
        Candidates that go into autofeat's selection, a target: those that stand highest above
        shifted labels. None: all, as autofeat does by itself, at many times the cost.
    max_generated
        Upper bound of the candidates it may generate; fewer inputs are taken to keep it.
    max_formulas
        Formulas that are kept, most relevant first.
    confirm_share
        Share of the training time, its latest part, that is kept back to confirm formulas.
    min_z
        Threshold for keeping a formula, in deviations of the shifted labels' absolute
        correlation. None keeps whatever autofeat chose, better than its inputs or not.
    max_correlation
        A formula whose absolute rank correlation with one of its inputs, or with a better
        formula, exceeds this is dropped: trees see no difference. 1 switches the step off.
    n_shifts
        Circular shifts to compare with.
    max_gb
        Memory of the child in GB (10^9 bytes). Inputs, then rows, are given up until the estimate
        made beforehand fits; above it the child is killed.
    timeout_seconds
        Time of the child.
    threads
        Threads of the child. Other numbers may round sums otherwise, and so choose otherwise.
    generated_only
        Give the generated columns alone instead of behind the input columns.
    on_failure
        What happens when autofeat fails, is missing, exceeds its limits, or there are too few
        rows: ``raise``, or ``skip``: say so in `report` and pass the input through.

    Attributes
    ----------
    features
        Formulas that were kept, a tuple of `GeneratedFeature`.
    report
        How the fit went, an `AutoFeatReport`.
    input_columns
        Columns of the fit.
    """

    name = "autofeat"

    def __init__(
        self,
        *,
        feateng_steps: int = 2,
        transformations: Sequence[str] = DEFAULT_TRANSFORMATIONS,
        featsel_runs: int = 3,
        max_inputs: int = 12,
        max_rows: int = 2_000,
        max_candidates: int | None = 200,
        max_generated: int = 20_000,
        max_formulas: int = 20,
        confirm_share: float = 0.4,
        min_z: float | None = 1.65,
        max_correlation: float = 0.98,
        n_shifts: int = 200,
        max_gb: float = 2.0,
        timeout_seconds: float = 300.0,
        threads: int = 1,
        generated_only: bool = False,
        on_failure: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.parameters = Parameters(
            feateng_steps=feateng_steps,
            transformations=tuple(transformations),
            featsel_runs=featsel_runs,
            max_inputs=max_inputs,
            max_rows=max_rows,
            max_candidates=max_candidates,
            max_generated=max_generated,
            max_formulas=max_formulas,
            confirm_share=confirm_share,
            min_z=min_z,
            max_correlation=max_correlation,
            n_shifts=n_shifts,
            max_gb=max_gb,
            timeout_seconds=timeout_seconds,
            threads=threads,
            generated_only=generated_only,
            on_failure=on_failure,
        )
        self.features: tuple[GeneratedFeature, ...] = ()
        self.report = AutoFeatReport()
        self.input_columns: tuple[str, ...] = ()

    def describe_fit(self, n_columns: int, n_rows: int) -> FitInfo:
        """Return what a fit may add, and within which limits."""
        given = self.parameters
        what = (
            f"up to {given.max_formulas} formulas over {min(given.max_inputs, n_columns)} columns and "
            f"{min(given.max_rows, n_rows):,} rows; "
            f"at most {given.timeout_seconds:g} s and {given.max_gb:g} GB"
        )
        return FitInfo(self.name, what, given.max_formulas + (0 if given.generated_only else n_columns))

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,  # noqa: ARG002 - autofeat takes no weights
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Self:
        """Find formulas on training rows.

        Parameters
        ----------
        X
            Training rows, unique column names. Rows in which a chosen input is NaN or infinite
            are not shown to autofeat.
        y
            Classes -1, 0, 1, shape (n,).
        spans
            Spans of the same rows, in the same order.
        weight
            Not used.
        seed
            Seed of the row sample and of the shifts' jitter.
        progress
            Told what the child is doing.

        Raises
        ------
        StageError
            When lengths differ, there is no column, or names repeat; and, unless ``on_failure`` is
            ``skip``, when autofeat is not installed, fails, does not fit into ``max_gb``, is killed
            or times out, or when nothing was found and ``generated_only`` is set.
        LabelError
            When the labels are not classes or hold one class only.
        NotEnoughDataError, StorageError
            When there are too few rows, or the disk refuses; unless ``on_failure`` is ``skip``.
        """
        # What fitting needs, serving need not import.
        from onward.features.autofeat.search import find_formulas

        classes = checked_classes(X, y, spans, stage="autofeat", otherwise="leave autofeat out of the plan")
        self.input_columns = tuple(map(str, X.columns))
        self.features = ()
        self.report = AutoFeatReport(training_rows=len(X))
        try:
            self.features, self.report = find_formulas(
                X, classes, spans, self.parameters, seed=seed, progress=progress
            )
            self._require_column()
        except (StageError, NotEnoughDataError, StorageError) as error:
            if self.parameters.on_failure == "raise":
                raise
            self.report = replace(self.report, status="skipped", reason=str(error))
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the input columns of the fit and behind them the generated ones.

        Generated columns are computed in float64 and given in the type of ``X`` (float32 at
        least), rows as given. A value is NaN where an input is NaN or infinite, where a step leaves
        its domain (logarithm of a negative number, division by zero ...) or where the type cannot
        hold it.

        Raises
        ------
        StageError
            Before ``fit``, or when a column of the fit is missing.
        """
        if self.report.status == "not fitted":
            raise StageError("the stage 'autofeat' was not fitted yet", remedy="Call fit first.")
        missing = [column for column in self.input_columns if column not in X.columns]
        if missing:
            raise StageError(
                "columns that autofeat was fitted on are missing",
                got=f"{len(missing)} missing, first {missing[0]!r}",
                allowed=f"all {len(self.input_columns)} columns of the fit",
                remedy="Compute the features with the pipeline that the model was trained with.",
            )
        own = X[list(self.input_columns)]
        if not self.features:
            return own
        dtype = np.result_type(np.float32, *own.dtypes)
        made = np.empty((len(X), len(self.features)), dtype=dtype, order="F")
        with np.errstate(over="ignore"):
            for place, feature in enumerate(self.features):
                columns = {alias: own[column].to_numpy() for alias, column in feature.inputs.items()}
                made[:, place] = evaluate(parse(feature.formula), columns)
        made[np.isinf(made)] = np.nan
        table = pd.DataFrame(made, index=X.index, columns=[feature.name for feature in self.features])
        return table if self.parameters.generated_only else pd.concat([own, table], axis=1)

    def required_columns(self, outputs: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return the input columns that some (by default all) outputs are computed from.

        Parameters
        ----------
        outputs
            Columns of `transform`; those that it passes on need themselves, formulas their inputs.
        """
        if outputs is None:
            outputs = [*(() if self.parameters.generated_only else self.input_columns), *self._names()]
        wanted = set(outputs)
        for feature in self.features:
            if feature.name in wanted:
                wanted.update(feature.inputs.values())
        return tuple(column for column in self.input_columns if column in wanted)

    def restricted(self, outputs: Sequence[str]) -> Self:
        """Return a stage that gives these outputs, and their inputs, from `required_columns` alone.

        Parameters
        ----------
        outputs
            Columns of `transform`.
        """
        smaller = copy.copy(self)
        smaller.input_columns = self.required_columns(outputs)
        smaller.features = tuple(feature for feature in self.features if feature.name in set(outputs))
        return smaller

    def _names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    def _require_column(self) -> None:
        if self.parameters.generated_only and not self.features:
            raise StageError(
                "autofeat found no formula that stands above shifted labels",
                got=f"{self.report.training_rows} rows, {len(self.input_columns)} columns",
                allowed="at least one, since generated_only leaves no other column",
                remedy="Set autofeat.generated_only to false, or lower autofeat.min_z.",
            )

    def to_json(self) -> dict[str, Any]:
        """Return parameters, formulas and report as plain JSON values."""
        return {
            "parameters": self.parameters.to_json(),
            "input_columns": list(self.input_columns),
            "features": [feature.to_json() for feature in self.features],
            "report": self.report.to_json(),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild a fitted stage.

        Raises
        ------
        StageError
            When the state is not what `to_json` gave, or holds a formula that is not understood.
        """
        try:
            stage = cls(**state["parameters"])
            stage.input_columns = tuple(str(column) for column in state["input_columns"])
            stage.features = tuple(GeneratedFeature(**feature) for feature in state["features"])
            stage.report = AutoFeatReport.from_json(state["report"])
            wanted = [(f, set(parse(f.formula).names) - set(f.inputs)) for f in stage.features]
            unknown = {column for f in stage.features for column in f.inputs.values()}
        except (KeyError, TypeError, AttributeError) as error:
            raise _damaged(f"{type(error).__name__}: {error}") from error
        for feature, absent in wanted:
            if absent:
                raise _damaged(f"{feature.formula[:120]!r} needs {sorted(absent)[0]!r}")
        absent_columns = unknown - set(stage.input_columns)
        if absent_columns:
            raise _damaged(f"a formula over {sorted(absent_columns)[0]!r}, which is no input column")
        return stage


def _damaged(got: str) -> StageError:
    return StageError(
        "this is not the state of an AutoFeatStage",
        got=got,
        allowed="what to_json gave",
        remedy="Train again, or take an undamaged copy of the bundle.",
    )
