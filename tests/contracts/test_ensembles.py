"""Ensembles keep every promise of a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from onward.ensembles import CATALOG, CompositeModel
from onward.testing.models import (
    check_absent_class,
    check_empty_columns,
    check_gain,
    check_ignores_batch,
    check_model,
    check_probabilities,
    check_repeats_itself,
    check_weights,
)

MEMBERS = {
    "members": ("lightgbm", "logistic"),
    "parameters": {"lightgbm": {"n_rounds": 4}, "logistic": {"max_passes": 10}},
}

EXAMPLES: dict[str, dict[str, dict[str, Any]]] = {
    "bagging": {
        "block": {"n_estimators": 3, "parameters": {"lightgbm": {"n_rounds": 4}}},
        "sequential, two kinds of model": {**MEMBERS, "n_estimators": 2, "bootstrap": "sequential"},
    },
    "stacking": {
        "alone": {**MEMBERS, "meta_parameters": {"max_passes": 10}, "n_folds": 2},
        "features passed through": {
            **MEMBERS,
            "meta_parameters": {"max_passes": 10},
            "n_folds": 2,
            "passthrough": True,
        },
    },
    "voting": {
        "by score": {**MEMBERS, "votes": "score", "n_folds": 2},
        "equal": MEMBERS,
    },
    "calibrated": {
        "an ensemble": {"member": "voting", "member_parameters": MEMBERS, "n_folds": 2},
        "a model": {"member_parameters": {"n_rounds": 4}, "method": "temperature", "n_folds": 2},
    },
}
"""Some of each ensemble, quick; the first of each faces the whole suite."""

WHOLE = [(name, next(iter(EXAMPLES[name]))) for name in sorted(CATALOG)]
OTHERS = [(name, case) for name in sorted(CATALOG) for case in EXAMPLES[name] if (name, case) not in WHOLE]


def example(name: str, case: str) -> Callable[[], CompositeModel]:
    return partial(CATALOG[name], **EXAMPLES[name][case], n_threads=1)


def test_every_ensemble_has_examples() -> None:
    assert set(EXAMPLES) == set(CATALOG)


@pytest.mark.parametrize(("name", "case"), WHOLE)
def test_every_ensemble_keeps_the_contract_of_models(name: str, case: str) -> None:
    check_model(example(name, case))


@pytest.mark.parametrize(("name", "case"), OTHERS)
def test_its_variants_keep_what_hangs_on_them(name: str, case: str) -> None:
    for check in (
        check_probabilities,
        check_repeats_itself,
        check_ignores_batch,
        check_absent_class,
        check_empty_columns,
        check_weights,
        check_gain,
    ):
        check(example(name, case))
