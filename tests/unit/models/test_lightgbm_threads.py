import os
import subprocess
import sys

import numpy as np
import pytest

from onward.models import LightGBMModel, lightgbm, threads


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    features = random.normal(size=(600, 8)).astype(np.float32)
    return features, np.sign(np.round(features[:, 0] + random.normal(size=600))).astype(np.int64)


def used(model: LightGBMModel, n_rows: int, n_columns: int) -> int:
    return model.native_parameters(n_rows, n_columns)["num_threads"]


def test_small_matrices_get_one_thread_and_large_ones_no_more_than_allowed():
    assert used(LightGBMModel(n_threads=8), 16_000, 24) == 1
    assert used(LightGBMModel(n_threads=8), 16_000, 200) == 7
    assert used(LightGBMModel(n_threads=2), 1_000_000, 200) == 2


def test_without_a_cap_large_matrices_get_all_cores():
    assert used(LightGBMModel(), 10_000_000, 1_000) == os.cpu_count()


def test_the_bytes_of_a_model_do_not_depend_on_its_threads(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "CELLS_A_THREAD", 1_000)
    for n_threads in (1, 3):
        model = LightGBMModel(n_rounds=12, n_threads=n_threads)
        assert used(model, *rows[0].shape) == n_threads
        model.fit(*rows).save(tmp_path / str(n_threads))
    one, three = (tmp_path / name / lightgbm.MODEL_FILE for name in ("1", "3"))
    assert one.read_bytes() == three.read_bytes()


@pytest.mark.parametrize(("given", "kept"), [(None, "passive"), ("active", "active")])
def test_waiting_threads_sleep_unless_told_otherwise(given, kept):
    code = (
        "import os; from onward.models.libraries import import_library; import_library('lightgbm');"
        "print(os.environ['OMP_WAIT_POLICY'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    if given is not None:
        environment["OMP_WAIT_POLICY"] = given
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == kept
