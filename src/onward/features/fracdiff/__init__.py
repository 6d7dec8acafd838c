"""Fractional differences as a stage, and the order that a training sample asks for."""

from onward.features.fracdiff.minimum_order import MinimumOrder, minimum_order
from onward.features.fracdiff.stage import FracDiffStage

__all__ = ["FracDiffStage", "MinimumOrder", "minimum_order"]
