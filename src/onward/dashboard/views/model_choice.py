"""Two versions side by side for whoever is asked which of them shall be in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onward.dashboard.views.models import VersionLine, version_line

if TYPE_CHECKING:
    from onward.registry import Version

__all__ = ["Choice", "Judged", "choice_of"]

SUBJECTS = ("direction", "range")


@dataclass(frozen=True)
class Judged:
    """What the verdict on one class rests on.

    Attributes
    ----------
    level
        In the words of the code; None where nobody judged.
    auc, p
        The score, and the corrected p value that decided; None where the bundle does not say.
    """

    level: str | None
    auc: float | None
    p: float | None


@dataclass(frozen=True)
class Choice:
    """A version that may come into use, beside the one that it would replace.

    Attributes
    ----------
    coming, present
        The versions; no ``present`` where the alias stands for nothing, or for ``coming`` itself.
    judged
        By subject, what is said of ``coming`` and of ``present``.
    comparable
        Whether both were scored on the same data and labels; without that their figures say
        nothing about each other.
    """

    coming: VersionLine
    present: VersionLine | None
    judged: Mapping[str, tuple[Judged, ...]]
    comparable: bool

    @property
    def sides(self) -> tuple[VersionLine, ...]:
        """Those that there are, the one that may come first."""
        return (self.coming,) if self.present is None else (self.coming, self.present)


def choice_of(coming: Version, present: Version | None) -> Choice:
    """Return two versions side by side.

    Parameters
    ----------
    coming
        The version that may come into use.
    present
        The version that its alias stands for now, if any.
    """
    if present is not None and present.number == coming.number:
        present = None
    both = (coming,) if present is None else (coming, present)
    scored = {(one.manifest.data_hash, one.manifest.label_family) for one in both}
    return Choice(
        coming=version_line(coming),
        present=None if present is None else version_line(present),
        judged={name: tuple(_judged(one.manifest.verdicts.get(name)) for one in both) for name in SUBJECTS},
        comparable=len(scored) == 1,
    )


def _judged(verdict: Any) -> Judged:
    if not isinstance(verdict, Mapping):
        return Judged(None, None, None)
    p = verdict.get("corrected_p")
    return Judged(verdict.get("level"), _number(verdict.get("auc")), _number(p))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
