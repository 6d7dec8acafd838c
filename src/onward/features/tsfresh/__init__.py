"""tsfresh's features on rolling windows, natively: usable on its own, without the rest of Onward."""

from onward.features.tsfresh.parameters import Feature, resolve_parameters
from onward.features.tsfresh.rolling import (
    FallbackWarning,
    RollingReport,
    RollingResult,
    UndefinedWarning,
    column_names,
    extract_rolling,
    rolling_features,
)
from onward.features.tsfresh.sets import SETS

__all__ = [
    "SETS",
    "FallbackWarning",
    "Feature",
    "RollingReport",
    "RollingResult",
    "UndefinedWarning",
    "column_names",
    "extract_rolling",
    "resolve_parameters",
    "rolling_features",
]
