"""Onward: train, judge and serve models on market data without ever seeing the future.

>>> import onward as ow
>>> market = ow.sample_market()
>>> len(market), market.symbols
(20111, ('BTC/USD',))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from onward._version import __version__

if TYPE_CHECKING:
    from onward.api import audit, load_model, train
    from onward.data.read import read_market, sample_market
    from onward.errors import OnwardError
    from onward.training.plan import TrainingPlan
    from onward.types import Certificate, Labels, Market, Spans

__all__ = [
    "Certificate",
    "Labels",
    "Market",
    "OnwardError",
    "Spans",
    "TrainingPlan",
    "__version__",
    "audit",
    "load_model",
    "read_market",
    "sample_market",
    "train",
]

_PLACES = {
    "Certificate": "onward.types",
    "Labels": "onward.types",
    "Market": "onward.types",
    "OnwardError": "onward.errors",
    "Spans": "onward.types",
    "TrainingPlan": "onward.training.plan",
    "audit": "onward.api",
    "load_model": "onward.api",
    "read_market": "onward.data.read",
    "sample_market": "onward.data.read",
    "train": "onward.api",
}


def __getattr__(name: str) -> Any:
    # Importing the package costs nothing; each name brings what it needs when it is used.
    if name not in _PLACES:
        raise AttributeError(f"module 'onward' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
