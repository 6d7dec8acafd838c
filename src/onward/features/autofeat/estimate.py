"""What a run of autofeat will take, reckoned before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from onward.errors import StageError

__all__ = ["Estimate", "estimate", "fitting_size", "generated_columns"]

BASE_BYTES = 400_000_000
"""Interpreter, imported libraries and SymPy's caches: 350 MB measured."""
BYTES_A_COLUMN = 4_000
"""A candidate's SymPy expression, name and bookkeeping."""
COPIES = 4.2
"""Float32 copies of the candidate matrix that exist at once: 3.9 measured."""
SELECTION_COPIES = 9.0
"""The same for the columns in autofeat's selection, which adds noise columns and takes float64."""
BYTES_A_VALUE = 4


@dataclass(frozen=True)
class Estimate:
    """Size of a run.

    Attributes
    ----------
    inputs, rows
        Columns and rows that go in.
    generated
        Upper bound of the columns that autofeat makes on its way.
    peak_bytes
        Upper bound of the child's resident memory.
    """

    inputs: int
    rows: int
    generated: int
    peak_bytes: int


def generated_columns(inputs: int, steps: int, transformations: int) -> int:
    """Return how many columns autofeat makes at most, the intermediate ones included.

    Follows ``autofeat.feateng.engineer_features`` step by step: transformations of the inputs;
    all pairs; transformations of the pairs; old times new; new times new; and so on. A pair gives
    a product in the last step, and product, sum and both differences in earlier ones. (autofeat's
    own ``n_cols_generated`` subtracts what it throws away at the end; memory was needed for it.)

    Parameters
    ----------
    inputs
        Columns that go in.
    steps
        Feature engineering steps.
    transformations
        How many transformations are applied; one fewer takes effect, since ``abs`` applies only
        where ``sqrt`` and ``log`` do not.
    """
    effective = max(1, transformations - 1)
    old = inputs + inputs * effective
    total, new, step = old, 0, 2
    if step <= steps:
        new = comb(old, 2) * _combinations(step, steps)
        total += new
        step += 1
    while step <= steps:
        more = new * effective
        new += more
        total += more
        step += 1
        newest = 0
        for pairs in (old * new, comb(new, 2)):
            if step <= steps:
                made = pairs * _combinations(step, steps)
                newest += made
                total += made
                step += 1
        old, new = old + new, newest
    return total


def estimate(
    inputs: int, rows: int, steps: int, transformations: int, *, max_candidates: int | None = None
) -> Estimate:
    """Return the size of a run; the constants are measured (``benchmarks/autofeat.py``).

    Parameters
    ----------
    inputs, rows
        Columns and rows that go in.
    steps, transformations
        As for `generated_columns`.
    max_candidates
        Candidates that go into the selection; None: all.
    """
    generated = generated_columns(inputs, steps, transformations)
    selected = inputs + (generated if max_candidates is None else min(generated, max_candidates))
    values = rows * (COPIES * generated + SELECTION_COPIES * selected)
    return Estimate(
        inputs, rows, generated, int(BASE_BYTES + BYTES_A_COLUMN * generated + BYTES_A_VALUE * values)
    )


def fitting_size(
    inputs: int,
    rows: int,
    steps: int,
    transformations: int,
    *,
    max_bytes: float,
    max_generated: int,
    max_candidates: int | None = None,
    least_inputs: int = 2,
    least_rows: int = 200,
) -> Estimate:
    """Return the largest run that fits: as many inputs as possible, then as many rows.

    Rows are halved before the last three inputs are given up, since autofeat needs a few columns
    to combine.

    Raises
    ------
    StageError
        If not even the least inputs and rows fit.
    """
    first = min(inputs, 3)
    sizes = [(n, rows) for n in range(inputs, first - 1, -1)]
    less = rows // 2
    while less >= least_rows:
        sizes.append((first, less))
        less //= 2
    sizes += [(n, min(rows, least_rows)) for n in range(first, min(inputs, least_inputs) - 1, -1)]
    for n_inputs, n_rows in sizes:
        found = estimate(n_inputs, n_rows, steps, transformations, max_candidates=max_candidates)
        if found.peak_bytes <= max_bytes and found.generated <= max_generated:
            return found
    raise StageError(
        "autofeat does not fit into the memory it is given",
        got=f"{found.peak_bytes / 1e9:.2f} GB and {found.generated} columns for {found.inputs} inputs,"
        f" {found.rows} rows and {steps} steps",
        allowed=f"max_gb = {max_bytes / 1e9:g}, max_generated = {max_generated}",
        remedy="Raise autofeat.max_gb, or take fewer steps or transformations.",
    )


def _combinations(step: int, steps: int) -> int:
    return 1 if step == steps else 4
