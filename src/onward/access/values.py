"""Who asks, with which key, in which session: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from onward.access.scopes import Scope, allows

__all__ = ["LOCAL", "NOBODY", "ApiKey", "Caller", "LogEntry", "LogPage", "LoginSession"]


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept: everything but the key itself, of which only a hash is stored.

    Attributes
    ----------
    id
        Public part of the key: it stands at its beginning, in lists and in the audit log.
    name
        What it is for; unique among keys that were not revoked.
    scope
        What it may do.
    created_at, expires_at, revoked_at
        UTC; without ``expires_at`` it lasts until it is revoked.
    last_used_at
        UTC, to within some minutes: written down only now and then.
    """

    id: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        """Return whether it opens anything at a moment (UTC)."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class LoginSession:
    """A browser that has logged in.

    Attributes
    ----------
    csrf_token
        What unsafe requests of this session must carry besides its cookie.
    expires_at
        UTC.
    """

    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True)
class Caller:
    """Who sends a request.

    Attributes
    ----------
    kind
        ``key``, ``session`` (a browser that logged in with a key), ``local`` (this machine, as long
        as there is no key) or ``nobody``.
    id
        Of the key; empty without one.
    name
        Of the key, or the kind.
    scope
        What it may do; None for nobody.
    session
        Of a browser.
    """

    kind: Literal["key", "session", "local", "nobody"]
    id: str = ""
    name: str = ""
    scope: Scope | None = None
    session: LoginSession | None = None

    def may(self, needed: Scope) -> bool:
        """Return whether this caller may do what needs a scope."""
        return allows(self.scope, needed)

    @property
    def who(self) -> str:
        """How the audit log names this caller: ``key:ID``, ``local`` or ``nobody``."""
        return f"key:{self.id}" if self.id else self.kind

    @property
    def actor(self) -> str:
        """How the history of an alias names this caller: as the key is called; empty without one."""
        return self.name if self.id else ""

    def acting_as(self, told: str) -> str:
        """Return what the history of an alias says of who acted: whom a request names, and whose key it was.

        Without a key nobody knows more than the request says; with one, nobody acts in another's name.
        """
        if not self.actor or told == self.actor:
            return told or self.actor
        return f"{told} ({self.actor})" if told else self.actor


LOCAL = Caller("local", name="local", scope="admin")
NOBODY = Caller("nobody", name="nobody")


@dataclass(frozen=True)
class LogEntry:
    """One row of the audit log.

    Attributes
    ----------
    id
        Counts up.
    at
        UTC.
    who, name, address
        ``key:ID``, ``job:ID``, ``local`` or ``nobody``; the name of the key or login; where from.
    action, subject
        What was done, to what.
    outcome
        ``done`` or ``refused``.
    detail
        What else there is to say.
    """

    id: int
    at: datetime
    who: str
    name: str
    address: str
    action: str
    subject: str
    outcome: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class LogPage:
    """Entries, newest first, and what continues behind them."""

    entries: tuple[LogEntry, ...]
    cursor: str | None
