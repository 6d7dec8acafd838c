"""The verdict in words: the first thing that a reader sees."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onward.evaluation.report import words
from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.tables import Tone
from onward.evaluation.verdict import LEVELS, ClassVerdict, Level
from onward.types import Certificate

__all__ = ["Notice", "Strip", "VerdictCard", "headline", "meaning", "trust", "verdict_card"]

SYMBOLS: dict[Level, str] = {
    "evidence of skill": "●",
    "weak evidence": "◐",
    "no evidence of skill": "○",
}
TONES: dict[Level, Tone] = {
    "evidence of skill": "good",
    "weak evidence": "fair",
    "no evidence of skill": "quiet",
}
QUESTIONS = {
    "direction": "Does it know up from down?",
    "range": "Does it know whether the price will move at all?",
}


@dataclass(frozen=True)
class Strip:
    """Where the AUC stands beside chance, as positions along a strip, 0 to 100."""

    low: float
    high: float
    mean: float
    observed: float
    text: str


@dataclass(frozen=True)
class VerdictCard:
    """One verdict as it is shown.

    Attributes
    ----------
    subject, question
        ``Direction`` or ``Range``, and what is asked.
    level, symbol, tone
        The level in words, as a symbol, and the tone of its colour.
    sentence
        The verdict with the numbers that decide it.
    figures
        Names and values of the deciding numbers.
    strip
        The AUC beside chance; None when there is no band.
    verdict
        The same as plain values (`ClassVerdict.to_dict`), for whoever says it in other words.
    """

    subject: str
    question: str
    level: str
    symbol: str
    tone: Tone
    sentence: str
    figures: tuple[tuple[str, str], ...]
    strip: Strip | None
    verdict: Mapping[str, Any]


@dataclass(frozen=True)
class Notice:
    """Something that must be read before the verdict."""

    tone: Tone
    symbol: str
    text: str


def verdict_card(verdict: ClassVerdict) -> VerdictCard:
    """Return the card of a verdict."""
    return VerdictCard(
        subject=verdict.subject.capitalize(),
        question=QUESTIONS[verdict.subject],
        level=verdict.level,
        symbol=SYMBOLS[verdict.level],
        tone=TONES[verdict.level],
        sentence=verdict.sentence,
        figures=(
            ("AUC", words.number(verdict.auc)),
            ("p", words.probability(verdict.p)),
            ("corrected p", words.probability(verdict.corrected_p)),
            ("configurations looked at", words.count(verdict.n_looked_at)),
        ),
        strip=_strip(verdict),
        verdict=verdict.to_dict(),
    )


def headline(content: ReportContent) -> str:
    """Return both verdicts in one line."""
    verdict = content.judgement.verdict
    return f"Direction: {verdict.direction.level}. Range: {verdict.range.level}."


def meaning(content: ReportContent) -> str:
    """Return what the two verdicts mean for somebody who wants to trade."""
    verdict = content.judgement.verdict
    return f"{DIRECTION_MEANS[verdict.direction.level]} {RANGE_MEANS[verdict.range.level]}"


DIRECTION_MEANS: dict[Level, str] = {
    "evidence of skill": (
        "The model tells rises from falls better than chance explains. Whether that pays is another "
        "question: see the equity after costs."
    ),
    "weak evidence": (
        "The model may tell rises from falls, but one time in twenty chance looks like this. Do not "
        "stake money on it; look at data it has not seen."
    ),
    "no evidence of skill": (
        "Do not trade this model for direction: on these data its ups and downs are not told from chance, "
        "whatever the equity curve looks like."
    ),
}
RANGE_MEANS: dict[Level, str] = {
    "evidence of skill": (
        "It does tell calm stretches from moving ones, which helps to size positions and place stops "
        "but does not say which way the price goes."
    ),
    "weak evidence": "It may tell calm stretches from moving ones; that is not settled.",
    "no evidence of skill": "It does not tell calm stretches from moving ones either way.",
}


def trust(certificate: Certificate) -> Notice | None:
    """Return a warning when the leak audit does not vouch for the scores."""
    if certificate.status == "failed":
        return Notice(
            "bad",
            "✕",
            "The leak audit failed: something in this run sees the future, so every score below is "
            "worthless until it is repaired. The findings are listed under “Leak certificate”.",
        )
    if certificate.status == "not_run":
        return Notice(
            "fair",
            "!",
            "The leak audit was not run: nothing vouches that these scores are free of look-ahead.",
        )
    return None


def _strip(verdict: ClassVerdict) -> Strip | None:
    band = verdict.band
    if math.isnan(verdict.auc) or band.n_shifts == 0:
        return None
    reach = max(0.1, 1.15 * max(abs(x - 0.5) for x in (verdict.auc, band.low, band.high)))

    def place(area: float) -> float:
        return round(50 + 50 * (area - 0.5) / reach, 2)

    text = (
        f"AUC {words.number(verdict.auc)} beside chance: 90 of 100 shifted outcomes give "
        f"{words.number(band.low)} to {words.number(band.high)}"
    )
    return Strip(place(band.low), place(band.high), place(band.mean), place(verdict.auc), text)


assert set(SYMBOLS) == set(TONES) == set(DIRECTION_MEANS) == set(RANGE_MEANS) == set(LEVELS)
