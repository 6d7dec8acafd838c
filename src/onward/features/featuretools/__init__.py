"""Deep feature synthesis over bars and their calendar, computed without featuretools."""

from onward.features.featuretools.check import CheckReport
from onward.features.featuretools.columns import BAR_COLUMNS
from onward.features.featuretools.definition import Definition, Expression
from onward.features.featuretools.parents import PARENTS
from onward.features.featuretools.primitives import PRIMITIVES, Primitive
from onward.features.featuretools.stage import FeaturetoolsStage

__all__ = [
    "BAR_COLUMNS",
    "PARENTS",
    "PRIMITIVES",
    "CheckReport",
    "Definition",
    "Expression",
    "FeaturetoolsStage",
    "Primitive",
]
