"""Formulas that autofeat finds inside a fold, saved as text and evaluated by code of our own."""

from onward.features.autofeat.evaluate import evaluate
from onward.features.autofeat.formula import Formula, parse
from onward.features.autofeat.report import AutoFeatReport, GeneratedFeature
from onward.features.autofeat.stage import AutoFeatStage

__all__ = ["AutoFeatReport", "AutoFeatStage", "Formula", "GeneratedFeature", "evaluate", "parse"]
