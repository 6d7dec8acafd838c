"""The frozen values that flow through Onward: Market, Spans, Labels, Fold, Certificate, Prediction.

All moments are UTC. Inside arrays they are ``int64`` nanoseconds since 1970 (NumPy's
``datetime64[ns]`` without the wrapper, so that kernels take them); at the edges they are
``pandas.DatetimeIndex`` with ``tz="UTC"`` and unit ``ns``.
"""

from __future__ import annotations

from onward.types.arrays import CLASSES, INDEX_NAMES, OHLCV, BoolArray, FloatArray, IntArray, from_ns, to_ns
from onward.types.findings import Certificate, Finding
from onward.types.learning import Fold, Labels, Prediction, Spans
from onward.types.market import Market, SideSeries
from onward.types.progress import ProgressEvent

__all__ = [
    "CLASSES",
    "INDEX_NAMES",
    "OHLCV",
    "BoolArray",
    "Certificate",
    "Finding",
    "FloatArray",
    "Fold",
    "IntArray",
    "Labels",
    "Market",
    "Prediction",
    "ProgressEvent",
    "SideSeries",
    "Spans",
    "from_ns",
    "to_ns",
]
