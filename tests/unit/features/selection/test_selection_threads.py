"""The same rows give the same ledger, to the last character, whatever number of threads there is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from onward.features.selection import AdvancedFeatureSelector, ShiftedLabelSelector
from onward.types import Spans

HOUR = 3_600_000_000_000


def rows(n_rows: int = 2_000, n_columns: int = 100):
    """Slow columns, relatives of one another, some known late; enough for a library to use threads."""
    generator = np.random.default_rng(7)
    steps = generator.normal(size=(n_rows + 23, n_columns // 2)).cumsum(axis=0)
    slow = steps[23:] - steps[:-23]
    relatives = slow + generator.normal(0, 1.2, slow.shape)
    values = np.hstack((slow, relatives)).astype(np.float32)
    values[:100, ::3] = np.nan
    outcome = slow[:, 0] + generator.normal(0, 8, n_rows)
    y = np.digitize(outcome, np.quantile(outcome, [1 / 3, 2 / 3])) - 1
    start = HOUR * np.arange(n_rows, dtype=np.int64)
    X = pd.DataFrame(values, columns=[f"manual__{j}" for j in range(n_columns)])
    return X, y, Spans(X.index, start, start + 24 * HOUR)


def ledgers(n_threads: int = 0) -> str:
    X, y, spans = rows()
    whole = AdvancedFeatureSelector(n_null=5, importance_rows=500, n_threads=n_threads)
    pearson = AdvancedFeatureSelector(
        null_importance=False, mutual_information=False, correlation_method="pearson", n_threads=n_threads
    )
    fitted = (stage.fit(X, y, spans=spans) for stage in (whole, pearson, ShiftedLabelSelector()))
    return json.dumps([stage.to_json() for stage in fitted])


def test_the_ledger_does_not_tell_how_many_threads_made_it():
    found = set()
    for blas, ours in ((1, 1), (2, 2), (3, 0)):
        with threadpool_limits(limits=blas, user_api="blas"):
            found.add(ledgers(ours))
    assert len(found) == 1


@pytest.mark.slow
def test_neither_does_that_of_another_process():
    code = "import test_selection_threads as t; print(t.ledgers())"
    known = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**known, "OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(told[0]) > 10_000
