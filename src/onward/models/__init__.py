"""Models: scikit-learn classifiers over down, range and up that save without pickle."""

from onward.models.catalog import CATALOG, model_class
from onward.models.classifier import ThreeClassModel
from onward.models.lightgbm import LightGBMModel
from onward.models.prior import PriorModel
from onward.models.rules import (
    MeanReversionModel,
    MomentumModel,
    RuleModel,
    signal_frequencies,
    signal_probabilities,
)

__all__ = [
    "CATALOG",
    "LightGBMModel",
    "MeanReversionModel",
    "MomentumModel",
    "PriorModel",
    "RuleModel",
    "ThreeClassModel",
    "model_class",
    "signal_frequencies",
    "signal_probabilities",
]
