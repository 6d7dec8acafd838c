"""Predictions by published models; what was loaded once stays loaded."""

from __future__ import annotations

import pandas as pd

from onward.prediction.loaded import LoadedModel
from onward.prediction.predictor import Predictor
from onward.registry import ModelRegistry
from onward.types import Market, Prediction

__all__ = ["PredictionService"]


class PredictionService:
    """Finds, loads and asks models.

    Parameters
    ----------
    registry
        Where models are published.
    max_staleness_bars
        Bars that may have closed since the newest one; None never refuses.
    """

    def __init__(self, registry: ModelRegistry, *, max_staleness_bars: int | None = 2) -> None:
        self._registry = registry
        self._max_staleness_bars = max_staleness_bars
        self._loaded: dict[str, LoadedModel] = {}

    def load(self, reference: str) -> LoadedModel:
        """Return a model by reference (``models:/name@alias``, ``models:/name/3``, ``name@alias``).

        Every byte of the bundle is checked when it is loaded for the first time; an alias is
        looked up each time. The model that is returned computes only the features that it uses.

        Raises
        ------
        RegistryError
            When there is no such model, version or alias.
        BundleError
            When the bundle was changed since it was published.
        """
        version = self._registry.resolve(reference)
        if version.digest not in self._loaded:
            directory = self._registry.open(version.ref)
            self._loaded[version.digest] = LoadedModel(version, Predictor.load(directory).narrowed())
        known = self._loaded[version.digest]
        return LoadedModel(version, known.predictor)

    def latest(self, reference: str, market: Market, *, now: pd.Timestamp | None = None) -> Prediction:
        """Return the newest prediction of a model; see `LoadedModel.latest`."""
        return self.load(reference).latest(market, now=now, max_staleness_bars=self._max_staleness_bars)
