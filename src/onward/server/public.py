"""Which addresses are open to everybody: those whose routes say so."""

from __future__ import annotations

import re

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from onward.server.authorisation import declared

__all__ = ["PublicPaths"]


class PublicPaths:
    """Recognises the paths of routes that declare ``PUBLIC``.

    Parameters
    ----------
    app
        Asked for its routes when a path is first looked at; routes that are added later are not seen.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._patterns: list[re.Pattern[str]] | None = None

    def __contains__(self, path: object) -> bool:
        if self._patterns is None:
            self._patterns = [
                compile_path(route.path or "")[0]
                for route in iter_route_contexts(self._app.routes)
                if any(one.scope is None for one in declared(getattr(route, "dependencies", ())))
            ]
        return any(pattern.match(str(path)) for pattern in self._patterns)
