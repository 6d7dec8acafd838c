"""Aliases: what is in use, what was in use when, and going back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from onward.errors import UserError
from onward.registry.values import Standing
from onward.server.bodies.models import AliasAnswer, AliasBody, AliasHistory, NoteBody
from onward.server.dependencies import Caller, Registry, requires
from onward.server.responses import answer, refusals
from onward.server.routes.models import Name
from onward.server.views.models import alias_event_view

__all__ = ["router"]

router = APIRouter(tags=["models"], responses=refusals(404))

Alias = Annotated[str, Path(description="An alias.", examples=["champion"])]
NO_NOTE = NoteBody()


@router.put(
    "/models/{name}/aliases/{alias}",
    response_model=AliasAnswer,
    responses=refusals(404, 409),
    dependencies=[requires("admin")],
)
def put(name: Name, alias: Alias, body: AliasBody, registry: Registry, caller: Caller) -> Response:
    """Let an alias stand for a version whose leak audit passed; with `seen`, if nobody moved it meanwhile."""
    event = registry.set_alias(
        name, alias, body.version, caller.acting_as(body.actor), body.reason, seen=body.standing
    )
    return answer({"event": None if event is None else alias_event_view(event)})


@router.delete(
    "/models/{name}/aliases/{alias}",
    response_model=AliasAnswer,
    responses=refusals(404, 409),
    dependencies=[requires("admin")],
)
def delete(
    name: Name,
    alias: Alias,
    registry: Registry,
    caller: Caller,
    actor: Annotated[str, Query(max_length=200)] = "",
    reason: Annotated[str, Query(max_length=200)] = "",
    seen: Annotated[
        int | None,
        Query(ge=1, le=2**31 - 1, description="Version that it stood for when it was looked at (409 else)."),
    ] = None,
) -> Response:
    """Take an alias away; its history stays."""
    for text in (actor, reason):
        if "\0" in text:
            raise UserError("a note holds NUL", got=ascii(text)[:80], allowed="printable text")
    standing = None if seen is None else Standing(seen)
    event = registry.delete_alias(name, alias, caller.acting_as(actor), reason, seen=standing)
    return answer({"event": alias_event_view(event)})


@router.post(
    "/models/{name}/aliases/{alias}/rollback",
    response_model=AliasAnswer,
    responses=refusals(404, 409),
    dependencies=[requires("admin")],
)
def rollback(
    name: Name,
    alias: Alias,
    registry: Registry,
    caller: Caller,
    body: Annotated[NoteBody, Body()] = NO_NOTE,
) -> Response:
    """Let an alias stand for its previous version again; repeated, one step further back."""
    event = registry.rollback(name, alias, caller.acting_as(body.actor), body.reason, seen=body.standing)
    return answer({"event": alias_event_view(event)})


@router.get("/models/{name}/history", response_model=AliasHistory, dependencies=[requires("read")])
def history(
    name: Name,
    registry: Registry,
    alias: Annotated[str | None, Query(description="One alias; all when left out.", max_length=64)] = None,
    at: Annotated[
        datetime | None,
        Query(description="Only the event that made the alias (else champion) what it was then."),
    ] = None,
) -> Response:
    """Show what was live when."""
    if at is None:
        events = list(registry.alias_history(name, alias))
    else:
        if at.tzinfo is None or not 1970 < at.year < 2200:
            raise UserError(
                "the moment cannot be used",
                got=at.isoformat(),
                allowed="1971 to 2199, with a time zone",
                remedy="Write for instance 2026-01-31T12:00Z.",
            )
        event = registry.alias_at(name, alias or "champion", at)
        events = [] if event is None else [event]
    return answer({"name": name, "events": [alias_event_view(event) for event in events]})
