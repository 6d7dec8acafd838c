"""Feature selection that sees the training rows of one fold only."""

from onward.features.selection.shifted_labels import ColumnRecord, ShiftedLabelSelector

__all__ = ["CATALOG", "ColumnRecord", "ShiftedLabelSelector"]

CATALOG = {ShiftedLabelSelector.name: ShiftedLabelSelector}
"""Selectors by name."""
