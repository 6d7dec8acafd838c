"""A trained pipeline and model as one thing that turns bars into probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from onward.ensembles import saved_model_class
from onward.errors import BundleError
from onward.features.catalog import saved_spec, stage_from_spec
from onward.features.pipeline import FeaturePipeline, FittedPipeline
from onward.features.selection.live_columns import narrow
from onward.prediction.following import Following
from onward.prediction.imported import ImportedStage
from onward.protocols import CausalStage, Model
from onward.types import CLASSES, FloatArray, Market

if TYPE_CHECKING:
    from onward.evaluation.learning import LearningRecord

__all__ = ["Predictor"]

CLASS_COLUMNS = ("down", "range", "up")


@dataclass(frozen=True, eq=False)
class Predictor:
    """Causal stages, fitted stages and a model, in the order in which a row passes them.

    Attributes
    ----------
    pipeline
        Causal stages, a pure function of the bars.
    fitted
        Stages fitted on training rows (selector, scaler, ...).
    model
        Classifier over down, range, up: one model, or an ensemble in its place.
    learning
        How it learnt, as far as there is more to tell than the model; not kept in bundles.
    following
        Of a model of meta-labels: how its verdicts become sides to trade. None when its classes are
        about the price.
    """

    pipeline: FeaturePipeline
    fitted: FittedPipeline
    model: Model
    learning: LearningRecord | None = None
    following: Following | None = None

    @property
    def lookback(self) -> int:
        """Bars that the newest prediction reads: those of the features, and of the primary signal."""
        own = self.pipeline.lookback
        return own if self.following is None else max(own, self.following.lookback)

    def acting(self, labels: Mapping[str, Any], act_above: float | None) -> Predictor:
        """Return the predictor that knows what its classes mean.

        Parameters
        ----------
        labels
            The labeler that it learnt from, as plain JSON values.
        act_above
            See `Following`.
        """
        return replace(self, following=Following.of(labels, act_above))

    def from_matrix(self, features: pd.DataFrame) -> FloatArray:
        """Return probabilities, shape (n, 3), for rows of the causal feature matrix."""
        return self.model.predict_proba(self.fitted.transform(features))

    def importance(self) -> pd.Series:
        """Return the gain of each column that the model sees, 0 where it never split; unscaled."""
        return pd.Series(self.model.gain(), index=list(self.fitted.output_columns), dtype=np.float64)

    def batch(self, market: Market) -> pd.DataFrame:
        """Return probabilities and signal of every bar (see `frame`)."""
        return self.frame(self.pipeline.compute(market), market)

    def latest(self, market: Market) -> pd.DataFrame:
        """Return probabilities and signal of each symbol's newest bar.

        Only the newest ``lookback`` bars are needed; the values equal those of `batch`.
        """
        return self.frame(self.pipeline.latest(market), market)

    def frame(self, features: pd.DataFrame, market: Market) -> pd.DataFrame:
        """Return ``down range up signal decision_time``, one row a feature row.

        The signal is the most probable class; ties go to the lower one (down before range
        before up). Of a model of meta-labels, whose classes say whether following its primary
        signal loses, ends undecided or pays, it is the side of that signal where it is said to pay,
        else 0. The decision time is the open time of the bar plus the timeframe, UTC.
        """
        probability = self.from_matrix(features)
        columns: dict[str, Any] = dict(zip(CLASS_COLUMNS, probability.T, strict=True))
        if self.following is None:
            columns["signal"] = np.asarray(CLASSES)[probability.argmax(axis=1)]
        else:
            columns["signal"] = self.following.signal(market, pd.DataFrame(columns, index=features.index))
        opened = pd.DatetimeIndex(features.index.get_level_values(1))
        columns["decision_time"] = opened + market.timeframe
        return pd.DataFrame(columns, index=features.index)

    def narrowed(self) -> Predictor:
        """Return the predictor that computes what the model sees, and nothing that it can do without.

        Predictions are those of this one to the last bit. What no column of the model is made from is
        left out: families, whole stages, and with them often bars of history (``lookback``).
        """
        pipeline, fitted = narrow(self.pipeline, self.fitted)
        return replace(self, pipeline=pipeline, fitted=fitted)

    def state(self) -> dict[str, Any]:
        """Return, as plain JSON values, what a bundle keeps of the features in ``pipeline.json``.

        Raises
        ------
        StageError
            When a causal stage can neither be written down nor be found again.
        """
        return {
            "causal": {
                "causal": [_spec(stage) for stage in self.pipeline.causal],
                "dtype": self.pipeline.dtype.name,
            },
            "fitted": self.fitted.to_json(),
            "model": type(self.model).name,
        }

    @classmethod
    def load(cls, directory: Path) -> Predictor:
        """Read the predictor of a bundle: ``pipeline.json``, ``labels.json``, ``model/``, the plan.

        Parameters
        ----------
        directory
            A bundle whose hashes were checked (`EmbeddedRegistry.open`).

        Raises
        ------
        BundleError
            When a part is missing or not of the expected form.
        StageError, ModelError
            When it needs code that is not here, or not as it was in training.
        """
        try:
            state: dict[str, Any] = json.loads((directory / "pipeline.json").read_text(encoding="utf-8"))
            stages = [_from_spec(spec) for spec in state["causal"]["causal"]]
            pipeline = FeaturePipeline(stages, dtype=state["causal"]["dtype"])
            fitted = FittedPipeline.from_json(state["fitted"])
            model = saved_model_class(state["model"]).load(directory / "model")
            following = _following(directory)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                "a model bundle cannot be read",
                got=f"{type(error).__name__}: {error}",
                allowed="a bundle written by Onward and not changed since",
                remedy="Export the version again, or train anew.",
            ) from error
        return cls(pipeline, fitted, model, following=following)


def _following(directory: Path) -> Following | None:
    """Return how the verdicts of a bundle's model become sides: by its labels and the plan's terms."""
    labels = json.loads((directory / "labels.json").read_text(encoding="utf-8"))
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    return Following.of(labels, manifest["plan"].get("evaluation", {}).get("act_above"))


def _spec(stage: CausalStage) -> dict[str, Any]:
    return stage.address() if isinstance(stage, ImportedStage) else saved_spec(stage)


def _from_spec(spec: dict[str, Any]) -> CausalStage:
    return ImportedStage.from_address(spec) if "import" in spec else stage_from_spec(spec)
