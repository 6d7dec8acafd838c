"""autofeat itself, run inside a child process. Nothing else imports autofeat or SymPy."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError
from onward.features.autofeat.evaluate import evaluate
from onward.features.autofeat.formula import parse
from onward.features.selection.relevance import measure_relevance
from onward.kernels.statistics import centred_ranks
from onward.types import FloatArray

__all__ = ["ALIAS", "RELATIVE_TOLERANCE", "own_transform", "search", "translated_checks"]

ALIAS = "x{:03d}"
"""Column names for autofeat, which looks for them as parts of formulas: none is part of another."""
RELATIVE_TOLERANCE = 1e-9


def search(
    arrays: Mapping[str, npt.NDArray[Any]],
    values: Mapping[str, Any],
    progress: Callable[[float, float, str], None],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let autofeat generate and select formulas.

    The two halves of ``AutoFeatRegressor.fit`` are called one after the other, with a screening
    between them: of the candidates, only those that stand highest above circularly shifted labels
    go into autofeat's selection, whose cost grows faster than their number. Left out is what
    follows there, the final linear model, which nobody would use.

    Parameters
    ----------
    arrays
        ``X`` float64 (n_rows, n_inputs), finite; ``targets`` float64 (n_rows, n_targets); and
        ``series``, ``step``, ``shifts`` of `onward.features.selection.relevance.shifted_targets`.
    values
        ``steps``, ``transformations``, ``runs``, ``max_candidates`` (None: all) and ``seed``.
    progress
        Told before each part of the work.

    Returns
    -------
    arrays : dict
        Empty.
    values : dict
        ``chosen``: formulas by how often they were selected, best first; ``rejected``: reason by
        formula; ``generated`` and ``offered``: counts.
    """
    warnings.simplefilter("ignore")
    parts = 2 + arrays["targets"].shape[1]
    progress(0, parts, "importing autofeat")
    generation = importlib.import_module("autofeat.feateng")
    selection = importlib.import_module("autofeat.featsel")
    X = np.array(arrays["X"], dtype=np.float64)
    names = [ALIAS.format(i) for i in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    # Seeds of its own draws that precede the selection; the selection seeds itself, run by run.
    np.random.seed(values["seed"] % 2**32)  # noqa: NPY002 - the generator that autofeat uses

    progress(1, parts, "generating candidates")
    table, pool = generation.engineer_features(frame, None, None, values["steps"], values["transformations"])
    candidates = [column for column in table.columns if column not in names]
    offered: set[str] = set()
    counts: dict[str, int] = {}
    targets = np.array(arrays["targets"], dtype=np.float64)
    standing = _standing(table[candidates], targets, arrays, values["max_candidates"])
    for target in range(targets.shape[1]):
        progress(2 + target, parts, "selecting formulas")
        best = _best(candidates, standing, target, values["max_candidates"])
        offered.update(best)
        chosen = selection.select_features(
            table[[*names, *best]], targets[:, target], values["runs"], None, "regression", 1
        )
        for place, formula in enumerate(map(str, chosen)):
            if formula not in names:
                counts[formula] = min(counts.get(formula, place), place)
    ordered = sorted(counts, key=lambda formula: (counts[formula], formula))
    kept, rejected = _verified(ordered, frame, pool)
    return {}, {
        "chosen": kept,
        "rejected": rejected,
        "generated": len(candidates),
        "offered": len(offered),
    }


def own_transform(formulas: list[str], frame: pd.DataFrame, pool: Mapping[str, Any]) -> pd.DataFrame:
    """Return what autofeat's own ``transform`` gives for formulas of its pool.

    Parameters
    ----------
    formulas
        Keys of the pool.
    frame
        All input columns, in the order of the fit.
    pool
        SymPy expression by formula, from ``engineer_features``.
    """
    model = importlib.import_module("autofeat.autofeat").AutoFeatRegressor()
    model.original_columns_ = model.feateng_cols_ = list(frame.columns)
    model.feature_formulas_ = dict(pool)
    model.feature_functions_ = {}
    model.new_feat_cols_ = list(formulas)
    with translated_checks():
        table: pd.DataFrame = model.transform(frame)
    return table[list(formulas)]


@contextmanager
def translated_checks() -> Iterator[None]:
    """Let autofeat 2.1.1 run with scikit-learn 1.6 and later.

    Its modules call ``check_array(force_all_finite=...)``, which is now ``ensure_all_finite``.
    Only the name inside those two modules is replaced, and only for the block.
    """
    modules = [importlib.import_module(name) for name in ("autofeat.autofeat", "autofeat.featsel")]
    originals = [module.check_array for module in modules]

    def translated(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def check(*arguments: Any, **options: Any) -> Any:
            if "force_all_finite" in options:
                options["ensure_all_finite"] = options.pop("force_all_finite")
            return original(*arguments, **options)

        return check

    try:
        for module, original in zip(modules, originals, strict=True):
            setattr(module, "check_array", translated(original))  # noqa: B010
        yield
    finally:
        for module, original in zip(modules, originals, strict=True):
            setattr(module, "check_array", original)  # noqa: B010


def _standing(
    table: pd.DataFrame, targets: FloatArray, arrays: Mapping[str, Any], most: int | None
) -> FloatArray | None:
    """Return how far each candidate stands above shifted labels, shape (n_candidates, n_targets)."""
    if most is None or table.shape[1] <= most:
        return None
    ranks = np.empty((table.shape[1], len(table)), dtype=np.float32)
    for column in range(table.shape[1]):
        ranks[column] = centred_ranks(np.ascontiguousarray(table.iloc[:, column].to_numpy()))
    centred = targets - targets.mean(axis=0)
    centred /= np.sqrt((centred * centred).sum(axis=0))
    series, step, shifts = (np.array(arrays[name]) for name in ("series", "step", "shifts"))
    return measure_relevance(ranks, centred.astype(np.float32), series, step, shifts).z


def _best(candidates: list[str], standing: FloatArray | None, target: int, most: int | None) -> list[str]:
    """Return the candidates that stand highest, in the order in which autofeat made them."""
    if standing is None:
        return candidates
    order = np.argsort(-standing[:, target], kind="stable")[:most]
    return [candidates[i] for i in np.sort(order)]


def _verified(
    formulas: list[str], frame: pd.DataFrame, pool: Mapping[str, Any]
) -> tuple[list[str], dict[str, str]]:
    """Keep the formulas that our evaluator gives as autofeat's own ``transform`` does."""
    kept, rejected = [], {}
    columns = {str(name): frame[name].to_numpy() for name in frame.columns}
    theirs = own_transform(formulas, frame, pool) if formulas else frame
    for formula in formulas:
        try:
            ours = evaluate(parse(formula), columns)
        except StageError as error:
            rejected[formula] = f"cannot be saved: {error.got}"
            continue
        wanted = theirs[formula].to_numpy()
        # Where terms cancel, digits are lost on both sides: there the column's scale counts.
        scale = float(np.sqrt(np.mean(wanted * wanted)))
        close = np.isclose(ours, wanted, rtol=RELATIVE_TOLERANCE, atol=RELATIVE_TOLERANCE * 1e-3 * scale)
        if close.all():
            kept.append(formula)
        else:
            rejected[formula] = f"our value differs from autofeat's in {int((~close).sum())} rows"
    return kept, rejected
