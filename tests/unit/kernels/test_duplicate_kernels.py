from __future__ import annotations

import numpy as np

from onward.kernels.duplicates import follow_leaders, order_fingerprints
from onward.kernels.ranks import compact_ranks


def fingerprints(*columns):
    table = np.column_stack(columns).astype(np.float32)
    return order_fingerprints(compact_ranks(table)[0])


def test_monotone_twins_share_a_fingerprint_and_know_their_direction():
    x = np.random.default_rng(0).normal(size=200)
    same, affine, log, flipped, other = fingerprints(x, 3 * x + 1, np.exp(x), -x, x**2)
    assert same == affine == log
    assert flipped[0] == same[0]
    assert flipped[1] != same[1]
    assert other[0] != same[0]


def test_what_is_unknown_belongs_to_the_fingerprint():
    x = np.random.default_rng(0).normal(size=200)
    late = np.where(np.arange(200) < 10, np.nan, x)
    whole, first, again = fingerprints(x, late, -late)
    assert whole[0] != first[0]
    assert first[0] == again[0]


def test_every_follower_is_directly_alike_to_its_leader():
    likeness = np.eye(4, dtype=np.float32)
    for a, b, value in ((0, 1, 0.97), (1, 2, -0.96), (2, 3, 0.5), (0, 2, 0.9)):
        likeness[a, b] = likeness[b, a] = value
    # 0 - 1 - 2 is a chain: with 0 first, 2 is not alike to it and leads itself.
    np.testing.assert_array_equal(follow_leaders(likeness, [0, 1, 2, 3], 0.95), [0, 0, 2, 3])
    np.testing.assert_array_equal(follow_leaders(likeness, [1, 0, 2, 3], 0.95), [1, 1, 1, 3])
    np.testing.assert_array_equal(follow_leaders(likeness, [0, 2, 1, 3], 0.95), [0, 0, 2, 3])
