"""Published models and their versions."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from onward.registry.protocol import ModelRegistry, TransactionalRegistry
from onward.server.bodies.models import (
    CleanupAnswer,
    CleanupBody,
    ModelPage,
    VersionDetail,
    VersionPage,
)
from onward.server.dependencies import Registry, State, requires
from onward.server.responses import answer, refusals
from onward.server.views.models import entity_tag, model_view, version_detail, version_view

__all__ = ["Name", "Number", "router", "version_of"]

router = APIRouter(tags=["models"], responses=refusals(404))

Name = Annotated[str, Path(description="Name of a model.", examples=["btc-1h"])]
Number = Annotated[
    str, Path(description="Number of a version, or `latest`.", examples=["latest", "3"], max_length=20)
]
Limit = Annotated[int, Query(ge=1, le=500)]
Seen = Annotated[str | None, Header(alias="If-None-Match", description="ETag of the answer before.")]

REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "font-src data:; frame-ancestors 'none'; sandbox allow-scripts"
)
"""A report brings its own script and style; in a sandbox it cannot talk to the server as its reader."""


@router.get("/models", response_model=ModelPage, dependencies=[requires("read")])
def models(
    registry: Registry,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(description="Of the page before.", max_length=200)] = None,
) -> Response:
    """List models by name."""
    found = [one for one in registry.list_models() if cursor is None or one.name > cursor]
    page = found[:limit]
    more = page[-1].name if len(found) > limit else None
    return answer({"models": [model_view(one) for one in page], "cursor": more})


@router.post("/models/cleanup", response_model=CleanupAnswer, dependencies=[requires("admin")])
def cleanup(body: CleanupBody, registry: Registry, state: State) -> Response:
    """Delete versions beyond the limits; never one that an alias stands for or would return to."""
    limits = state.provider.services.settings.registry
    names = [body.name] if body.name is not None else [one.name for one in registry.list_models()]
    gone: list[str] = []
    for name in names:
        expired = registry.cleanup(
            name,
            max_versions=limits.max_versions if body.max_versions is None else body.max_versions,
            max_age_days=limits.max_age_days if body.max_age_days is None else body.max_age_days,
            dry_run=body.dry_run,
        )
        gone += [version.ref for version in expired]
    if not body.dry_run and isinstance(registry, TransactionalRegistry):
        registry.sweep_orphans()
    return answer({"deleted": gone, "dry_run": body.dry_run})


@router.get("/models/{name}", response_model=VersionPage, dependencies=[requires("read")])
def versions(
    name: Name,
    registry: Registry,
    limit: Limit = 100,
    cursor: Annotated[int | None, Query(description="Of the page before.", ge=0, le=2**31 - 1)] = None,
) -> Response:
    """List the versions of a model, newest first."""
    found = [one for one in registry.list_versions(name) if cursor is None or one.number < cursor]
    page = found[:limit]
    more = str(page[-1].number) if len(found) > limit else None
    return answer({"name": name, "versions": [version_view(one) for one in page], "cursor": more})


@router.get(
    "/models/{name}/versions/{version}",
    response_model=VersionDetail,
    responses={304: {"description": "The answer before still holds."}},
    dependencies=[requires("read")],
)
def show(name: Name, version: Number, registry: Registry, seen: Seen = None) -> Response:
    """Show a version: verdicts, scores, leak certificate, card and manifest."""
    found = registry.resolve(version_of(name, version))
    tag = {"ETag": entity_tag(found), "Cache-Control": "no-cache"}
    if seen is not None and tag["ETag"] in seen:
        return Response(status_code=304, headers=tag)
    card = (registry.open(found.ref) / "card.md").read_text(encoding="utf-8")
    return answer(version_detail(found, card), headers=tag)


@router.get(
    "/models/{name}/versions/{version}/report",
    response_class=HTMLResponse,
    responses={304: {"description": "The answer before still holds."}},
    dependencies=[requires("read")],
)
def report(name: Name, version: Number, registry: Registry, seen: Seen = None) -> Response:
    """Return the report of a version, a page of HTML that needs nothing else."""
    from onward.errors import RegistryNotFoundError

    found = registry.resolve(version_of(name, version))
    tag = {"ETag": f'"{found.digest}"', "Cache-Control": "no-cache"}
    if seen is not None and tag["ETag"] in seen:
        return Response(status_code=304, headers=tag)
    file = registry.open(found.ref) / "report.html"
    if not file.is_file():
        raise RegistryNotFoundError(
            "the version was published without a report", got=found.ref, remedy="Look at its card."
        )
    return HTMLResponse(file.read_bytes(), headers={**tag, "Content-Security-Policy": REPORT_POLICY})


@router.delete(
    "/models/{name}/versions/{version}",
    status_code=204,
    response_class=Response,
    responses=refusals(404, 409),
    dependencies=[requires("admin")],
)
async def delete(name: Name, version: Number, registry: Registry) -> Response:
    """Delete a version that no alias stands for."""
    await anyio.to_thread.run_sync(_delete, registry, version_of(name, version))
    return Response(status_code=204)


def version_of(name: str, version: str) -> str:
    """Return the reference of a version by name and number."""
    return f"models:/{name}/{version}"


def _delete(registry: ModelRegistry, reference: str) -> None:
    registry.delete(registry.resolve(reference).ref)
