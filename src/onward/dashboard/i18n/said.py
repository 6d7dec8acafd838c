"""What the code itself says in English, sentence by sentence, in the reader's language.

A report is written in English by the code that computes it, and so are the cautions that a run keeps
and what a job says that it is at. Their headings, captions and sentences are a closed set: the files
``texts/<language>/*_said.toml`` hold them with their translation, figures as ``{n1}``, other parts as
``{a}``, sentences that are known themselves as ``{s}``, braces that are meant as such doubled. What
errors say stands in ``errors<package>_said.toml``.
What the files do not hold (findings, names) is shown as it is, and marked as English for screen readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from markupsafe import Markup

from onward.dashboard.i18n.figures import Figures
from onward.dashboard.i18n.languages import DEFAULT, Language
from onward.dashboard.i18n.texts import Texts, catalogue

__all__ = ["Said", "translated"]

FILES = re.compile(r"(?P<file>[a-z]+)_said\.(?P<english>.*)", re.DOTALL)
ERRORS = "errors"
"""What the names of the files begin with that hold what errors say."""
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SENTENCES = re.compile(r"(?<=\.) (?=[A-Z0-9])")
WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
"""What is a sentence or a phrase, and neither a name nor a figure."""
FIGURES = r"[-+−0-9.,:]+"
REMEMBERED = 8192
SENTENCE_PARTS = ("what", "allowed", "remedy")
ERROR_PARTS = ("what", "got", "allowed", "remedy")
"""Parts of an error in the order in which they are read (`onward.errors.OnwardError`)."""


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
        if found is None and WORDS.search(text):
            return Markup('<span lang="en">{}</span>').format(text)
        return Figures(self._language).rewritten(text) if found is None else found

    def stay_english(self, texts: Iterable[str]) -> bool:
        """Return whether some of these sentences are shown in English to a reader of another language."""
        if self._language == DEFAULT:
            return False
        return any(WORDS.search(text) and translated(self._language, text) is None for text in texts)

    def error(self, details: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the parts of an error that there are, by name, each in the reader's language.

        What was got is mostly a name or a value and stays as it is unless it is a phrase that is known.
        """
        found = [(name, str(details[name])) for name in ERROR_PARTS if details.get(name)]
        return [
            (name, self._got(text) if name == "got" else self(self.allowed(text))) for name, text in found
        ]

    def stays_english(self, details: Mapping[str, Any]) -> bool:
        """Return whether some part of an error is shown in English to a reader of another language."""
        return self.stay_english(str(details[name]) for name in SENTENCE_PARTS if details.get(name))

    def allowed(self, text: str) -> str:
        """Return what is allowed, of which a single word (``text``) means a kind of value and no name."""
        return text if self._language == DEFAULT else _known(self._language).kinds.get(text, text)

    def _got(self, text: str) -> str:
        return (translated(self._language, text) if " " in text else None) or text

    def plain(self, text: str) -> str:
        """Return a text for an attribute: in the reader's language if that is known, else as it is."""
        if self._language == DEFAULT:
            return text
        return translated(self._language, text) or Figures(self._language).rewritten(text)


@lru_cache(REMEMBERED)
def translated(language: Language, text: str) -> str | None:
    """Return what a text is in another language; None when one of its sentences is not known."""
    parts = [_one(language, part) for part in SENTENCES.split(text)]
    if len(parts) > 1 and None not in parts:
        return "".join(filter(None, parts))
    return _one(language, text)


def _one(language: Language, text: str, *, words: bool = True) -> str | None:
    known = _known(language)
    if " " not in text:  # every pattern has a space, and names have none
        return known.phrases.get(text) if words else None
    if text in known.phrases:
        return known.phrases[text]
    for pattern in known.candidates(text):
        found = pattern.shape.fullmatch(text)
        if found is None:
            continue
        parts = {name: _inside(language, name, value, pattern) for name, value in found.groupdict().items()}
        if None not in parts.values():
            return pattern.answer.format(**parts)
    return None


def _inside(language: Language, name: str, value: str, pattern: _Pattern) -> str | None:
    """Return a figure or a name as it is; a phrase among figures in the other language.

    What stands for a sentence has to be known: None when it is not.
    """
    if name.startswith("s"):
        return _known(language).kinds.get(value) or translated(language, value)
    if not value or value.isdecimal():
        return value
    found = _one(language, value, words=not pattern.names)
    if found is not None:
        return found
    return value if pattern.names else Figures(language).rewritten(value)  # what an error got stays as it is


@dataclass(frozen=True)
class _Pattern:
    """A sentence with places.

    Attributes
    ----------
    shape
        What it looks like in English.
    literal
        The longest part of it that stands there word by word: what lacks it need not be tried.
    answer
        In the other language.
    names
        Whether a single word in a place is a name, whatever it means elsewhere: so it is in errors.
    """

    shape: re.Pattern[str]
    literal: str
    answer: str
    names: bool


@dataclass(frozen=True)
class _Known:
    """What can be said in a language: whole texts, and patterns by the word that they begin with.

    Of several patterns that fit a text, the one with the most text of its own comes first. Single words
    of errors are kinds of values (``text``), which elsewhere are names.
    """

    kinds: Mapping[str, str]
    phrases: Mapping[str, str]
    by_first_word: Mapping[str, Sequence[_Pattern]]
    others: Sequence[_Pattern]

    def candidates(self, text: str) -> Iterator[_Pattern]:
        """Give the patterns that may fit."""
        for pattern in chain(self.by_first_word.get(text.partition(" ")[0], ()), self.others):
            if pattern.literal in text:
                yield pattern


@cache
def _known(language: Language) -> _Known:
    kinds: dict[str, str] = {}
    phrases: dict[str, str] = {}
    by_first_word: dict[str, list[tuple[int, _Pattern]]] = {}
    for key, text in catalogue(language).items():
        found = FILES.fullmatch(key)
        if found is None or not isinstance(text, str):
            continue
        english, of_errors = found["english"], found["file"].startswith(ERRORS)
        if PLACEHOLDER.search(english) is None:
            known = kinds if of_errors and " " not in english else phrases
            known[_unescaped(english)] = _unescaped(text)
            continue
        literals = [_unescaped(part) for part in PLACEHOLDER.split(english)[::2]]
        first, blank, _ = literals[0].partition(" ")
        pattern = _Pattern(_shape(english), max(literals, key=len), text, of_errors)
        by_first_word.setdefault(first if blank else "", []).append((len("".join(literals)), pattern))
    patterns = {
        word: [pattern for _, pattern in sorted(some, key=lambda one: -one[0])]
        for word, some in by_first_word.items()
    }
    return _Known(kinds, phrases, patterns, patterns.pop("", []))


def _shape(english: str) -> re.Pattern[str]:
    parts = PLACEHOLDER.split(english)
    return re.compile(
        "".join(_piece(part) if n % 2 else re.escape(_unescaped(part)) for n, part in enumerate(parts)),
        re.DOTALL,
    )


def _unescaped(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


def _piece(name: str) -> str:
    """Return what stands in the place of a placeholder: figures alone where its name is ``n...``."""
    return rf"(?P<{name}>{FIGURES if re.fullmatch(r'n[0-9]*', name) else '.+?'})"
