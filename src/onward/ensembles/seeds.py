"""Seeds of the parts of one fit, all from one."""

from __future__ import annotations

import numpy as np

__all__ = ["derived_seed"]


def derived_seed(seed: int, *path: int) -> int:
    """Return the seed of one part of a fit, between 0 and 2**31 - 1.

    Sums such as ``seed + number`` meet again (fold 1 of seed 0 is fold 0 of seed 1), so that parts
    that should be drawn apart are drawn alike. Hashing keeps them apart, on every machine the same
    way.

    Parameters
    ----------
    seed
        Seed of the whole, not negative.
    *path
        Which part: number of the member, of the inner fold, of the attempt.
    """
    # The length keeps (0,) and (0, 0) apart: a sequence is filled up with zeros.
    return int(np.random.SeedSequence([seed, len(path), *path]).generate_state(1)[0] >> 1)
