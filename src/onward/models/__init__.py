"""Models: scikit-learn classifiers over down, range and up that save without pickle."""

from onward.models.catalog import CATALOG, model_class
from onward.models.catboost import CatBoostModel
from onward.models.classifier import ThreeClassModel
from onward.models.contrast import ContrastModel
from onward.models.forest import ExtraTreesModel, ForestModel, RandomForestModel
from onward.models.hist_gradient_boosting import HistGradientBoostingModel
from onward.models.lightgbm import LightGBMModel
from onward.models.logistic import LogisticModel
from onward.models.mlp import MLPModel
from onward.models.prepared import Prepared
from onward.models.prior import PriorModel
from onward.models.rules import (
    MeanReversionModel,
    MomentumModel,
    RuleModel,
    signal_frequencies,
    signal_probabilities,
)
from onward.models.xgboost import XGBoostModel

__all__ = [
    "CATALOG",
    "CatBoostModel",
    "ContrastModel",
    "ExtraTreesModel",
    "ForestModel",
    "HistGradientBoostingModel",
    "LightGBMModel",
    "LogisticModel",
    "MLPModel",
    "MeanReversionModel",
    "MomentumModel",
    "Prepared",
    "PriorModel",
    "RandomForestModel",
    "RuleModel",
    "ThreeClassModel",
    "XGBoostModel",
    "model_class",
    "signal_frequencies",
    "signal_probabilities",
]
