"""The audit log: who changed what, when, and from where."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from onward.access.values import LogEntry
from onward.server.bodies.access import LogAnswer
from onward.server.dependencies import Access, requires
from onward.server.responses import answer, refusals

__all__ = ["router"]

router = APIRouter(tags=["access"], dependencies=[requires("admin")], responses=refusals())

WORD = r"^[\x21-\x7e]+$"


@router.get("/audit-log", response_model=LogAnswer)
def entries(
    access: Access,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(description="Of the page before.", max_length=20)] = None,
    action: Annotated[
        str | None,
        Query(description="Only this, such as `alias.set`.", max_length=32, pattern=WORD),
    ] = None,
    who: Annotated[
        str | None,
        Query(description="Only his, such as `key:0123456789` or `local`.", max_length=64, pattern=WORD),
    ] = None,
) -> Response:
    """List what was changed, deleted and logged in to, newest first."""
    page = access.log(limit=limit, cursor=cursor, action=action, who=who)
    return answer({"entries": [_view(entry) for entry in page.entries], "cursor": page.cursor})


def _view(entry: LogEntry) -> dict[str, Any]:
    return {**asdict(entry), "at": entry.at.isoformat(), "detail": dict(entry.detail)}
