"""Where somebody belongs who opened what is no page: a piece of one, or the address of a button."""

from __future__ import annotations

from starlette.routing import Match

from onward.dashboard.pages import entries

__all__ = ["page_of"]

PIECES = "/ui"


def page_of(path: str) -> str:
    """Return the page that an address of its pieces or buttons belongs to.

    Such addresses lie below that of their page: ``/ui/jobs/<id>/retry`` belongs to ``/jobs/<id>``,
    and ``/ui/preferences``, which lies below none, to the overview.

    Parameters
    ----------
    path
        Of a request, with or without ``/ui``.
    """
    above = path.removeprefix(PIECES).rpartition("/")[0]
    while above:
        if _is_page(above):
            return above
        above = above.rpartition("/")[0]
    return "/"


def _is_page(path: str) -> bool:
    asked = {"type": "http", "method": "GET", "path": path}
    return any(route.matches(asked)[0] is Match.FULL for entry in entries() for route in entry.router.routes)
