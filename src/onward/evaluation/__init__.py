"""Evaluation: scores of out-of-fold predictions, null bands, and an honest verdict."""

from onward.evaluation.judgement import Judgement, judge
from onward.evaluation.metrics import Metrics, measure
from onward.evaluation.null import NullBand, NullBands, null_band
from onward.evaluation.oof import OutOfFold
from onward.evaluation.scores import Scores
from onward.evaluation.verdict import ClassVerdict, Verdict

__all__ = [
    "ClassVerdict",
    "Judgement",
    "Metrics",
    "NullBand",
    "NullBands",
    "OutOfFold",
    "Scores",
    "Verdict",
    "judge",
    "measure",
    "null_band",
]
