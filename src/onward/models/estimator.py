"""scikit-learn's grammar for classifiers, spoken without importing scikit-learn.

scikit-learn and the SciPy that it brings cost 64 MB and half a second. A process that only predicts
with trees needs neither, so the models do not inherit from its classes: they have the methods that
its tools ask for (Buitinck et al. 2013, "API design for machine learning software"), and what can
only be said in scikit-learn's own types is made when its tools ask, by when it is loaded anyway.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from functools import cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ModelError, nearest
from onward.types import FloatArray, IntArray

__all__ = ["ClassifierGrammar"]

UNCHANGED = "$UNCHANGED$"
"""How scikit-learn says that a request stays as it is."""


class ClassifierGrammar(ABC):
    """Base of classifiers that scikit-learn's tools take for their own.

    `sklearn.base.clone`, pipelines, searches over parameters, cross-validation and
    `check_is_fitted` work with it. The parameters are the constructor's arguments, each kept
    unchanged under its name.
    """

    @abstractmethod
    def predict(self, X: pd.DataFrame | npt.NDArray[Any]) -> IntArray:
        """Return the class of each row, shape (n,)."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, in alphabetical order.

        Parameters
        ----------
        deep
            Also those of parameters that are estimators themselves, as ``name__parameter``.
        """
        found: dict[str, Any] = {}
        for name in _defaults(type(self)):
            value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                found.update({f"{name}__{inner}": v for inner, v in value.get_params().items()})
            found[name] = value
        return found

    def set_params(self, **parameters: Any) -> Self:
        """Change parameters and return the model; what was fitted stays as it is until the next fit.

        Parameters
        ----------
        **parameters
            By name; ``name__parameter`` reaches into a parameter that is an estimator.

        Raises
        ------
        ModelError
            When there is no such parameter; nothing is changed then.
        """
        known = _defaults(type(self))
        inner: dict[str, dict[str, Any]] = {}
        for key, value in parameters.items():
            name, nested, rest = key.partition("__")
            if name not in known or (nested and not hasattr(getattr(self, name), "set_params")):
                raise _unknown(self, key, known)
            if nested:
                inner.setdefault(name, {})[rest] = value
        for key, value in parameters.items():
            if key in known:
                setattr(self, key, value)
        for name, values in inner.items():
            getattr(self, name).set_params(**values)
        return self

    def score(
        self,
        X: pd.DataFrame | npt.NDArray[Any],
        y: npt.NDArray[Any],
        sample_weight: FloatArray | None = None,
    ) -> float:
        """Return the share of rows whose class is predicted, by weight.

        Parameters
        ----------
        X
            Features, shape (n, n_features).
        y
            Classes, shape (n,).
        sample_weight
            Shape (n,); None counts every row the same.

        Raises
        ------
        ModelError
            When there are no rows, or numbers of rows differ.
        """
        hit = self.predict(X)
        truth = np.asarray(y)
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if not len(hit) or truth.shape != hit.shape or (weight is not None and weight.shape != hit.shape):
            raise ModelError(
                "rows, classes and weights to score do not belong together",
                got=f"{len(hit)} rows, classes of shape {truth.shape}"
                + ("" if weight is None else f", weights of shape {weight.shape}"),
                allowed="one class and one weight for each of at least one row",
                remedy="Score rows with their own classes.",
            )
        return float(np.average(hit == truth, weights=weight))

    def __repr__(self) -> str:
        """Return the call that makes this model; parameters at their defaults are left out."""
        defaults = _defaults(type(self))
        given = {name: getattr(self, name) for name in defaults}
        said = [f"{n}={v!r}" for n, v in given.items() if not _same(v, defaults[n])]
        return f"{type(self).__name__}({', '.join(said)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            regressor_tags=None,
            classifier_tags=ClassifierTags(),
        )

    def get_metadata_routing(self) -> Any:
        """Return what scikit-learn's metadata routing may pass on: ``sample_weight``, if requested."""
        from sklearn.utils.metadata_routing import MetadataRequest

        kept: Any = getattr(self, "_metadata_request", None)  # `clone` copies it under this name
        if kept is None:
            kept = MetadataRequest(owner=self)
            for method in (kept.fit, kept.score):
                method.add_request(param="sample_weight", alias=None)
        return kept

    def set_fit_request(self, *, sample_weight: bool | str | None = UNCHANGED) -> Self:
        """Say whether metadata routing passes ``sample_weight`` on to ``fit`` (a text renames it)."""
        return self._request("fit", sample_weight)

    def set_score_request(self, *, sample_weight: bool | str | None = UNCHANGED) -> Self:
        """Say whether metadata routing passes ``sample_weight`` on to ``score`` (a text renames it)."""
        return self._request("score", sample_weight)

    def _request(self, method: str, sample_weight: bool | str | None) -> Self:
        if sample_weight != UNCHANGED:
            self._metadata_request = self.get_metadata_routing()
            getattr(self._metadata_request, method).add_request(param="sample_weight", alias=sample_weight)
        return self


@cache
def _defaults(model: type) -> dict[str, Any]:
    """Return the constructor's parameters with their defaults, in alphabetical order."""
    taken = inspect.signature(model).parameters.values()
    return {p.name: p.default for p in sorted(taken, key=lambda p: p.name)}


def _same(value: Any, default: Any) -> bool:
    if value is default:
        return True
    try:
        return type(value) is type(default) and bool(value == default)
    except (TypeError, ValueError):  # an array, of which == is no verdict
        return False


def _unknown(model: ClassifierGrammar, name: str, known: dict[str, Any]) -> ModelError:
    similar = nearest(name, known)
    return ModelError(
        f"{type(model).__name__} has no parameter {name!r}",
        got=name,
        allowed=", ".join(known) or "no parameters",
        remedy=f"Did you mean {similar!r}?" if similar else "Set one of those.",
    )
