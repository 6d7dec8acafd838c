"""Logging in, and entries of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from onward.server.bodies.base import Answer, Body

__all__ = ["EntryView", "LogAnswer", "LoginBody", "SessionAnswer"]


class LoginBody(Body):
    """A key to log in with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"key": "onward_0123456789_..."}]})

    key: str = Field(min_length=1, max_length=200, description="As `onward keys create` showed it.")


class SessionAnswer(Answer):
    """Who asks; what unsafe requests of a session must carry is null without one."""

    who: str
    name: str
    scope: Literal["read", "run", "admin"]
    csrf_token: str | None
    expires_at: datetime | None


class EntryView(Answer):
    """One entry of the audit log."""

    id: int
    at: datetime
    who: str
    name: str
    address: str
    action: str
    subject: str
    outcome: Literal["done", "refused"]
    detail: dict[str, Any]


class LogAnswer(Answer):
    """Entries, newest first; ``cursor`` continues, null at the end."""

    entries: list[EntryView]
    cursor: str | None
