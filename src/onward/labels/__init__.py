"""Outcomes with their spans: what is to be learnt, from when to when.

A labeler is one file with a class that satisfies `onward.protocols.Labeler` and one line in
`CATALOG`; the contract suite finds it there.
"""

from onward.labels.catalog import CATALOG, BuildableLabeler, labeler_from_json
from onward.labels.checks import require_classes
from onward.labels.threshold import MODES, ThresholdLabeler
from onward.labels.weights import average_uniqueness, return_attribution, time_decay

__all__ = [
    "CATALOG",
    "MODES",
    "BuildableLabeler",
    "ThresholdLabeler",
    "average_uniqueness",
    "labeler_from_json",
    "require_classes",
    "return_attribution",
    "time_decay",
]
