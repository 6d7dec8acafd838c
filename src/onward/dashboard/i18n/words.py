"""Words of the product in the reader's language, by the value that the code knows them by.

The code speaks English: levels of verdicts, states, reasons, kinds. Pages never translate
sentences; they look values up here, and write sentences anew from the figures inside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onward.dashboard.i18n.figures import Figures
from onward.dashboard.i18n.texts import Texts

__all__ = ["Words"]


class Words:
    """Looks words up; a value that the catalogue does not know is shown as it is.

    Parameters
    ----------
    texts
        Of the reader's language.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._figures = Figures(texts.language)

    def job_state(self, state: str) -> str:
        """Return ``queued`` ... ``cancelled`` in words."""
        return self._word("job_state", state)

    def job_kind(self, kind: str) -> str:
        """Return ``train``, ``tune`` ... in words."""
        return self._word("job_kind", kind)

    def job_reason(self, reason: str | None) -> str:
        """Return why a job failed, as a sentence; empty when it did not."""
        return "" if reason is None else self._word("job_reason", reason)

    def certificate(self, status: str) -> str:
        """Return ``passed``, ``failed`` or ``not_run`` in words."""
        return self._word("certificate", status)

    def level(self, level: str | None) -> str:
        """Return the level of a verdict in words."""
        return self._word("level", "unknown" if level is None else level)

    def subject(self, subject: str) -> str:
        """Return ``direction`` or ``range`` in words."""
        return self._word("subject", subject)

    def question(self, subject: str) -> str:
        """Return what the verdict of a subject answers."""
        return self._word("question", subject)

    def meaning(self, subject: str, level: str) -> str:
        """Return what a verdict means for somebody who wants to trade."""
        return self._word(f"meaning.{subject}", level)

    def series_kind(self, kind: str) -> str:
        """Return ``candles``, ``funding`` ... in words."""
        return self._word("series_kind", kind)

    def alias_action(self, action: str) -> str:
        """Return ``set``, ``rollback`` or ``delete`` in words."""
        return self._word("alias_action", action)

    def origin(self, source: str) -> str:
        """Return where a setting came from (``default``, ``environment`` ...)."""
        return self._word("origin", source)

    def setting(self, name: str, english: str) -> str:
        """Return the description of a setting: the code's own in English, else the catalogue's."""
        if self._texts.language == "en":
            return english
        return self._texts.get(f"settings_help.{name}", english)

    def verdict(self, verdict: Mapping[str, Any]) -> str:
        """Return a verdict with its deciding numbers, from ``ClassVerdict.to_dict()``."""
        figures, band = self._figures, verdict.get("band") or {}
        auc, n_shifts = verdict.get("auc"), band.get("n_shifts") or 0
        level, subject = self.level(verdict["level"]), self.subject(verdict["subject"])
        if auc is None or not n_shifts:
            return self._texts("words.verdict.undecided", subject=subject, level=level)
        parts = [
            self._texts(
                "words.verdict.decided",
                subject=subject,
                level=level,
                auc=figures.number(auc),
                mean=figures.number(band.get("mean")),
                high=figures.number(band.get("high")),
                n_shifts=figures.count(n_shifts),
                p=figures.probability(verdict.get("p")),
                source=self._source(band.get("extrapolated")),
            )
        ]
        if verdict.get("n_looked_at", 1) > 1:
            parts.append(
                self._texts(
                    "words.verdict.corrected",
                    p=figures.spoken_probability(verdict.get("corrected_p")),
                    n=figures.count(verdict["n_looked_at"]),
                )
            )
        base = verdict.get("base_auc")
        if base is not None and math.isfinite(base) and base > 0.5:
            parts.append(self._texts("words.verdict.drift", base=figures.number(base)))
        return ("" if self._texts.language == "ja" else " ").join(parts)

    def _source(self, extrapolated: bool | None) -> str:
        """Return where a p comes from; empty when it was not kept."""
        if extrapolated is None:
            return ""
        said = self._texts(f"words.verdict.{'extrapolated' if extrapolated else 'counted'}")
        return said if self._texts.language == "ja" else f" {said}"

    def _word(self, table: str, value: str) -> str:
        return self._texts.get(f"words.{table}.{value.replace(' ', '_')}", value.replace("_", " "))
