"""Which addresses are open to everybody, ask nobody who he is, or outlast the database: as routes say."""

from __future__ import annotations

import re
from functools import cached_property

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from onward.server.authorisation import declared

__all__ = ["PublicPaths"]


class PublicPaths:
    """Recognises the paths of routes that declare ``PUBLIC`` or ``ANONYMOUS``, or that they are enduring.

    Parameters
    ----------
    app
        Asked for its routes when a path is first looked at; routes that are added later are not seen.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def __contains__(self, path: object) -> bool:
        exact, patterns = self._known
        return path in exact or any(pattern.match(str(path)) for pattern in patterns)

    def anonymous(self, path: str) -> bool:
        """Return whether it does not matter who asks at a path that is open to everybody."""
        return self._known[0].get(path, False)

    def enduring(self, path: str) -> bool:
        """Return whether those who were let in before are answered while the database is away."""
        return path in self._enduring

    @cached_property
    def _enduring(self) -> frozenset[str]:
        return frozenset(
            route.path or ""
            for route in iter_route_contexts(self._app.routes)
            if any(one.enduring for one in declared(getattr(route, "dependencies", ())))
        )

    @cached_property
    def _known(self) -> tuple[dict[str, bool], list[re.Pattern[str]]]:
        """Paths, each with whether it is anonymous, and patterns of paths: every request meets them."""
        exact: dict[str, bool] = {}
        patterns: list[re.Pattern[str]] = []
        for route in iter_route_contexts(self._app.routes):
            required = declared(getattr(route, "dependencies", ()))
            if any(one.scope is None for one in required):
                pattern, _, convertors = compile_path(route.path or "")
                if convertors:
                    patterns.append(pattern)
                else:
                    exact[route.path or ""] = any(one.anonymous for one in required)
        return exact, patterns
