from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from onward.kernels.mutual_information import (
    NO_BIN,
    bins_from_ranks,
    mutual_information,
    mutual_information_reference,
)
from onward.kernels.ranks import compact_ranks


def test_bins_hold_about_equally_many_rows_and_ties_share_one():
    generator = np.random.default_rng(0)
    table = generator.normal(size=(1_000, 3)).astype(np.float32)
    table[:100, 1] = np.nan
    table[:, 2] = np.round(table[:, 2])
    ranks, n_known, _ = compact_ranks(table)
    bins = bins_from_ranks(ranks, n_known, 8)
    np.testing.assert_array_equal(np.bincount(bins[0]), np.full(8, 125))
    assert (bins[1][:100] == NO_BIN).all()
    assert np.ptp(np.bincount(bins[1][100:])) <= 2
    for value in np.unique(table[:, 2]):
        assert len(np.unique(bins[2][table[:, 2] == value])) == 1
    assert (np.diff(bins[0][np.argsort(table[:, 0])].astype(int)) >= 0).all()


@pytest.mark.parametrize("n_bins", [2, 8, 64])
def test_information_equals_that_of_the_joint_frequencies(n_bins):
    generator = np.random.default_rng(1)
    bins = generator.integers(0, n_bins, size=(9, 700)).astype(np.uint8)
    bins[3, :50] = NO_BIN
    classes = generator.integers(-1, 3, size=(700, 5)).astype(np.int8)
    found = mutual_information(bins, classes, n_bins, 2)
    np.testing.assert_allclose(found, mutual_information_reference(bins, classes, n_bins), atol=1e-12)
    use = classes[:, 2] >= 0
    assert found[0, 2] == pytest.approx(mutual_info_score(bins[0][use], classes[use, 2]), abs=1e-12)


def test_nothing_known_tells_nothing():
    bins = np.full((1, 20), NO_BIN, dtype=np.uint8)
    assert mutual_information(bins, np.zeros((20, 2), dtype=np.int8), 4).tolist() == [[0.0, 0.0]]
