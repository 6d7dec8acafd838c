"""Feature selection that sees the training rows of one fold only.

`AdvancedFeatureSelector` is what every plan ends in. `ShiftedLabelSelector` is its first version: rank
correlations alone, in a fraction of the time.
"""

from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.features.selection.ledger import (
    STEPS,
    LedgerRecord,
    ledger_frame,
    representative,
    steps_summary,
)
from onward.features.selection.parameters import SelectorParameters
from onward.features.selection.shifted_labels import ShiftedLabelSelector

__all__ = [
    "STEPS",
    "AdvancedFeatureSelector",
    "LedgerRecord",
    "SelectorParameters",
    "ShiftedLabelSelector",
    "ledger_frame",
    "representative",
    "steps_summary",
]
