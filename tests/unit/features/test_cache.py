from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.features.cache import FeatureCache, cache_key, code_version
from onward.features.manual import ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline
from onward.testing.markets import random_walk

SHAPE = (50, 3)


def filler(value: float, calls: list[float] | None = None):
    def fill(matrix):
        matrix[:] = value
        if calls is not None:
            calls.append(value)

    return fill


def entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def test_a_matrix_is_computed_once_and_mapped_afterwards(tmp_path):
    cache, calls = FeatureCache(tmp_path / "deep" / "cache"), []
    first = cache.build("key", SHAPE, np.float32, filler(1.5, calls))
    second = FeatureCache(cache.directory).build("key", SHAPE, np.float32, filler(2.5, calls))
    assert calls == [1.5]
    for matrix in (first, second):
        assert isinstance(matrix, np.memmap)
        assert matrix.dtype == np.float32
        assert matrix.flags.f_contiguous
        np.testing.assert_array_equal(matrix, np.full(SHAPE, 1.5))
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 0.0
    assert len(entries(cache.directory)) == 1


@pytest.mark.parametrize("place", [0, 9, 60, -1])
def test_a_flipped_byte_is_noticed_and_the_entry_computed_anew(tmp_path, place, caplog):
    cache = FeatureCache(tmp_path)
    cache.build("key", SHAPE, np.float64, filler(1.0))
    (path,) = entries(tmp_path)
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    path.write_bytes(bytes(data))
    again = cache.build("key", SHAPE, np.float64, filler(7.0))
    np.testing.assert_array_equal(again, np.full(SHAPE, 7.0))
    assert "damaged" in caplog.text
    assert len(entries(tmp_path)) == 1


def test_a_file_that_was_cut_short_is_computed_anew(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.build("key", SHAPE, np.float64, filler(1.0))
    (path,) = entries(tmp_path)
    path.write_bytes(path.read_bytes()[:40])
    np.testing.assert_array_equal(cache.build("key", SHAPE, np.float64, filler(7.0)), np.full(SHAPE, 7.0))


def test_another_shape_is_not_served(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.build("key", SHAPE, np.float64, filler(1.0))
    other = cache.build("key", (20, 3), np.float64, filler(7.0))
    np.testing.assert_array_equal(other, np.full((20, 3), 7.0))


def test_a_computation_that_fails_leaves_nothing_behind(tmp_path):
    def fail(matrix):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        FeatureCache(tmp_path).build("key", SHAPE, np.float64, fail)
    assert entries(tmp_path) == []


def test_a_directory_that_cannot_be_written_costs_speed_only(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    matrix = FeatureCache(blocked / "cache").build("key", SHAPE, np.float64, filler(3.0))
    np.testing.assert_array_equal(matrix, np.full(SHAPE, 3.0))
    assert "cannot be written" in caplog.text


def test_a_full_disk_costs_speed_only(tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    matrix = FeatureCache(tmp_path).build("key", SHAPE, np.float64, filler(3.0))
    np.testing.assert_array_equal(matrix, np.full(SHAPE, 3.0))
    assert entries(tmp_path) == []


def _write_and_read(directory: str, seed: int) -> bool:
    cache = FeatureCache(directory)
    for number in range(15):
        matrix = cache.build(f"key{number}", (2_000, 4), np.float64, filler(float(number)))
        if not (np.asarray(matrix) == number).all():
            return False
    return True


def test_processes_that_write_the_same_keys_do_not_disturb_each_other(tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(_write_and_read, [(str(tmp_path), seed) for seed in range(4)]) == [True] * 4
    assert len(entries(tmp_path)) == 15
    assert all(path.suffix == ".npy" for path in entries(tmp_path))


def test_the_key_depends_on_data_stage_type_and_code():
    spec = {"stage": "manual", "options": {"a": 1}}
    keys = {
        cache_key("data", spec, np.float32),
        cache_key("other", spec, np.float32),
        cache_key("data", {**spec, "options": {"a": 2}}, np.float32),
        cache_key("data", spec, np.float64),
    }
    assert len(keys) == 4
    assert cache_key("data", dict(reversed(spec.items())), "float32") in keys
    assert len(code_version()) == 64


def test_a_pipeline_is_served_from_the_cache(tmp_path):
    market = random_walk(400)
    stages = [
        ManualFeaturesStage(["price"], timeframe=market.timeframe),
    ]
    plain = FeaturePipeline(stages).compute(market)
    pipeline = FeaturePipeline(stages, cache=FeatureCache(tmp_path))
    for _ in range(2):
        pd.testing.assert_frame_equal(pipeline.compute(market), plain, check_exact=True)
    assert len(entries(tmp_path)) == 1
    before = entries(tmp_path)[0].stat().st_mtime_ns
    pipeline.compute(market.replace())
    assert entries(tmp_path)[0].stat().st_mtime_ns == before
    pipeline.compute(random_walk(400, seed=1))
    assert len(entries(tmp_path)) == 2


def test_a_stage_from_outside_is_computed_every_time(tmp_path):
    class Mine(ManualFeaturesStage):
        pass

    market = random_walk(100)
    pipeline = FeaturePipeline([Mine(["price"], timeframe=market.timeframe)], cache=FeatureCache(tmp_path))
    assert len(pipeline.compute(market)) == 100
    assert entries(tmp_path) == []


def test_several_stages_have_an_entry_each(tmp_path):
    from onward.features.manual import Alpha158Stage

    market = random_walk(300)
    stages = [
        ManualFeaturesStage(["price"], timeframe=market.timeframe),
        Alpha158Stage(timeframe=market.timeframe),
    ]
    plain = FeaturePipeline(stages).compute(market)
    cached = FeaturePipeline(stages, cache=FeatureCache(tmp_path))
    pd.testing.assert_frame_equal(cached.compute(market), plain, check_exact=True)
    pd.testing.assert_frame_equal(cached.compute(market), plain, check_exact=True)
    assert len(entries(tmp_path)) == 2
