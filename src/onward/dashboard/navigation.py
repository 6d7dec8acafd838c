"""Which pages there are, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter

__all__ = ["Entry", "Page"]


@dataclass(frozen=True)
class Page:
    """A page as the navigation knows it.

    Attributes
    ----------
    name
        Of the module, of the file of its texts (whose key ``nav`` is its name in the navigation),
        of its template and of its script.
    path
        Where its entry leads; None for a page that has none (login).
    icon
        Name of a picture in ``macros/icons.html``.
    shots
        Addresses that `make screenshots` looks at, by name; ``{job}``, ``{run}``, ``{model}`` stand
        for what the prepared home has.
    uploads
        Paths of its routes that take files in, whose bodies may be as large as an upload.
    """

    name: str
    path: str | None
    icon: str = ""
    shots: Sequence[tuple[str, str]] = field(default=())
    uploads: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Entry:
    """A page with its routes."""

    page: Page
    router: APIRouter
