"""Which language a reader gets: what he chose, else what his browser asks for."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

__all__ = ["DEFAULT", "LANGUAGES", "Language", "preferred"]

Language: TypeAlias = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"
MOST = 20
"""Entries of an ``Accept-Language`` header that are looked at."""


def preferred(chosen: str | None, accepted: str | None) -> Language:
    """Return the language of a page.

    Parameters
    ----------
    chosen
        Value of the cookie, if there is one; what is no language is passed over.
    accepted
        ``Accept-Language`` (RFC 9110, section 12.5.4), if sent.
    """
    if chosen in LANGUAGES:
        return chosen
    ranked = sorted(_ranges(accepted or ""), key=lambda pair: -pair[1])  # stable: the first wins a tie
    for tag, quality in ranked:
        primary = tag.partition("-")[0]
        if quality > 0 and primary in LANGUAGES:
            return primary
    return DEFAULT


def _ranges(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(",")[:MOST]:
        tag, _, parameter = part.partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            quality = 0.0
        found.append((tag.strip().lower(), quality))
    return found
