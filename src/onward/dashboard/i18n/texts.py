"""The catalogue: every sentence of the pages, by key, in each language.

One TOML file a page and language lies below ``texts/``; the name of the file is the first part of
each key. A text is a string with ``{placeholders}``, or a table of ``one`` and ``other``, between
which ``count`` decides. Japanese has no plural: there both may say the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape

from onward.dashboard.i18n.figures import Figures
from onward.dashboard.i18n.languages import Language

__all__ = ["PLURALS", "Texts", "catalogue", "texts_of"]

PLURALS = ("one", "other")
"""Forms of a text that counts something."""


class Texts:
    """Texts of one language, called with a key: ``t("overview.title")``.

    Parameters
    ----------
    language
        Of the texts.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._entries = catalogue(language)
        self._figures = Figures(language)

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return a text with its placeholders filled in.

        Parameters
        ----------
        key
            File and dotted name, such as ``overview.models.title``.
        **values
            For the placeholders. ``count`` also chooses between ``one`` and ``other``, and is
            written with its thousands separated. When one of them is markup, so is the answer,
            everything else in it escaped.

        Raises
        ------
        KeyError
            When there is no such text: a fault of the page, which a test finds.
        """
        entry = self._entries[key]
        count = values.get("count")
        if not isinstance(entry, str):
            entry = entry["one" if count == 1 else "other"]
        if isinstance(count, int):
            values["count"] = self._figures.count(count)
        if any(isinstance(value, Markup) for value in values.values()):
            return Markup(str(escape(entry))).format(**values)  # noqa: S704
        return entry.format(**values) if values else entry

    def get(self, key: str, default: str) -> str:
        """Return a text without placeholders, or something else where there is none."""
        entry = self._entries.get(key, default)
        return entry if isinstance(entry, str) else entry["other"]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def below(self, prefix: str) -> dict[str, str]:
        """Return the plain texts below a key by the rest of theirs, for scripts."""
        start = f"{prefix}."
        return {
            key.removeprefix(start): text
            for key, text in self._entries.items()
            if key.startswith(start) and isinstance(text, str)
        }


@cache
def texts_of(language: Language) -> Texts:
    """Return the texts of a language."""
    return Texts(language)


@cache
def catalogue(language: Language) -> Mapping[str, str | Mapping[str, str]]:
    """Return all texts of a language by dotted key; plural forms stay together."""
    entries: dict[str, str | Mapping[str, str]] = {}
    for file in sorted(files("onward.dashboard").joinpath("texts", language).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            _flatten(tomllib.loads(file.read_text(encoding="utf-8")), file.name[:-5], entries)
    return entries


def _flatten(table: Mapping[str, Any], prefix: str, into: dict[str, str | Mapping[str, str]]) -> None:
    for name, value in table.items():
        key = f"{prefix}.{name}"
        if isinstance(value, str) or set(value) == set(PLURALS):
            into[key] = value
        else:
            _flatten(value, key, into)
