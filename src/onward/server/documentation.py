"""The OpenAPI document: what FastAPI writes, with problems as what they are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from onward.server.authorisation import declared
from onward.server.bodies.problem import Problem
from onward.server.csrf import CSRF_FIELD, CSRF_HEADER

__all__ = ["document"]

THEIRS = ("HTTPValidationError", "ValidationError")
"""FastAPI's own words for refusals, which are never sent here."""

WAYS: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key: `Authorization: Bearer onward_...`. As long as no key was ever made, "
        "requests of the server's own machine need none.",
    },
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "onward_session",
        "description": "A browser that logged in (`POST /api/v1/session`; with TLS the cookie is called "
        f"`__Host-onward_session`). Unsafe requests also carry `{CSRF_HEADER}`, forms `{CSRF_FIELD}`.",
    },
}
"""Ways to say who asks."""


def document(app: FastAPI) -> None:
    """Let the document of an application describe problems by their schema."""
    write = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = write()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            for name in THEIRS:
                schemas.pop(name, None)
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= problem.pop("$defs")
            schemas[Problem.__name__] = problem
            schema["components"]["securitySchemes"] = WAYS
            _say_who_may(app, schema["paths"])
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _say_who_may(app: FastAPI, paths: dict[str, Any]) -> None:
    """Write the scope that each operation needs into the document."""
    for route in iter_route_contexts(app.routes):
        path = paths.get(getattr(route, "path_format", None) or "", {})
        for method in route.methods or ():
            operation = path.get(method.lower())
            found = declared(getattr(route, "dependencies", ()))
            if operation is None or not found:
                continue
            scope = found[0].scope
            operation["security"] = [] if scope is None else [{way: [scope]} for way in WAYS]
            if scope is not None:
                needs = f"Needs the scope `{scope}`."
                operation["description"] = f"{operation.get('description', '')}\n\n{needs}".strip()
