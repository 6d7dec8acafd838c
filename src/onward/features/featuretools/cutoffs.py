"""Definitions to values by featuretools itself, with cutoff times, in a child process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.errors import StageError
from onward.features.featuretools.columns import column
from onward.features.featuretools.definition import Definition
from onward.features.featuretools.parents import PARENTS
from onward.features.featuretools.synthesis import is_installed
from onward.features.isolation import IsolatedProcess, Limits
from onward.types import FloatArray, IntArray, Market

__all__ = ["ByCutoff", "compute_by_cutoff_into", "seen_rows"]

ENGINE = "onward.features.featuretools.engine:calculate"
ROWS_AT_ONCE = 250


@dataclass(frozen=True, eq=False)
class ByCutoff:
    """What featuretools computed.

    Attributes
    ----------
    matrix
        float64, shape (rows, definitions); NaN for what is not a finite number.
    seconds
        CPU time it took, without start and import.
    failed
        Error by position of a definition that raised.
    """

    matrix: FloatArray
    seconds: float
    failed: Mapping[int, str]


def seen_rows(market: Market, rows: IntArray, definitions: Sequence[Definition], window_ns: int) -> IntArray:
    """Return the rows of a market, sorted, that the definitions at some rows may see.

    Those of the same symbol, or of all symbols where symbols are compared, that are neither older
    than the training window nor than any group of the parents.
    """
    parents = [PARENTS[parent] for d in definitions for parent in d.expression.parents]
    crossed = any(parent.cross_section for parent in parents)
    reach = min(window_ns, max((parent.span for parent in parents), default=0))
    times = market.decision_time_ns
    wanted = np.zeros(len(market) + 1, dtype=np.int64)
    for part in market.rows.values():
        own = times[part]
        asked = times[rows] if crossed else times[rows[(rows >= part.start) & (rows < part.stop)]]
        # A group holds its own row whatever the reach.
        first = part.start + np.searchsorted(own, asked - max(reach, 1), side="right")
        last = part.start + np.searchsorted(own, asked, side="right")
        np.add.at(wanted, first, 1)
        np.add.at(wanted, last, -1)
    return np.flatnonzero(np.cumsum(wanted[:-1]) > 0)


def calculate(
    child: IsolatedProcess,
    market: Market,
    values: Mapping[str, FloatArray],
    definitions: Sequence[Definition],
    rows: IntArray,
    window_ns: int,
) -> ByCutoff:
    """Return what featuretools gives at some rows, from a child that is running.

    Parameters
    ----------
    child
        Its limits hold for this call; errors as of `onward.features.isolation.IsolatedProcess.call`.
    market, values
        Bars, and the columns of `onward.features.featuretools.columns.base_values`.
    definitions
        What to compute.
    rows
        Positions in the market.
    window_ns
        Training window.
    """
    seen = seen_rows(market, rows, definitions, window_ns)
    names = list(dict.fromkeys(c for d in definitions for c in d.expression.columns))
    parents = list(dict.fromkeys(p for d in definitions for p in d.expression.parents))
    symbol = market.index.codes[0].astype(np.int64)[seen]
    groups = []
    for parent in parents:
        numbers = PARENTS[parent].numbers(market)[seen]
        if not PARENTS[parent].cross_section:
            numbers = numbers * len(market.symbols) + symbol
        groups.append(numbers)
    answer = child.call(
        ENGINE,
        {
            "time": market.decision_time_ns[seen],
            "values": np.array([values[name][seen] for name in names]).reshape(len(names), len(seen)),
            "groups": np.array(groups, dtype=np.int64).reshape(len(parents), len(seen)),
            "rows": np.searchsorted(seen, rows),
        },
        {
            "columns": {name: "flag" if column(name).meaning == "flag" else "number" for name in names},
            "parents": parents,
            "expressions": [definition.expression.to_json() for definition in definitions],
            "window_ns": window_ns,
        },
        stage="featuretools",
    )
    matrix = np.asarray(answer.arrays["matrix"], dtype=np.float64)
    failed = {int(key): str(why) for key, why in answer.results["failed"].items()}
    return ByCutoff(matrix, float(answer.results["seconds"]), failed)


def compute_by_cutoff_into(
    definitions: Sequence[tuple[int, Definition]],
    market: Market,
    values: Mapping[str, FloatArray],
    window_ns: int,
    out: npt.NDArray[Any],
    limits: Limits,
    done: Callable[[int], None],
) -> None:
    """Write definitions that no kernel computes into columns of a matrix, a few hundred rows at a time.

    Raises
    ------
    StageError
        When featuretools is missing, or a primitive raises; `IsolationError` when the child is
        killed or exceeds its limits (the time limit holds for each portion of rows).
    """
    if not is_installed():
        raise StageError(
            "features of this stage need featuretools itself, which is not installed",
            got=", ".join(definition.column for _, definition in definitions[:3]),
            allowed="featuretools 1.31.0",
            remedy='Install the extra with pip install "onward[automl]", or leave these primitives out.',
        )
    wanted = [definition for _, definition in definitions]
    positions = [position for position, _ in definitions]
    with IsolatedProcess(limits=limits, hash_seed=0) as child:
        for rows in _portions(len(market)):
            found = calculate(child, market, values, wanted, rows, window_ns)
            if found.failed:
                place, why = next(iter(found.failed.items()))
                raise StageError(
                    f"featuretools cannot compute {wanted[place].column!r}",
                    got=why,
                    allowed="primitives that take what the column holds, unknown values included",
                    remedy="Leave the primitive out.",
                )
            out[rows[0] : rows[-1] + 1, positions] = found.matrix
            done(int(rows[-1]) + 1)


def _portions(n_rows: int) -> Iterator[IntArray]:
    for first in range(0, n_rows, ROWS_AT_ONCE):
        yield np.arange(first, min(first + ROWS_AT_ONCE, n_rows), dtype=np.int64)
