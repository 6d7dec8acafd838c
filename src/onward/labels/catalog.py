"""Every labeler that ships with Onward, by the name that plans use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onward.labels.threshold import ThresholdLabeler

__all__ = ["CATALOG"]

CATALOG: Mapping[str, type[ThresholdLabeler]] = MappingProxyType({"threshold": ThresholdLabeler})
"""Labelers by name. Each class can be built without arguments."""
