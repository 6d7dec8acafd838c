"""Ensembles by name."""

from __future__ import annotations

from onward.ensembles.bagging import BaggedModel
from onward.ensembles.calibrated import CalibratedModel
from onward.ensembles.composite import CompositeModel
from onward.ensembles.stacking import StackedModel
from onward.ensembles.voting import VotingModel

__all__ = ["CATALOG"]

CATALOG: dict[str, type[CompositeModel]] = {
    ensemble.name: ensemble for ensemble in (BaggedModel, StackedModel, VotingModel, CalibratedModel)
}
"""Ensemble classes by the name that bundles keep. Add one here and the contract suite finds it."""
