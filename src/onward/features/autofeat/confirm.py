"""autofeat proposes; rows that it did not see, and shifted labels, decide."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.features.autofeat.evaluate import evaluate
from onward.features.autofeat.formula import Formula, parse
from onward.features.autofeat.naming import column_name, unique
from onward.features.autofeat.parameters import Parameters
from onward.features.autofeat.report import GeneratedFeature
from onward.features.selection.relevance import Relevance
from onward.kernels.statistics import centred_ranks

__all__ = ["confirm"]


def confirm(
    texts: Sequence[str],
    X: pd.DataFrame,
    inputs: Mapping[str, str],
    *,
    taken: Collection[str],
    parameters: Parameters,
    ranks: npt.NDArray[np.float32],
    relevance: Relevance,
    measure: Callable[[npt.NDArray[np.float32]], Relevance],
) -> tuple[tuple[GeneratedFeature, ...], dict[str, str]]:
    """Keep formulas that stand above shifted labels and above their own inputs, and are no copies.

    The inputs were the best of many, so that formulas over inputs that know nothing mostly fall
    behind them; and a formula that says less than one of its inputs has little to add.

    Parameters
    ----------
    texts
        Formulas over aliases.
    X
        The rows that were kept back, with the inputs as columns.
    inputs
        Column by alias.
    taken
        Column names that must not be given again.
    parameters
        Thresholds and places.
    ranks, relevance
        Centred ranks of the columns of ``X``, shape (n_columns, n_rows), and their relevance.
    measure
        Relevance of given ranks to the labels of these rows.

    Returns
    -------
    features : tuple of GeneratedFeature
        Most relevant first.
    rejected : dict
        Reason by formula.
    """
    if not texts:
        return (), {}
    formulas = [parse(text) for text in texts]
    columns = {alias: X[column].to_numpy() for alias, column in inputs.items()}
    made = np.empty((len(formulas), len(X)), dtype=np.float32)
    for place, formula in enumerate(formulas):
        made[place] = centred_ranks(evaluate(formula, columns))
    z = measure(made).z
    position = {column: place for place, column in enumerate(map(str, X.columns))}
    kept: list[int] = []
    rejected: dict[str, str] = {}
    for place in map(int, np.argsort(-z.max(axis=1), kind="stable")):
        formula, best = formulas[place], float(z[place].max())
        own = [inputs[alias] for alias in formula.names]
        places = [position[column] for column in own]
        gains = z[place] > relevance.z[places].max(axis=0)
        others = np.concatenate((ranks[places], made[kept]))
        likeness = np.abs(others @ made[place])
        closest = int(likeness.argmax())
        if not made[place].any():
            rejected[formula.text] = "constant or unknown in the rows kept back"
        elif parameters.min_z is not None and best <= parameters.min_z:
            needed = f"needed {parameters.min_z:g}"
            rejected[formula.text] = f"no better than shifted labels (z {best:.2f}, {needed})"
        elif parameters.min_z is not None and not (gains & (z[place] > parameters.min_z)).any():
            rejected[formula.text] = f"says less than its inputs (z {best:.2f})"
        elif parameters.max_correlation < 1 and likeness[closest] > parameters.max_correlation:
            twin = [*own, *(texts[other] for other in kept)][closest]
            rejected[formula.text] = f"orders rows as {twin} (rank correlation {likeness[closest]:.3f})"
        elif len(kept) == parameters.max_formulas:
            rejected[formula.text] = f"beyond the {parameters.max_formulas} places (z {best:.2f})"
        else:
            kept.append(place)
    chosen = [formulas[place] for place in kept]
    names = _names(chosen, inputs, taken)
    return tuple(
        GeneratedFeature(
            name=name,
            formula=formula.text,
            inputs={alias: inputs[alias] for alias in formula.names},
            z_direction=round(float(z[place, 0]), 4),
            z_range=round(float(z[place, 1]), 4),
        )
        for place, name, formula in zip(kept, names, chosen, strict=True)
    ), rejected


def _names(formulas: Sequence[Formula], inputs: Mapping[str, str], taken: Collection[str]) -> list[str]:
    """Return unique column names; an input may have been called so already."""
    wanted = (column_name(f.text, {alias: inputs[alias] for alias in f.names}) for f in formulas)
    names = unique(wanted)
    return [name if name not in taken else f"{name}__generated" for name in names]
