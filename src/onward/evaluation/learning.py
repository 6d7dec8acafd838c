"""How one fit learnt: its members, what each was worth on rows it had not seen, its calibration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from onward.evaluation.metrics import Metrics
from onward.types import Fold

__all__ = ["CalibrationRecord", "LearningRecord", "MemberRecord"]


@dataclass(frozen=True)
class MemberRecord:
    """One member of an ensemble.

    Attributes
    ----------
    name
        Name of the model.
    share
        How much it counts: in a vote its weight, in a stack its part of what the meta-model goes
        by, in a bag its part of the estimators.
    metrics
        Its scores on the scored rows; None when members were not scored.
    """

    name: str
    share: float
    metrics: Metrics | None = None


@dataclass(frozen=True)
class CalibrationRecord:
    """How probabilities were calibrated.

    Attributes
    ----------
    method
        ``sigmoid``, ``temperature`` or ``isotonic``.
    n_rows
        Rows with an out-of-fold prediction that the calibrator learnt from.
    effective_n
        Independent outcomes among them: the sum of their average uniqueness.
    metrics
        Scores of the uncalibrated probabilities on these rows.
    """

    method: str
    n_rows: int
    effective_n: float
    metrics: Metrics


@dataclass(frozen=True)
class LearningRecord:
    """What is worth knowing of a fit beside the model.

    These are scores *inside* the training rows: they say what the ensemble was built on, and are no
    evidence of skill. The out-of-fold scores of the run are.

    Attributes
    ----------
    method
        ``single``, ``bagging``, ``stacking`` or ``voting``.
    n_rows
        Training rows.
    n_scored
        Those that are scored: covered by inner folds, or outside some bag; 0 when none were.
    scored_on
        ``inner folds``, ``out of bag`` or ``nothing``.
    members
        The members in order; empty for a single model.
    combined
        Scores of the ensemble itself on the same rows as its members, what combines them being
        fitted without the rows that are scored; None when it was not scored.
    calibration
        None when probabilities are as the model gives them.
    inner
        Every inner fold that was fitted and predicted, those inside inner folds included: positions
        into the training rows. The leak audit looks at them.
    """

    method: str
    n_rows: int
    n_scored: int = 0
    scored_on: Literal["inner folds", "out of bag", "nothing"] = "nothing"
    members: tuple[MemberRecord, ...] = ()
    combined: Metrics | None = None
    calibration: CalibrationRecord | None = None
    inner: tuple[Fold, ...] = field(default=(), repr=False, compare=False)

    def frame(self) -> pd.DataFrame:
        """Return one row a member and one for the ensemble: ``share`` and the scores, NaN if none."""
        rows: dict[str, dict[str, Any]] = {
            member.name: {"share": member.share, **_values(member.metrics)} for member in self.members
        }
        if self.members:
            rows[self.method] = {"share": 1.0, **_values(self.combined)}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["share", *Metrics.__annotations__])

    @property
    def best_member(self) -> MemberRecord | None:
        """The member with the most log-loss skill; None when members were not scored."""
        scored = [member for member in self.members if member.metrics is not None]
        return max(scored, key=_skill, default=None)

    @property
    def advantage(self) -> float | None:
        """Log-loss skill of the ensemble less that of its best member, on the same rows; None likewise."""
        best = self.best_member
        return None if best is None or self.combined is None else self.combined.log_loss_skill - _skill(best)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; scores of members and of the ensemble are of the same rows."""
        calibration = self.calibration
        return {
            "method": self.method,
            "n_rows": self.n_rows,
            "n_scored": self.n_scored,
            "scored_on": self.scored_on,
            "members": [
                {
                    "name": m.name,
                    "share": m.share,
                    "scores": None if m.metrics is None else m.metrics.to_dict(),
                }
                for m in self.members
            ],
            "best_member": None if self.best_member is None else self.best_member.name,
            "advantage": self.advantage,
            "combined": None if self.combined is None else self.combined.to_dict(),
            "calibration": None
            if calibration is None
            else {
                "method": calibration.method,
                "n_rows": calibration.n_rows,
                "effective_n": calibration.effective_n,
                "scores_before": calibration.metrics.to_dict(),
            },
        }


def _skill(member: MemberRecord) -> float:
    return float("-inf") if member.metrics is None else member.metrics.log_loss_skill


def _values(metrics: Metrics | None) -> dict[str, Any]:
    return {} if metrics is None else vars(metrics)
