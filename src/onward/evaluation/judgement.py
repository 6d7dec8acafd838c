"""From out-of-fold predictions to scores, null bands and verdicts, in one call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from onward.evaluation.metrics import measure
from onward.evaluation.null import NullBands, null_band
from onward.evaluation.oof import OutOfFold
from onward.evaluation.scores import Scores
from onward.evaluation.verdict import Verdict

__all__ = ["Judgement", "judge"]


@dataclass(frozen=True, eq=False)
class Judgement:
    """What out-of-fold predictions are worth.

    Attributes
    ----------
    scores
        Pooled, fold by fold, and of the naive rules.
    bands
        Null bands of the direction and the range score.
    verdict
        One verdict each.
    """

    scores: Scores
    bands: NullBands
    verdict: Verdict

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader should hold against a verdict that speaks for the model, in sentences."""
        return tuple(_cautions(self.scores, self.verdict))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"scores": self.scores.to_dict(), "verdict": self.verdict.to_dict()}


def judge(
    oof: OutOfFold, *, lookback: int = 0, n_shifts: int = 1_000, seed: int = 0, looked_at: int = 1
) -> Judgement:
    """Score and judge out-of-fold predictions.

    Parameters
    ----------
    oof
        Pooled out-of-fold predictions.
    lookback
        Longest lookback of the features, ns.
    n_shifts
        Circular shifts of the null band.
    seed
        Seed of the shifts' jitter.
    looked_at
        Configurations whose outer scores were looked at on these data for this label family,
        this one included.
    """
    bands = null_band(oof, lookback=lookback, n_shifts=n_shifts, seed=seed)
    base = measure(oof.prior, oof.y, oof.prior)
    return Judgement(Scores.of(oof), bands, Verdict.of(bands, looked_at, base))


def _cautions(scores: Scores, verdict: Verdict) -> Iterator[str]:
    spoken = [v for v in (verdict.direction, verdict.range) if v.level != "no evidence of skill"]
    for said in spoken:
        for name, naive in scores.baselines.items():
            reached = naive.direction_auc if said.subject == "direction" else naive.range_auc
            if reached >= said.auc:
                yield (
                    f"The naive rule {name.replace('_', ' ')} ranks the {said.subject} as well as the "
                    f"model (AUC {reached:.3f} against {said.auc:.3f}): the model adds nothing to a line "
                    "of arithmetic."
                )
    if spoken and scores.pooled.log_loss_skill < 0:
        yield (
            f"The log-loss skill is {scores.pooled.log_loss_skill:+.4f}: the probabilities are worse than "
            "the class frequencies of the training rows. The order of the predictions may be worth "
            "something, their sizes are not."
        )
