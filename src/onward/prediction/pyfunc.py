"""What ``mlflow.pyfunc.load_model`` calls: Onward's model from native formats, without a pickle.

The name of this module stands in the ``MLmodel`` file of every version in MLflow (flavor
``python_function``, ``loader_module``); it must not move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from onward.data.columns import lower_columns, symbol_column
from onward.data.market import make_market
from onward.data.series import make_series
from onward.errors import BundleError, PredictionError
from onward.prediction.loaded import LoadedModel
from onward.prediction.predictor import Predictor
from onward.registry import Version, verify_bundle
from onward.types import Market, SideSeries

__all__ = ["BarsModel"]

BARS = "bars"


@dataclass(frozen=True, eq=False)
class BarsModel:
    """A model that is asked with bars, as MLflow asks models.

    Attributes
    ----------
    model
        As `onward.load_model` gives it; its version has no number here, since MLflow does not say
        which one it loads.
    """

    model: LoadedModel

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Return ``down range up signal decision_time`` of every bar, as `LoadedModel.predict` does.

        Parameters
        ----------
        model_input
            Bars as `onward.data.market.make_market` takes them: columns ``open high low close
            volume`` with a DatetimeIndex of open times or a column ``open_time``, and ``symbol``
            where there are several; times without a zone are UTC. A model that was trained with side
            series takes ``{"bars": bars, "funding": frame, ...}``. A `Market` is taken as it is.
        params
            Not used: there is nothing to choose.

        Returns
        -------
        DataFrame
            Indexed by (symbol, open time). The first ``model.lookback - 1`` bars of each symbol have
            less history than their features read.

        Raises
        ------
        PredictionError, DataError
            When the bars are none, or not of the model's schema.
        """
        return self.model.predict(self._market(model_input))

    def _market(self, given: Any) -> Market:
        if isinstance(given, Market):
            return given
        parts = dict(given) if isinstance(given, Mapping) else {BARS: given}
        bars = parts.pop(BARS, None)
        if not isinstance(bars, pd.DataFrame):
            raise PredictionError(
                "Predictions need bars",
                got=type(given).__name__ if bars is None else type(bars).__name__,
                allowed="a DataFrame with open, high, low, close, volume, or {'bars': it, 'SERIES': another}",
                remedy="Give the bars as a pandas DataFrame.",
            )
        manifest = self.model.version.manifest
        named = isinstance(bars.index, pd.MultiIndex) or symbol_column(lower_columns(bars)) is not None
        symbol = manifest.symbols[0] if len(manifest.symbols) == 1 and not named else None
        market = make_market(bars, timeframe=manifest.timeframe, symbol=symbol)
        return market.replace(series={name: _series(name, one, market) for name, one in parts.items()})


def _series(name: str, given: Any, market: Market) -> SideSeries:
    if isinstance(given, SideSeries):
        return given
    if isinstance(given, pd.DataFrame):
        return make_series(name, given, bar=market.timeframe)
    raise PredictionError(
        "A side series needs values and their times",
        got=f"{name}: {type(given).__name__}",
        allowed="a DataFrame with a time column and value columns",
        remedy="Give each series beside the bars as a pandas DataFrame.",
    )


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> BarsModel:  # noqa: ARG001
    """Load a bundle for MLflow, after checking every byte of it.

    Raises
    ------
    BundleError
        When it is not what was published.
    """
    directory = Path(path)
    manifest = verify_bundle(directory)
    promised = _promised(directory.parent)
    if promised is not None and promised != manifest.digest:
        raise BundleError(
            "The bundle is not the one that was published",
            got=f"digest {manifest.digest[:16]}",
            allowed=f"digest {promised[:16]}",
            remedy="Restore the artifacts of this version, or train the model again.",
        )
    version = Version(manifest.name, 0, manifest.digest, directory, manifest, manifest.created_at)
    return BarsModel(LoadedModel(version, Predictor.load(directory).narrowed()))


def _promised(directory: Path) -> str | None:
    """Return the digest that the ``MLmodel`` file beside a bundle names; None without such a file."""
    if not (directory / "MLmodel").is_file():
        return None
    flavors = import_module("mlflow.models").Model.load(str(directory)).flavors
    found = flavors.get("onward", {}).get("digest")
    return None if found is None else str(found)
