"""Exchanging columns under a forest: against walking through every tree with every copy."""

import numpy as np
import pytest

from onward.kernels.trees import (
    MISSING_NAN,
    MISSING_ZERO,
    MOST_LEAVES,
    exchanged_margins,
    exchanged_margins_reference,
)


def grown(generator, n_leaves, n_columns):
    """Return the nodes of a random tree: any leaf may be split next, as LightGBM grows them."""
    left, right = [], []
    leaves = {0: None}  # leaf to the node and side that it hangs from
    for node in range(n_leaves - 1):
        split = int(generator.choice(list(leaves)))
        if leaves[split] is not None:
            parent, side = leaves[split]
            side[parent] = node
        left.append(-split - 1)
        right.append(-(node + 1) - 1)
        leaves[split], leaves[node + 1] = (node, left), (node, right)
    n = n_leaves - 1
    return (
        generator.integers(0, n_columns, n),
        generator.choice([-1.0, -0.5, 0.0, 0.0, 0.5, 1.0], n),
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        generator.choice([0, MISSING_ZERO, MISSING_NAN], n),
        generator.integers(0, 2, n),
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_groups", [0, 1, 4])
def test_all_trees_are_asked_as_if_one_walked_through_them(seed, n_groups):
    generator = np.random.default_rng(seed)
    n_columns, n, n_repeats = 6, 25, 2
    n_leaves = np.array([1, 2, MOST_LEAVES, 3, 17, 1, 5], dtype=np.int64)
    nodes = [grown(generator, int(k), n_columns) for k in n_leaves]
    trees = tuple(np.concatenate(parts) for parts in zip(*nodes, strict=True))
    values = generator.choice([-2.0, -0.5, 0.0, 1e-40, 0.25, 0.5, 1.5, np.nan], (n_columns, n))
    asked = (
        values,
        np.stack([generator.permutation(n) for _ in range(n_repeats)]),
        generator.integers(-1, n_groups, n_columns),
        n_groups,
        3,
        n_leaves,
        *trees,
        generator.normal(size=int(n_leaves.sum())),
    )
    found, expected = exchanged_margins(*asked), exchanged_margins_reference(*asked)
    np.testing.assert_array_equal(found[0], expected[0])  # the same leaves in the same order: the same bits
    np.testing.assert_array_equal(found[1], expected[1])
    assert found[1].shape == (n_groups, 3, n_repeats, n)
