"""Evidence of skill, weak evidence, or none: one verdict for direction, one for the range class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from onward.errors import ConfigError
from onward.evaluation.metrics import Metrics
from onward.evaluation.null import NullBand, NullBands

__all__ = ["LEVELS", "ClassVerdict", "Level", "Verdict", "corrected_p", "level_of"]

Level: TypeAlias = Literal["evidence of skill", "weak evidence", "no evidence of skill"]
LEVELS: tuple[Level, ...] = get_args(Level)

EVIDENCE_BELOW = 0.01
WEAK_BELOW = 0.05


@dataclass(frozen=True, eq=False)
class ClassVerdict:
    """Whether one question was answered better than chance, with the numbers that decide.

    Attributes
    ----------
    subject
        ``direction`` (up or down, on rows that left the range) or ``range`` (in it or not).
    level
        ``evidence of skill``, ``weak evidence`` or ``no evidence of skill``.
    auc
        Pooled AUC of the score; NaN when it is not defined.
    p
        One-sided p against the null band.
    corrected_p
        ``p`` after the correction for ``n_looked_at`` configurations; this one decides.
    n_looked_at
        Configurations whose outer scores were looked at on these data, this one included.
    band
        The null band.
    base_auc
        AUC of the class frequencies of each fold's training rows, a prediction that knows nothing
        else; NaN when it was not given or is not defined. Where it is above 0.5, because the
        classes drift, the model is credited only with what it has beyond.
    """

    subject: Literal["direction", "range"]
    level: Level
    auc: float
    p: float
    corrected_p: float
    n_looked_at: int
    band: NullBand
    base_auc: float = math.nan

    @property
    def sentence(self) -> str:
        """The verdict in words, with the numbers that decided it."""
        name = {"direction": "Direction", "range": "Range"}[self.subject]
        score = {"direction": "up/down AUC", "range": "AUC of the range class"}[self.subject]
        if math.isnan(self.auc) or self.band.n_shifts == 0:
            return f"{name}: {self.level}. {self.band.note}"
        source = "extrapolated from their mean and deviation" if self.band.extrapolated else "counted"
        p = f"p {_p_text(self.p)} ({source})"
        if self.n_looked_at > 1:
            p += (
                f", p {_p_text(self.corrected_p)} after the correction for the {self.n_looked_at} "
                "configurations looked at on these data"
            )
        text = (
            f"{name}: {self.level}. The {score} is {self.auc:.3f}; on outcomes shifted in time the same "
            f"predictions reach {self.band.mean:.3f} on average and stay below {self.band.high:.3f} in "
            f"95 % of {self.band.n_shifts:,} shifts; {p}."
        )
        if _head_start(self.base_auc) > 0:
            text += (
                f" The class frequencies of the training rows alone reach {self.base_auc:.3f}, since the "
                "classes drift; p counts only what the model has beyond that."
            )
        return f"{text} {self.band.note}" if self.band.note else text

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; NaN becomes None."""
        return {
            "subject": self.subject,
            "level": self.level,
            "auc": None if math.isnan(self.auc) else self.auc,
            "p": self.p,
            "corrected_p": self.corrected_p,
            "n_looked_at": self.n_looked_at,
            "base_auc": None if math.isnan(self.base_auc) else self.base_auc,
            "band": self.band.to_dict(),
            "sentence": self.sentence,
        }


@dataclass(frozen=True, eq=False)
class Verdict:
    """The two verdicts of a run. Volatility is predictable, direction rarely is: never mix them."""

    direction: ClassVerdict
    range: ClassVerdict

    @classmethod
    def of(cls, bands: NullBands, n_looked_at: int = 1, base: Metrics | None = None) -> Verdict:
        """Decide from null bands.

        Parameters
        ----------
        bands
            Where the scores stand among those of shifted outcomes.
        n_looked_at
            Configurations whose outer scores were looked at on these data for this label
            family, this one included; at least 1.
        base
            What the class frequencies of the training rows alone score on the same rows. Shifted
            outcomes drift as the true ones do but elsewhere, so without this a model that follows
            the drift of the classes from fold to fold, and knows nothing else, passes for skilled.

        Raises
        ------
        ConfigError
            When ``n_looked_at`` is below 1.
        """
        direction, range_ = (math.nan,) * 2 if base is None else (base.direction_auc, base.range_auc)
        return cls(
            _decide("direction", bands.direction, n_looked_at, direction),
            _decide("range", bands.range, n_looked_at, range_),
        )

    @property
    def sentences(self) -> tuple[str, str]:
        """Both verdicts in words, direction first."""
        return self.direction.sentence, self.range.sentence

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"direction": self.direction.to_dict(), "range": self.range.to_dict()}


def corrected_p(p: float, n_looked_at: int) -> float:
    """Return the chance that the best of several looks reaches ``p`` (Šidák 1967).

    Computed as ``-expm1(n * log1p(-p))`` so that tiny p keep their digits.

    Raises
    ------
    ConfigError
        When ``n_looked_at`` is below 1 or p is no probability.
    """
    if n_looked_at < 1 or not 0.0 <= p <= 1.0:
        raise ConfigError(
            "the correction for several looks needs a probability and a count",
            got=f"p = {p}, n_looked_at = {n_looked_at}",
            allowed="p between 0 and 1, at least 1 look (this one)",
        )
    return 1.0 if p == 1.0 else -math.expm1(n_looked_at * math.log1p(-p))


def level_of(p: float) -> Level:
    """Return the level of a corrected p: below .01, below .05, or neither."""
    if p < EVIDENCE_BELOW:
        return "evidence of skill"
    return "weak evidence" if p < WEAK_BELOW else "no evidence of skill"


def _decide(
    subject: Literal["direction", "range"], band: NullBand, n_looked_at: int, base_auc: float
) -> ClassVerdict:
    p, ahead = band.p, _head_start(base_auc)
    if ahead > 0:
        p = max(p, band.chance_of(band.observed - ahead))
    corrected = corrected_p(p, n_looked_at)
    return ClassVerdict(
        subject, level_of(corrected), band.observed, p, corrected, n_looked_at, band, base_auc
    )


def _head_start(base_auc: float) -> float:
    """Return by how much class frequencies alone rank better than chance."""
    return 0.0 if math.isnan(base_auc) else max(0.0, base_auc - 0.5)


def _p_text(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"= {p:.4f}" if p < 0.1 else f"= {p:.2f}"
