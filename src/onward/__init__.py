"""Onward: train, judge and serve models on market data without ever seeing the future.

>>> import onward as ow
>>> market = ow.sample_market()
>>> len(market), market.symbols
(20111, ('BTC/USD',))
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from onward._version import __version__

if TYPE_CHECKING:
    from onward.api import audit, load_model, train, tune
    from onward.audit import AuditReport
    from onward.data.read import read_market, sample_market
    from onward.errors import OnwardError
    from onward.prediction.loaded import LoadedModel
    from onward.training.plan import TrainingPlan
    from onward.training.result import TrainingResult
    from onward.types import Certificate, Labels, Market, Spans

__all__ = [
    "AuditReport",
    "Certificate",
    "Labels",
    "LoadedModel",
    "Market",
    "OnwardError",
    "Spans",
    "TrainingPlan",
    "TrainingResult",
    "__version__",
    "audit",
    "load_model",
    "read_market",
    "sample_market",
    "train",
    "tune",
]

_PLACES = {
    "AuditReport": "onward.audit",
    "Certificate": "onward.types",
    "Labels": "onward.types",
    "LoadedModel": "onward.prediction.loaded",
    "Market": "onward.types",
    "OnwardError": "onward.errors",
    "Spans": "onward.types",
    "TrainingPlan": "onward.training.plan",
    "TrainingResult": "onward.training.result",
    "load_model": "onward.api",
    "read_market": "onward.data.read",
    "sample_market": "onward.data.read",
    "train": "onward.api",
    "tune": "onward.api",
}


class _Audit(ModuleType):
    """The package `onward.audit`, which is a verb as well: see `onward.api.audit`."""

    def __call__(self, subject: Any, market: Any, *, progress: Any = None) -> Any:
        from onward.api import audit

        return audit(subject, market, progress=progress)


class _Onward(ModuleType):
    """The root package. Importing a part of it sets an attribute here: then a verb is made of it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "audit" and type(value) is ModuleType:
            value.__class__ = _Audit
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Onward


def __getattr__(name: str) -> Any:
    # Importing the package costs nothing; each name brings what it needs when it is used.
    if name == "audit":
        return importlib.import_module("onward.audit")
    if name not in _PLACES:
        raise AttributeError(f"module 'onward' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
