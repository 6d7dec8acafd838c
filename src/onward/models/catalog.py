"""Models by name: Onward's own, and those of installed packages (entry points ``onward.models``)."""

from __future__ import annotations

from importlib.metadata import entry_points

from onward.errors import ModelError, nearest
from onward.models.catboost import CatBoostModel
from onward.models.classifier import ThreeClassModel
from onward.models.forest import ExtraTreesModel, RandomForestModel
from onward.models.hist_gradient_boosting import HistGradientBoostingModel
from onward.models.libraries import require_library
from onward.models.lightgbm import LightGBMModel
from onward.models.logistic import LogisticModel
from onward.models.mlp import MLPModel
from onward.models.prior import PriorModel
from onward.models.rules import MeanReversionModel, MomentumModel
from onward.models.xgboost import XGBoostModel
from onward.protocols import Model

__all__ = ["CATALOG", "model_class"]

CATALOG: dict[str, type[ThreeClassModel]] = {
    model.name: model
    for model in (
        LightGBMModel,
        XGBoostModel,
        CatBoostModel,
        RandomForestModel,
        ExtraTreesModel,
        HistGradientBoostingModel,
        LogisticModel,
        MLPModel,
        PriorModel,
        MomentumModel,
        MeanReversionModel,
    )
}
"""Model classes by name, whether or not their library is installed. Add a model here and the
contract suite finds it."""

ENTRY_POINTS = "onward.models"


def model_class(name: str) -> type[Model]:
    """Return the class of a model that can be used here.

    Raises
    ------
    ModelError
        When no model has that name, its library is not installed (the message names the extra
        that brings it), or the package that offers it cannot be imported.
    """
    if name in CATALOG:
        found = CATALOG[name]
        if found.library is not None:
            require_library(found.library)
        return found
    offered = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name in offered:
        try:
            other: type[Model] = offered[name].load()
        except (ImportError, AttributeError) as error:
            raise ModelError(
                f"the model {name!r} cannot be imported",
                got=str(error),
                remedy=f"Reinstall the package that offers {offered[name].value}.",
            ) from error
        return other
    known = sorted({*CATALOG, *offered})
    guess = nearest(name, known)
    raise ModelError(
        "there is no model of this name",
        got=repr(name),
        allowed=", ".join(known),
        remedy=f"Did you mean {guess!r}?" if guess else "Use one of these.",
    )
