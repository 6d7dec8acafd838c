"""The stage with autofeat in its child process."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features import FeaturePipeline, FittedPipeline
from onward.features.autofeat import AutoFeatStage
from onward.features.isolation import ChildMemoryError, ChildTimeoutError
from onward.features.selection import ShiftedLabelSelector
from onward.types import Spans

pytest.importorskip("autofeat", reason="autofeat is an extra")

SMALL = {"max_inputs": 4, "max_rows": 500, "max_candidates": 60, "featsel_runs": 1}

AGAIN = """
import json, sys
import numpy as np
import pandas as pd
from onward.features.autofeat import AutoFeatStage
from onward.types import Spans

table = np.load(sys.argv[1])
n = len(table)
times = pd.date_range("2022-01-01", periods=n, freq="h", tz="UTC")
index = pd.MultiIndex.from_product([["BTC/USDT"], times], names=["symbol", "open_time"])
X = pd.DataFrame(table[:, 1:], index=index, columns=json.loads(sys.argv[2])).astype(np.float32)
spans = Spans.from_times(times, times + pd.Timedelta("6h"), index)
if sys.argv[3] == "fit":
    stage = AutoFeatStage(**json.loads(sys.argv[4])).fit(X, table[:, 0].astype(int), spans=spans, seed=7)
    print(json.dumps(stage.to_json()))
else:
    stage = AutoFeatStage.from_json(json.loads(sys.argv[4]))
    np.save(sys.argv[3], stage.transform(X).to_numpy())
    print(json.dumps([name for name in ("autofeat", "sympy", "sklearn") if name in sys.modules]))
"""


def planted(n=1_500, seed=0):
    """Two slow columns whose product says where the price went; others that say nothing."""
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((n, 6))
    columns = np.empty((n, 6))
    columns[0] = noise[0]
    for row in range(1, n):
        columns[row] = 0.8 * columns[row - 1] + noise[row]
    columns[:, 0] += 1.0
    columns[:, 1] = np.abs(columns[:, 1]) + 0.2
    told = columns[:, 0] * columns[:, 1] ** 2
    told = told / told.std() + 0.3 * generator.standard_normal(n)
    low, high = np.quantile(told, [0.35, 0.65])
    y = np.where(told > high, 1, np.where(told < low, -1, 0))
    columns[:, 2] *= 1e-4
    columns[:, 1] *= 1e5
    return columns.astype(np.float32), y


NAMES = ["manual__slope", "manual__size", "manual__tiny", "manual__x", "manual__y", "manual__z"]


@pytest.fixture(scope="module")
def training():
    columns, y = planted()
    times = pd.date_range("2022-01-01", periods=len(y), freq="h", tz="UTC")
    index = pd.MultiIndex.from_product([["BTC/USDT"], times], names=["symbol", "open_time"])
    X = pd.DataFrame(columns, index=index, columns=NAMES)
    X.iloc[:40, 1] = np.nan
    return X, y, Spans.from_times(times, times + pd.Timedelta("6h"), index)


class Given:
    """Columns that are there already."""

    name, scope, lookback = "manual", "symbol", 1

    def columns(self):
        return tuple(NAMES)

    def compute(self, market):
        raise NotImplementedError


@pytest.fixture(scope="module")
def pipeline(training):
    X, y, spans = training
    stages = [AutoFeatStage(**SMALL), ShiftedLabelSelector]
    return FeaturePipeline([Given()], stages).fit(X, y, spans=spans, seed=7)


@pytest.fixture(scope="module")
def fitted(pipeline):
    return pipeline.stages[0]


def test_a_planted_product_is_found(fitted, training):
    stage = fitted
    assert stage.report.status == "fitted"
    best = stage.features[0]
    assert {"manual__slope", "manual__size"} == set(best.inputs.values())
    assert best.z_direction > 5
    table = stage.transform(training[0])
    assert list(table.columns[:6]) == NAMES
    assert all(name.startswith("autofeat__") for name in table.columns[6:])
    assert table[best.name].isna().tolist() == training[0]["manual__size"].isna().tolist()
    told = pd.Series(training[1], index=table.index).corr(table[best.name], method="spearman")
    assert told > 0.6


def test_the_report_says_what_happened(fitted):
    report = fitted.report
    assert report.training_rows == 1_500
    assert report.sampled_rows == 500
    assert report.confirming_rows == 600
    assert set(report.inputs) >= {"manual__slope", "manual__size"}
    assert report.generated > report.offered >= 60
    assert report.estimate.inputs == 4
    assert 100e6 < report.peak_bytes <= report.estimate.peak_bytes
    assert report.seconds > 0


def test_another_process_with_another_hash_seed_fits_the_same(fitted, training, tmp_path):
    X, y, _ = training
    file = tmp_path / "table.npy"
    np.save(file, np.column_stack((y, X.to_numpy(np.float64))))
    told = run(AGAIN, [str(file), json.dumps(NAMES), "fit", json.dumps(SMALL)], hash_seed="4242")
    assert json.loads(told) == json.loads(json.dumps(fitted.to_json()))


def test_prediction_imports_neither_autofeat_nor_sympy(fitted, training, tmp_path):
    X, y, _ = training
    file, result = tmp_path / "table.npy", tmp_path / "result.npy"
    np.save(file, np.column_stack((y, X.to_numpy(np.float64))))
    told = run(AGAIN, [str(file), json.dumps(NAMES), str(result), json.dumps(fitted.to_json())])
    assert json.loads(told) == []
    np.testing.assert_array_equal(np.load(result), fitted.transform(X).to_numpy())


def run(script, arguments, hash_seed="random"):
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_timeout_stops_the_fit_or_is_skipped(training):
    X, y, spans = training
    with pytest.raises(ChildTimeoutError, match=r"timed out after 0\.7 s"):
        AutoFeatStage(**SMALL, timeout_seconds=0.7).fit(X, y, spans=spans)
    skipped = AutoFeatStage(**SMALL, timeout_seconds=0.7, on_failure="skip").fit(X, y, spans=spans)
    assert skipped.report.status == "skipped"
    assert "timed out" in skipped.report.reason
    pd.testing.assert_frame_equal(skipped.transform(X), X)


def test_a_budget_that_nothing_fits_into_is_refused_before_the_start(training):
    X, y, spans = training
    with pytest.raises(StageError, match=r"does not fit into the memory it is given.*max_gb = 0\.1"):
        AutoFeatStage(**SMALL, max_gb=0.1).fit(X, y, spans=spans)


def test_the_child_is_killed_above_its_memory(training, monkeypatch):
    """The estimate is made to lie, as it would with another version of autofeat."""
    monkeypatch.setattr("onward.features.autofeat.estimate.BASE_BYTES", 0)
    X, y, spans = training
    with pytest.raises(ChildMemoryError, match="more memory than it was given"):
        AutoFeatStage(**SMALL, max_gb=0.1).fit(X, y, spans=spans)


def test_it_runs_inside_a_pipeline_before_the_selector(pipeline, training):
    X = training[0]
    assert any(column.startswith("autofeat__") for column in pipeline.output_columns)
    saved = json.loads(json.dumps(pipeline.to_json()))
    again = FittedPipeline.from_json(saved, {"autofeat": AutoFeatStage})
    pd.testing.assert_frame_equal(again.transform(X), pipeline.transform(X), check_exact=True)
