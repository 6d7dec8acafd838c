"""What is kept of each trial, and how it is written into a study."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from onward.types import FloatArray

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

__all__ = ["RECORD", "TrialRecord", "packed_sides", "trial_record", "trial_records", "unpacked_sides"]

RECORD = "onward"
"""Name under which a study keeps what Onward notes of a trial."""

NOTHING_SAID = 2


@dataclass(frozen=True)
class TrialRecord:
    """One trial of a search.

    Attributes
    ----------
    number
        Place among the trials of its search that came to something, from 0.
    state
        ``complete``; ``pruned`` after an inner fold; or ``refused`` (its values make no plan that
        fits these rows).
    parameters
        What was drawn, by dotted place in the plan.
    fold_scores
        Scores of the inner folds that it went through; NaN where a score is not defined.
    score
        Their mean: by this the search chooses among complete trials. NaN when none is defined.
    seconds
        Wall-clock time.
    reason
        Why it was refused.
    """

    number: int
    state: Literal["complete", "pruned", "refused"]
    parameters: Mapping[str, Any]
    fold_scores: tuple[float, ...]
    score: float
    seconds: float
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; NaN becomes None."""
        told = asdict(self) | {"parameters": dict(self.parameters)}
        told["score"] = _plain(self.score)
        told["fold_scores"] = [_plain(score) for score in self.fold_scores]
        return told

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` gave."""
        scores = tuple(math.nan if s is None else float(s) for s in told["fold_scores"])
        score = math.nan if told["score"] is None else float(told["score"])
        return cls(**{**told, "fold_scores": scores, "score": score})


def trial_record(number: int, trial: FrozenTrial) -> TrialRecord:
    """Return a trial that came to something, as the one with a number."""
    told: dict[str, Any] = trial.user_attrs[RECORD]
    scores = tuple(math.nan if score is None else float(score) for score in told["scores"])
    known = [score for score in scores if not math.isnan(score)]
    reason = told.get("reason", "")
    state: Literal["complete", "pruned", "refused"] = (
        "complete" if trial.state.name == "COMPLETE" else "pruned"
    )
    return TrialRecord(
        number=number,
        state="refused" if reason else state,
        parameters=told["values"],
        fold_scores=scores,
        score=sum(known) / len(known) if known else math.nan,
        seconds=told["seconds"],
        reason=reason,
    )


def trial_records(study: Study) -> tuple[TrialRecord, ...]:
    """Return the trials of a study that came to something, in the order of their numbers."""
    from onward.training.optimization.studies import finished

    return tuple(trial_record(number, trial) for number, trial in enumerate(finished(study)))


def packed_sides(side: FloatArray) -> str:
    """Return sides (-1, 0, 1, NaN) as short text: a few kilobytes for years of hours."""
    codes = np.where(np.isfinite(side), side, NOTHING_SAID).astype(np.int8)
    return base64.b64encode(zlib.compress(codes.tobytes(), 9)).decode("ascii")


def unpacked_sides(text: str) -> FloatArray:
    """Return what `packed_sides` was given."""
    codes = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.int8).astype(np.float64)
    codes[codes == NOTHING_SAID] = np.nan
    return codes


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
