"""What the code itself says in English, sentence by sentence, in the reader's language.

A report is written in English by the code that computes it, and so are the cautions that a run keeps
and what a job says that it is at. Their headings, captions and sentences are a closed set: the files
``texts/<language>/*_said.toml`` hold them with their translation, figures as ``{n1}``, other parts as
``{a}``. What they do not hold (findings, errors, names) is shown as it is, and marked as English for
screen readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from markupsafe import Markup

from onward.dashboard.i18n.languages import DEFAULT, Language
from onward.dashboard.i18n.texts import Texts, catalogue

__all__ = ["Said", "translated"]

FILES = re.compile(r"[a-z]+_said\.(.*)", re.DOTALL)
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SENTENCES = re.compile(r"(?<=\.) (?=[A-Z0-9])")
WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
"""What is a sentence or a phrase, and neither a name nor a figure."""
FIGURES = r"[-+−0-9.,:]+"
REMEMBERED = 8192


class Said:
    """Says what the code said in the reader's language: ``say(text)``.

    Parameters
    ----------
    texts
        Of the reader's language.
    """

    def __init__(self, texts: Texts) -> None:
        self._language: Language = texts.language

    def __call__(self, text: str) -> str:
        """Return a text in the reader's language; markup with its language when that is not known."""
        if self._language == DEFAULT or not text:
            return text
        found = translated(self._language, text)
        if found is None:
            return Markup('<span lang="en">{}</span>').format(text) if WORDS.search(text) else text
        return found

    def stay_english(self, texts: Iterable[str]) -> bool:
        """Return whether some of these sentences are shown in English to a reader of another language."""
        if self._language == DEFAULT:
            return False
        return any(WORDS.search(text) and translated(self._language, text) is None for text in texts)

    def plain(self, text: str) -> str:
        """Return a text for an attribute: in the reader's language if that is known, else as it is."""
        if self._language == DEFAULT:
            return text
        return translated(self._language, text) or text


@lru_cache(REMEMBERED)
def translated(language: Language, text: str) -> str | None:
    """Return what a text is in another language; None when one of its sentences is not known."""
    parts = [_one(language, part) for part in SENTENCES.split(text)]
    if len(parts) > 1 and None not in parts:
        return "".join(filter(None, parts))
    return _one(language, text)


def _one(language: Language, text: str) -> str | None:
    phrases, patterns = _known(language)
    if text in phrases or " " not in text:  # every pattern has a space, and names have none
        return phrases.get(text)
    for pattern, answer in patterns:
        found = pattern.fullmatch(text)
        if found is not None:
            return answer.format(
                **{name: _inside(language, value) for name, value in found.groupdict().items()}
            )
    return None


def _inside(language: Language, value: str) -> str:
    """Return a figure as it is; a phrase among figures in the other language."""
    found = _one(language, value) if value and not value.isdecimal() else None
    return value if found is None else found


@cache
def _known(language: Language) -> tuple[Mapping[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    entries = {
        found[1]: text
        for key, text in catalogue(language).items()
        if (found := FILES.fullmatch(key)) and isinstance(text, str)
    }
    patterns = [(_pattern(english), text) for english, text in entries.items() if PLACEHOLDER.search(english)]
    return entries, tuple(patterns)


def _pattern(english: str) -> re.Pattern[str]:
    parts = PLACEHOLDER.split(english)
    return re.compile(
        "".join(_piece(part) if n % 2 else re.escape(part) for n, part in enumerate(parts)), re.DOTALL
    )


def _piece(name: str) -> str:
    """Return what stands in the place of a placeholder: figures alone where its name is ``n...``."""
    return rf"(?P<{name}>{FIGURES if re.fullmatch(r'n[0-9]*', name) else '.+?'})"
