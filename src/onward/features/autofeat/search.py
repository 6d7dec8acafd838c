"""From training rows to formulas worth keeping: prescreen, search in a child, confirm."""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import LabelError, NotEnoughDataError, StageError
from onward.features.autofeat.confirm import confirm
from onward.features.autofeat.engine import ALIAS
from onward.features.autofeat.estimate import fitting_size
from onward.features.autofeat.naming import scaled_text
from onward.features.autofeat.parameters import Parameters
from onward.features.autofeat.report import AutoFeatReport, GeneratedFeature
from onward.features.autofeat.sample import column_scales, keep_back, prescreen, sample_rows
from onward.features.isolation import Answer, IsolatedProcess, Limits
from onward.features.selection.relevance import (
    Relevance,
    label_targets,
    measure_relevance,
    rank_columns,
    shifted_targets,
)
from onward.protocols import Progress
from onward.types import FloatArray, IntArray, Spans

__all__ = ["find_formulas"]

ENGINE = "onward.features.autofeat.engine:search"
LEAST_ROWS = 50
ENVIRONMENT = {"NUMBA_DISABLE_JIT": "1"}
"""autofeat compiles every formula it tries; on a few thousand rows that takes longer than it saves."""


def find_formulas(
    X: pd.DataFrame,
    y: npt.NDArray[np.int64],
    spans: Spans,
    parameters: Parameters,
    *,
    seed: int,
    progress: Progress | None = None,
) -> tuple[tuple[GeneratedFeature, ...], AutoFeatReport]:
    """Return the formulas that are kept, most relevant first, and what happened on the way.

    Parameters
    ----------
    X, y, spans
        Training rows, aligned; classes -1, 0, 1.
    parameters
        Of the stage.
    seed
        Seed of the row sample and of the shifts' jitter.
    progress
        Told what the child is doing.

    Raises
    ------
    StageError
        When autofeat is missing, fails, does not fit, is killed or times out.
    NotEnoughDataError
        When too few rows are complete, or labels are too long for the rows there are.
    """
    _require_autofeat()
    label_targets(y)  # one class in all rows is a mistake of the caller, not of this stage
    searched, kept_back = keep_back(spans, parameters.confirm_share)
    earlier = _Part(X.iloc[searched], y[searched], spans.take(searched), parameters.n_shifts, seed)
    size = fitting_size(
        min(parameters.max_inputs, X.shape[1]),
        min(parameters.max_rows, len(searched)),
        parameters.feateng_steps,
        len(parameters.transformations),
        max_bytes=parameters.max_gb * 1e9,
        max_generated=parameters.max_generated,
        max_candidates=parameters.max_candidates,
    )
    positions, complete = prescreen(earlier.X, earlier.ranks, earlier.relevance, size.inputs)
    rows = sample_rows(np.flatnonzero(complete), earlier.spans.start, size.rows, seed)
    _require_material(positions, rows)
    later = _Part(
        X.iloc[kept_back, positions], y[kept_back], spans.take(kept_back), parameters.n_shifts, seed
    )
    inputs = {ALIAS.format(i): str(X.columns[j]) for i, j in enumerate(positions)}
    sample = earlier.X.iloc[rows, positions].to_numpy(dtype=np.float64)
    scales = column_scales(sample)
    answer = _run(
        sample / scales, earlier.y[rows], earlier.spans.take(rows), parameters, seed=seed, progress=progress
    )
    by_alias = dict(zip(inputs, map(float, scales), strict=True))
    found = answer.results
    features, rejected = confirm(
        [scaled_text(text, by_alias) for text in found["chosen"]],
        later.X,
        inputs,
        taken=set(map(str, X.columns)),
        parameters=parameters,
        ranks=later.ranks,
        relevance=later.relevance,
        measure=later.measure,
    )
    refused = {scaled_text(text, by_alias): str(why) for text, why in found["rejected"].items()}
    report = AutoFeatReport(
        status="fitted" if features else "nothing found",
        training_rows=len(X),
        sampled_rows=len(rows),
        confirming_rows=len(kept_back),
        inputs=tuple(inputs.values()),
        estimate=size,
        generated=int(found["generated"]),
        offered=int(found["offered"]),
        rejected={**refused, **rejected},
        seconds=answer.seconds,
        peak_bytes=answer.peak_bytes,
    )
    return features, report


class _Part:
    """Some of the training rows, with what measures relevance on them."""

    def __init__(
        self, X: pd.DataFrame, y: npt.NDArray[np.int64], spans: Spans, n_shifts: int, seed: int
    ) -> None:
        try:
            self.targets = label_targets(y)
        except LabelError as error:
            raise NotEnoughDataError(
                "a part of the training rows holds one class only, so formulas cannot be confirmed",
                got=f"{len(y)} rows",
                allowed="two classes or more among the earlier and among the latest training rows",
                remedy="Train on a longer time range, or leave autofeat out of the plan.",
            ) from error
        self.X, self.y, self.spans = X, y, spans
        self.moves = shifted_targets(spans, n_shifts, seed)
        self.ranks = rank_columns(X)
        self.relevance = self.measure(self.ranks)

    def measure(self, ranks: npt.NDArray[np.float32]) -> Relevance:
        """Return the relevance of ranked columns to the labels of these rows.

        The walk compares columns by z alone, so the degrees of freedom of p are not asked for.
        """
        return measure_relevance(ranks, self.targets, *self.moves)


def _require_autofeat() -> None:
    if importlib.util.find_spec("autofeat") is None:
        raise StageError(
            "autofeat is not installed",
            allowed="autofeat 2.1.1",
            remedy='Install the extra with pip install "onward[automl]", or leave autofeat out of the plan.',
        )


def _require_material(positions: list[int], rows: IntArray) -> None:
    if len(positions) == 0:
        raise StageError(
            "autofeat has no column to start from",
            got="columns that are constant or unknown in more than half of the training rows",
            allowed="at least one column that varies and is known",
            remedy="Check the NaN ledger, or train on a longer time range.",
        )
    if len(rows) < LEAST_ROWS:
        raise NotEnoughDataError(
            "there are too few complete training rows for autofeat",
            got=f"{len(rows)} rows without NaN",
            allowed=f"at least {LEAST_ROWS}",
            remedy="Use a longer time range or fewer folds, or leave autofeat out of the plan.",
        )


def _run(
    sample: FloatArray,
    y: npt.NDArray[np.int64],
    spans: Spans,
    parameters: Parameters,
    *,
    seed: int,
    progress: Progress | None,
) -> Answer:
    """Run the engine in its child."""
    series, step, shifts = shifted_targets(spans, parameters.n_shifts, seed)
    targets = np.column_stack((y, y == 0)).astype(np.float64)
    targets = targets[:, targets.std(axis=0) > 0]  # without a range class there is one target only
    limits = Limits(
        seconds=parameters.timeout_seconds,
        memory_bytes=int(parameters.max_gb * 1e9),
        threads=parameters.threads,
    )
    with IsolatedProcess(limits=limits, hash_seed=0, environment=ENVIRONMENT) as child:
        return child.call(
            ENGINE,
            {"X": sample, "targets": targets, "series": series, "step": step, "shifts": shifts},
            {
                "steps": parameters.feateng_steps,
                "transformations": list(parameters.transformations),
                "runs": parameters.featsel_runs,
                "max_candidates": parameters.max_candidates,
                "seed": seed,
            },
            progress=progress,
            stage="autofeat",
        )
