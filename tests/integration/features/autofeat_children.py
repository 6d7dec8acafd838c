"""Functions that tests of autofeat run in a child process, where autofeat may be imported."""

import warnings

import numpy as np
import pandas as pd

from onward.features.autofeat import evaluate, parse
from onward.features.autofeat.engine import own_transform, search
from onward.features.autofeat.estimate import generated_columns
from onward.features.autofeat.naming import scaled_text


def frame(arrays):
    X = np.array(arrays["X"])
    return pd.DataFrame(X, columns=[f"x{i:03d}" for i in range(X.shape[1])])


def every_formula(arrays, values, progress):
    """Generate formulas and give autofeat's own values of them beside ours."""
    warnings.simplefilter("ignore")
    from autofeat.feateng import engineer_features, n_cols_generated

    given = frame(arrays)
    steps, transformations = values["steps"], values["transformations"]
    table, pool = engineer_features(given, None, None, steps, transformations)
    formulas = [c for c in table.columns if c not in given.columns]
    every = max(1, len(formulas) // values["most"])
    formulas = formulas[::every]
    theirs = own_transform(formulas, given, pool).to_numpy()
    scales = values["scales"]
    columns = {name: given[name].to_numpy() * scales.get(name, 1.0) for name in given.columns}
    ours = np.column_stack([evaluate(parse(scaled_text(text, scales)), columns) for text in formulas])
    counted = [n_cols_generated(5, s, 7) for s in (1, 2)], [generated_columns(5, s, 7) for s in (1, 2)]
    return {"theirs": theirs, "ours": ours}, {"formulas": formulas, "counted": counted}


def own_fit(arrays, values, progress):
    """Give what ``AutoFeatRegressor.fit`` selects, and what our engine selects on the same rows."""
    warnings.simplefilter("ignore")
    from autofeat import AutoFeatRegressor

    y = np.array(arrays["targets"])[:, 0]
    model = AutoFeatRegressor(featsel_runs=1).fit(frame(arrays), y)
    parameters = {
        "steps": 2,
        "transformations": list(model.transformations),
        "runs": 1,
        "max_candidates": None,
        "seed": 0,
    }
    _, ours = search(arrays, parameters, progress)
    return {}, {"theirs": list(map(str, model.new_feat_cols_)), "ours": ours}
