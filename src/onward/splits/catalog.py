"""Every splitter that ships with Onward, by the name that plans use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onward.splits.base import BaseSplitter
from onward.splits.combinatorial import CombinatorialPurgedKFold
from onward.splits.purged_kfold import PurgedKFold
from onward.splits.walk_forward import WalkForward

__all__ = ["CATALOG"]

CATALOG: Mapping[str, type[BaseSplitter]] = MappingProxyType(
    {
        "purged_kfold": PurgedKFold,
        "walk_forward": WalkForward,
        "combinatorial": CombinatorialPurgedKFold,
    }
)
"""Splitters by name. Each class can be built without arguments."""
