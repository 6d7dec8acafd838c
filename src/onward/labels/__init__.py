"""Outcomes with their spans: what is to be learnt, from when to when, and how much each row tells.

A labeler is one file with a class that satisfies `onward.protocols.Labeler` and one line in
`CATALOG`; the contract suite finds it there.
"""

from onward.labels.bootstrap import block_bootstrap, draw_probabilities, sequential_bootstrap
from onward.labels.catalog import CATALOG, BuildableLabeler, labeler_from_json, labeler_from_settings
from onward.labels.checks import require_classes
from onward.labels.events import CusumSampledLabeler, cusum_events
from onward.labels.meta import MetaLabeler, primary_signal
from onward.labels.threshold import MODES, ThresholdLabeler
from onward.labels.trend_scanning import TrendScanningLabeler
from onward.labels.triple_barrier import TripleBarrierLabeler
from onward.labels.weights import average_uniqueness, return_attribution, sample_weights, time_decay

__all__ = [
    "CATALOG",
    "MODES",
    "BuildableLabeler",
    "CusumSampledLabeler",
    "MetaLabeler",
    "ThresholdLabeler",
    "TrendScanningLabeler",
    "TripleBarrierLabeler",
    "average_uniqueness",
    "block_bootstrap",
    "cusum_events",
    "draw_probabilities",
    "labeler_from_json",
    "labeler_from_settings",
    "primary_signal",
    "require_classes",
    "return_attribution",
    "sample_weights",
    "sequential_bootstrap",
    "time_decay",
]
