"""The OpenAPI document: what FastAPI writes, with problems as what they are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from onward.server.bodies.problem import Problem

__all__ = ["document"]

THEIRS = ("HTTPValidationError", "ValidationError")
"""FastAPI's own words for refusals, which are never sent here."""


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
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
