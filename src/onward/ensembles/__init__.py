"""Ensembles: models made of models, used, saved and loaded like any other model.

An ensemble takes the place of a `Model`; what it is made of lies beside it, each part in its own
native format. `onward.training.ensemble_trainer` fits them with everything that must be refitted
for each inner fold.
"""

from onward.ensembles.bagging import BOOTSTRAPS, Bag, BaggedModel, out_of_bag
from onward.ensembles.calibrated import CalibratedModel
from onward.ensembles.catalog import CATALOG
from onward.ensembles.composite import CompositeModel
from onward.ensembles.inner import FoldPrediction, InnerPredictions, predict_inner
from onward.ensembles.members import require_members
from onward.ensembles.parts import accepted_parameters, new_part, saved_model_class
from onward.ensembles.seeds import derived_seed
from onward.ensembles.stacking import StackedModel, meta_features
from onward.ensembles.voting import VOTES, VotingModel, skill_weights, weighted_mean

__all__ = [
    "BOOTSTRAPS",
    "CATALOG",
    "VOTES",
    "Bag",
    "BaggedModel",
    "CalibratedModel",
    "CompositeModel",
    "FoldPrediction",
    "InnerPredictions",
    "StackedModel",
    "VotingModel",
    "accepted_parameters",
    "derived_seed",
    "meta_features",
    "new_part",
    "out_of_bag",
    "predict_inner",
    "require_members",
    "saved_model_class",
    "skill_weights",
    "weighted_mean",
]
