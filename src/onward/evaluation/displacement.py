"""Which row's value each row gets when a column is made to say nothing, its rhythm kept.

Neighbouring rows of a market share most of their feature windows and of their outcomes. Shuffling
row by row destroys that likeness together with the link to the outcome: the shuffled score then
hardly varies from draw to draw, and a coincidence of a few independent outcomes looks certain.
Blocks at least as long as the longest label keep it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from onward.errors import ConfigError, NotEnoughDataError
from onward.kernels.statistics import draw_shifts, longest_span
from onward.types import IntArray, Spans

__all__ = ["FEWEST_BLOCKS", "Displacement", "displaced_rows", "symbol_codes"]

Displacement: TypeAlias = Literal["blocks", "shift", "rows"]
FEWEST_BLOCKS = 4
"""Stretches of one symbol below which nothing can be displaced far enough in several ways."""


def symbol_codes(index: pd.Index) -> IntArray:
    """Return a number for each row's symbol, shape (n,); zeros when the index has no symbols."""
    if isinstance(index, pd.MultiIndex):
        return np.asarray(pd.factorize(index.get_level_values(0))[0], dtype=np.int64)
    return np.zeros(len(index), dtype=np.int64)


def displaced_rows(
    spans: Spans,
    *,
    method: Displacement = "blocks",
    block_bars: int | None = None,
    n_repeats: int = 5,
    seed: int = 0,
) -> tuple[IntArray, IntArray]:
    """Return, for each repeat, the row whose values each row gets.

    No row gets the value of a row whose outcome overlaps its own: every displacement is at least
    one block (``rows`` excepted). Symbols never mix; symbols with the same bars move alike.

    Parameters
    ----------
    spans
        Of the rows, in any order.
    method
        ``blocks``: equal blocks from a random start, exchanged so that none stays. The up to
        ``n_blocks - 1`` rows that are left over get values from half a circle away.
        ``shift``: one circular shift a repeat. ``rows``: row by row, to compare with others only.
    block_bars
        Rows of a symbol in a block, at least; the longest span when None.
    n_repeats
        Draws.
    seed
        The draws depend on it and on the spans alone.

    Returns
    -------
    tuple
        The rows that take part, sorted, shape (m,): symbols of fewer than four blocks are left
        out; and the rows that they get their values from, shape (n_repeats, m), both as
        positions into ``spans``.

    Raises
    ------
    ConfigError
        When there is nothing to draw, blocks are shorter than the longest span or the method is unknown.
    NotEnoughDataError
        When no symbol has four blocks.
    """
    if method not in ("blocks", "shift", "rows") or n_repeats < 1:
        raise ConfigError(
            "columns cannot be displaced like this",
            got=f"method {method!r}, {n_repeats} repeats",
            allowed="'blocks', 'shift' or 'rows', one repeat at least",
            remedy="Use method='blocks' with five repeats.",
        )
    least = max(1, longest_span(np.unique(spans.start), spans.start, spans.end))
    block = least if block_bars is None else block_bars
    if method == "rows":
        block = 1
    elif block < least:
        raise ConfigError(
            "blocks are shorter than the longest label, so a row could get values of its own outcome",
            got=f"{block} bars",
            allowed=f"{least} bars or more",
            remedy="Leave block_bars out to take the longest label.",
        )
    codes = symbol_codes(spans.index)
    taken: list[IntArray] = []
    sources: list[IntArray] = []
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        rows = rows[np.argsort(spans.start[rows], kind="stable")]
        if len(rows) >= FEWEST_BLOCKS * block:
            taken.append(rows)
            sources.append(rows[_circle(len(rows), block, method, n_repeats, seed)])
    if not taken:
        raise NotEnoughDataError(
            "the rows are too few to displace columns by a whole label",
            got=f"{len(spans)} rows, labels {block} bars long",
            allowed=f"at least {FEWEST_BLOCKS} labels' length of rows a symbol",
            remedy="Use fewer folds, a longer time range or a shorter label horizon.",
        )
    rows = np.concatenate(taken)
    order = np.argsort(rows)
    return rows[order].astype(np.int64), np.concatenate(sources, axis=1)[:, order].astype(np.int64)


def _circle(n: int, block: int, method: Displacement, n_repeats: int, seed: int) -> IntArray:
    """Return where the values of n consecutive rows come from, shape (n_repeats, n)."""
    places = np.arange(n, dtype=np.int64)
    if method == "shift":
        shifts = np.resize(draw_shifts(n, block, n_repeats, seed), n_repeats)
        return (places[None, :] + shifts[:, None]) % n
    sources = np.empty((n_repeats, n), dtype=np.int64)
    for repeat in range(n_repeats):
        generator = np.random.default_rng((seed, repeat))
        if method == "rows":
            sources[repeat] = generator.permutation(n)
            continue
        n_blocks = n // block
        size = n // n_blocks
        around = (places + generator.integers(n)) % n
        inside = around[: n_blocks * size].reshape(n_blocks, size)
        source = np.roll(around, -(n // 2))  # what the rows left over keep
        source[: n_blocks * size] = inside[_derangement(generator, n_blocks)].ravel()
        sources[repeat, around] = source
    return sources


def _derangement(generator: np.random.Generator, n: int) -> IntArray:
    """Return a random permutation that leaves nothing in place (one draw in e does)."""
    while True:
        order = generator.permutation(n)
        if (order != np.arange(n)).all():
            return np.asarray(order, dtype=np.int64)
