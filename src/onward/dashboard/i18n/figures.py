"""Figures, moments and durations as a reader of either language wants them.

Signs, digits and NaN follow the standalone report (`onward.evaluation.report.words`); pages differ
in that they speak two languages. All moments are UTC.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from onward.dashboard.i18n.languages import Language

__all__ = ["Figures"]

MINUS = "−"
UNKNOWN = "–"
STEPS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))
UNITS = {
    "en": {"day": " d", "hour": " h", "minute": " min", "second": " s"},
    "ja": {"day": "日", "hour": "時間", "minute": "分", "second": "秒"},
}
AGO = {"en": "{span} ago", "ja": "{span}前"}
SOON = {"en": "in {span}", "ja": "{span}後"}
BELOW = {"en": "under {span}", "ja": "{span}未満"}
SHORTEST = 0.1
SPOKEN = {
    "en": {"": "{p}", "<": "below {p}", ">": "above {p}"},
    "ja": {"": "{p}", "<": "{p}未満", ">": "{p}超"},
}
NOW = {"en": "just now", "ja": "たった今"}
DAY = {"en": "%Y-%m-%d", "ja": "%Y/%m/%d"}
BYTES = ("B", "kB", "MB", "GB", "TB")
PERCENT = {"en": " %", "ja": "%"}
WRITTEN_PERCENT = re.compile(r"(?<=\d) %")
WRITTEN_DAY = re.compile(r"(?<![\w/-])(\d{4})-(\d\d)-(\d\d)(?![\w-])")
WRITTEN_SPAN = re.compile(r"(?P<below>under )?(?P<parts>\d[\d.,]* (?:d|h|min|s)(?: \d+ (?:h|min|s))?)")
"""How the code writes shares, days and whole spans of time, which is the English way."""


class Figures:
    """Writes figures; None and NaN are a dash.

    Parameters
    ----------
    language
        Of the reader.
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def number(self, value: float | None, digits: int = 3) -> str:
        """Return a figure with a fixed number of decimals."""
        if value is None or not math.isfinite(value):
            return UNKNOWN
        return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", MINUS)

    def signed(self, value: float | None, digits: int = 3) -> str:
        """Return a figure with its sign."""
        text = self.number(value, digits)
        positive = value is not None and math.isfinite(value) and round(value, digits) > 0
        return f"+{text}" if positive else text

    def percent(self, share: float | None, digits: int = 1) -> str:
        """Return a share (0.12) as percent (12.0 %)."""
        text = self.number(None if share is None else 100 * share, digits)
        return text if text == UNKNOWN else f"{text}{PERCENT[self.language]}"

    def signed_percent(self, share: float | None, digits: int = 1) -> str:
        """Return a share as percent with its sign."""
        text = self.percent(share, digits)
        positive = share is not None and math.isfinite(share) and round(100 * share, digits) > 0
        return f"+{text}" if positive else text

    def count(self, value: float | None) -> str:
        """Return a whole number with its thousands separated."""
        return self.number(value, 0)

    def price(self, value: float | None) -> str:
        """Return a price with about six significant digits."""
        if value is None or not math.isfinite(value) or value == 0:
            return self.number(value, 2)
        return self.number(value, min(8, max(2, 5 - math.floor(math.log10(abs(value))))))

    def probability(self, p: float | None) -> str:
        """Return a p value: two significant digits, no claim below 1 in 10,000 or of what is not certain."""
        if p is None or not math.isfinite(p):
            return UNKNOWN
        if p < 0.0001:
            return "< 0.0001"
        if 0.995 <= p < 1.0:
            return "> 0.99"
        if p < 0.00995:
            return f"{p:.4f}"
        return f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"

    def spoken_probability(self, p: float | None) -> str:
        """Return a p value as it stands in a sentence after *is*: ``below 0.0001``, ``0.0001未満``."""
        sign, _, value = self.probability(p).rpartition(" ")
        return SPOKEN[self.language][sign].format(p=value)

    def size(self, n_bytes: float | None) -> str:
        """Return an amount of memory or disk, in powers of 1000."""
        if n_bytes is None or not math.isfinite(n_bytes):
            return UNKNOWN
        power = 0
        while n_bytes >= 999.5 and power < len(BYTES) - 1:
            n_bytes, power = n_bytes / 1000, power + 1
        return f"{self.number(n_bytes, 0 if power == 0 or n_bytes >= 9.95 else 1)} {BYTES[power]}"

    def duration(self, seconds: float | None) -> str:
        """Return a time span by its two largest units: ``3 min 5 s``, ``3分5秒``; nothing took no time."""
        if seconds is None or not math.isfinite(seconds):
            return UNKNOWN
        left, units, parts = abs(seconds), UNITS[self.language], []
        if left < SHORTEST:
            return BELOW[self.language].format(span=f"{SHORTEST}{units['second']}")
        if left < 9.95:
            return f"{self.number(left, 1)}{units['second']}"
        left = float(round(left))
        for length, unit in STEPS:
            n, left = divmod(left, length)
            if n:
                parts.append(f"{n:,.0f}{units[unit]}")
        return ("" if self.language == "ja" else " ").join(parts[:2])

    def rough(self, seconds: float | None) -> str:
        """Return a time span by its largest unit alone: ``3 h``, ``3時間``; a second at least."""
        if seconds is None or not math.isfinite(seconds):
            return UNKNOWN
        for length, unit in STEPS:
            if abs(seconds) >= length:
                return f"{abs(seconds) // length:,.0f}{UNITS[self.language][unit]}"
        return f"1{UNITS[self.language]['second']}"

    def about(self, seconds: float | None) -> str:
        """Return an estimate, rounded already, by its two largest units: ``1 h 40 min``, ``5 s``."""
        return self.rough(seconds) if seconds is not None and seconds < 10 else self.duration(seconds)

    def ago(self, moment: datetime | None, now: datetime) -> str:
        """Return how long ago, or in how long, something is: ``3 h ago``, ``3時間前``."""
        if moment is None:
            return UNKNOWN
        seconds = (now - moment).total_seconds()
        if abs(seconds) < 1:
            return NOW[self.language]
        words = AGO if seconds > 0 else SOON
        return words[self.language].format(span=self.rough(seconds))

    def rewritten(self, text: str) -> str:
        """Return figures that the code wrote in English as this reader writes them.

        ``12 %`` is ``12%`` in Japanese, ``2026-11-23`` is ``2026/11/23``, and a text that is a span of
        time and nothing else (``1 min 5 s``) has its units. Everything around them stays.
        """
        if self.language == "en":
            return text
        span = WRITTEN_SPAN.fullmatch(text)
        if span is not None:
            spelt = {unit.strip(): UNITS[self.language][name] for name, unit in UNITS["en"].items()}
            words = span["parts"].split(" ")
            told = "".join(f"{n}{spelt[unit]}" for n, unit in zip(words[::2], words[1::2], strict=True))
            return BELOW[self.language].format(span=told) if span["below"] else told
        return WRITTEN_DAY.sub(r"\1/\2/\3", WRITTEN_PERCENT.sub(PERCENT[self.language], text))

    def moment(self, moment: datetime | None) -> str:
        """Return a moment to the minute, in UTC."""
        return UNKNOWN if moment is None else f"{self.day(moment)} {moment.astimezone(UTC):%H:%M}"

    def day(self, moment: datetime | None) -> str:
        """Return the day of a moment, in UTC."""
        return UNKNOWN if moment is None else moment.astimezone(UTC).strftime(DAY[self.language])
