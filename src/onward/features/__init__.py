"""The staged feature pipeline: causal stages over the history, fitted stages inside a fold."""

from onward.features.cache import FeatureCache
from onward.features.catalog import CATALOG, FITTED, stage_class, stage_from_spec, stage_names
from onward.features.pipeline import FeaturePipeline, FittedPipeline, nan_ledger

__all__ = [
    "CATALOG",
    "FITTED",
    "FeatureCache",
    "FeaturePipeline",
    "FittedPipeline",
    "nan_ledger",
    "stage_class",
    "stage_from_spec",
    "stage_names",
]
