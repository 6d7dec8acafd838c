"""Hand-made features: one family a file, each with its own switch."""

from onward.features.manual.catalog import FAMILIES, GROUPS
from onward.features.manual.stage import Alpha158Stage, ManualFeaturesStage

__all__ = ["FAMILIES", "GROUPS", "Alpha158Stage", "ManualFeaturesStage"]
