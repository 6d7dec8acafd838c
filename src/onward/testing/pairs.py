"""A few combinations that hold every pair of choices at least once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

__all__ = ["pairwise_cover"]


def pairwise_cover(choices: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Return combinations in which every two choices of different kinds meet at least once.

    Greedy: the combination that holds most pairs not met yet comes next, the first in the order
    of the choices on a draw. So the same choices always give the same combinations, and most
    faults of a product show, because few need three particular choices at once (Cohen, Dalal,
    Fredman, Patton, "The AETG System", IEEE Transactions on Software Engineering 23, 1997).

    Parameters
    ----------
    choices
        The choices of each kind, by name of the kind.

    Returns
    -------
    One dictionary a combination: the choice of each kind. Empty when a kind has no choice.

    Examples
    --------
    >>> cover = pairwise_cover({"model": ["a", "b"], "split": ["x", "y"], "label": ["1", "2"]})
    >>> len(cover)
    4
    """
    kinds = list(choices)
    every = [dict(zip(kinds, chosen, strict=True)) for chosen in product(*choices.values())]
    if len(kinds) < 2:
        return every
    pairs = [_pairs(one) for one in every]
    missing = set().union(*pairs) if pairs else set()
    cover = []
    while missing:
        met = [len(one & missing) for one in pairs]
        best = met.index(max(met))
        cover.append(every[best])
        missing -= pairs[best]
    return cover


def _pairs(chosen: Mapping[str, str]) -> frozenset[tuple[tuple[str, str], tuple[str, str]]]:
    return frozenset(combinations(chosen.items(), 2))
