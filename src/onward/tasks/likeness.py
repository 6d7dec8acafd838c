"""Which requests take about as long as each other; light, since every server asks it of every job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = ["likeness"]

SAME = ("data", "series", "audit", "target", "plan_hash")
"""Fields of requests that say the same work on the same bars, as far as a request tells of them."""
SHAPE: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "data": ("symbols", "timeframe", "series"),
        "labels": ("method", "horizon_bars"),
        "features": ("stages", "manual", "tsfresh", "featuretools", "autofeat", "fracdiff", "options"),
        "selection": ("enabled", "null_importance", "n_null"),
        "validation": ("method", "n_splits", "window", "window_bars", "step", "n_groups", "n_test_groups"),
        "model": ("name", "n_rounds"),
        "ensemble": ("method", "members", "n_estimators"),
        "optimization": ("trials", "seconds", "inner_splits", "processes"),
        "evaluation": ("importance", "drift", "adversarial", "explained_folds"),
        "training": ("calibration", "inner_folds"),
    }
)
"""Settings of a plan that decide how long it takes; a learning rate or a range of dates does so little."""


def likeness(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return names that requests share which take about as long: the same plan first, then its shape.

    Parameters
    ----------
    spec
        Completed request of a training, a search, features or an audit. Empty for one without a plan.
    """
    plan = spec.get("plan")
    if not isinstance(plan, Mapping) or not spec.get("plan_hash"):
        return ()
    shape = {name: _chosen(plan.get(name), keys) for name, keys in SHAPE.items()}
    where = {name: spec.get(name) for name in SAME if name != "plan_hash"}
    return _name({name: spec.get(name) for name in SAME}), _name({**where, "plan": shape})


def _chosen(section: object, keys: Sequence[str]) -> dict[str, Any]:
    return {key: section.get(key) if isinstance(section, Mapping) else None for key in keys}


def _name(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
