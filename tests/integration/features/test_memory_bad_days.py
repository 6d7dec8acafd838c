"""An engine's process is killed from outside in the middle of its work: a clear error, or a stated
degradation; nothing of it stays, nothing is half written, and the next try succeeds."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks._memory_runs import Held
from onward.features.autofeat import AutoFeatStage
from onward.features.cache import FeatureCache
from onward.features.featuretools import FeaturetoolsStage
from onward.features.isolation import ChildKilledError
from onward.features.pipeline import FeaturePipeline
from onward.features.tsfresh import rolling_features
from onward.features.tsfresh.stage import TSFreshStage
from onward.testing.markets import random_walk
from onward.types import Spans

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="processes are found in /proc"),
    pytest.mark.skipif(
        any(find_spec(name) is None for name in ("autofeat", "featuretools", "tsfresh")),
        reason="needs the automl extra",
    ),
]

STARTED_MB = 60
"""An interpreter alone holds about 15 MB: a process of so many is loading its engine or at work."""
BY_TSFRESH = {"augmented_dickey_fuller": [{"attr": "pvalue", "autolag": "t-stat"}]}


class Killer:
    """Kills the first process below a directory that has grown, once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.killed = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._wait)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._over.set()
        self._thread.join()

    def _wait(self) -> None:
        while not self.killed and not self._over.wait(0.01):
            for process in Path("/proc").iterdir():
                if process.name.isdigit() and grown_below(self.directory, process):
                    os.kill(int(process.name), signal.SIGKILL)
                    self.killed = int(process.name)
                    return


def grown_below(directory: Path, process: Path) -> bool:
    try:
        below = (process / "cwd").readlink().is_relative_to(directory)
        pages = int((process / "statm").read_text().split()[1]) if below else 0
    except OSError:
        return False
    return pages * os.sysconf("SC_PAGE_SIZE") > STARTED_MB * 1e6


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where children work; afterwards nothing of them may be left, here or in this process."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    before = Held.now(directory)
    yield directory
    end = time.monotonic() + 5  # the system takes a moment to bury a process
    while (after := Held.now(directory)).processes and time.monotonic() < end:
        time.sleep(0.05)
    assert (after.processes, after.files) == (0, 0)
    assert after.descriptors <= before.descriptors
    assert after.threads <= before.threads


def training() -> tuple[pd.DataFrame, np.ndarray, Spans]:
    """Return rows that autofeat is fitted on."""
    n = 600
    generator = np.random.default_rng(1)
    times = pd.date_range("2022-01-01", periods=n, freq="h", tz="UTC")
    index = pd.MultiIndex.from_product([["S/USD"], times], names=["symbol", "open_time"])
    columns = [f"manual__{name}" for name in "abcd"]
    X = pd.DataFrame(generator.normal(size=(n, 4)).astype(np.float32), index=index, columns=columns)
    return X, generator.integers(-1, 2, n), Spans.from_times(times, times + pd.Timedelta("3h"), index)


def fit_autofeat(**options: Any) -> AutoFeatStage:
    X, y, spans = training()
    small = {"max_inputs": 4, "max_rows": 300, "max_candidates": 40, "featsel_runs": 1}
    return AutoFeatStage(**{**small, **options}).fit(X, y, spans=spans)


def by_featuretools() -> FeaturetoolsStage:
    """Return a stage of which featuretools itself computes a column."""
    return FeaturetoolsStage.for_market(
        random_walk(60, seed=2),
        aggregations=["count_above_mean"],
        transforms=[],
        ranks=[],
        parents=["day"],
        columns=["log_range"],
    )


@pytest.mark.parametrize(
    "work",
    [
        fit_autofeat,
        lambda: rolling_features(np.arange(300.0), window=40, parameters=BY_TSFRESH),
        lambda: by_featuretools().compute(random_walk(60, seed=2)),
    ],
    ids=["autofeat", "tsfresh", "featuretools"],
)
def test_an_engine_that_is_killed_is_an_error_that_says_so(work: Callable[[], object], scratch: Path) -> None:
    with (
        Killer(scratch) as killer,
        pytest.raises(ChildKilledError, match=r"killed by the system or by somebody \(SIGKILL\).*memory"),
    ):
        work()
    assert killer.killed


def test_autofeat_that_is_killed_can_be_gone_without(scratch: Path) -> None:
    with Killer(scratch) as killer:
        stage = fit_autofeat(on_failure="skip")
    assert killer.killed
    assert stage.report.status == "skipped"
    assert "SIGKILL" in stage.report.reason
    X, _, _ = training()
    pd.testing.assert_frame_equal(stage.transform(X), X)


def test_a_check_that_is_killed_is_skipped_and_says_so(scratch: Path) -> None:
    market = random_walk(200, seed=4)
    stage = FeaturetoolsStage.for_market(market, columns=["log_return"], parents=["day"])
    with Killer(scratch) as killer:
        report = stage.verify(market)
    assert killer.killed
    assert report.status == "skipped"
    assert "SIGKILL" in report.reason


def test_a_matrix_whose_engine_was_killed_is_not_kept_and_the_next_try_succeeds(
    scratch: Path, tmp_path: Path
) -> None:
    market = random_walk(50, seed=5)
    stage = TSFreshStage(["close_logret"], windows=[30], parameters={"mean": None, **BY_TSFRESH})
    cache = FeatureCache(tmp_path / "cache")
    pipeline = FeaturePipeline([stage], cache=cache)
    with Killer(scratch) as killer, pytest.raises(ChildKilledError):
        pipeline.compute(market)
    assert killer.killed
    assert cache.stats().n_entries == 0
    assert not list((tmp_path / "cache").glob("*.part"))
    table = pipeline.compute(market)
    assert table.notna().any().all()
    assert cache.stats().n_entries == 1
