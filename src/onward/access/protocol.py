"""The seam of what is kept about access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from onward.access.scopes import Scope
from onward.access.secrets import Secret
from onward.access.values import ApiKey, LogPage
from onward.database.audit_log import AuditAction

__all__ = ["AccessStore"]


@runtime_checkable
class AccessStore(Protocol):
    """Keys, sessions and the audit log, shared by all servers of a database.

    Promises: secrets are kept as digests alone; a key that was revoked stays revoked, and its
    sessions end with it; every change is told to the audit log in its own transaction, and what
    the log holds does not change.
    """

    def ever_a_key(self) -> bool:
        """Return whether a key was ever made, whatever became of it."""

    def create_key(
        self, name: str, scope: Scope, expires_at: datetime | None = None
    ) -> tuple[ApiKey, Secret]:
        """Make a key; the secret is not given again."""

    def list_keys(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""

    def revoke_key(self, id_or_name: str) -> ApiKey:
        """Revoke a key and end its sessions."""

    def find_key(self, text: str) -> ApiKey | None:
        """Return what a key is, working or not; None when there is no such key."""

    def key_used(self, key: ApiKey) -> None:
        """Remember, roughly, that a key was used just now."""

    def open_session(self, key: ApiKey, lasts: timedelta) -> tuple[Secret, datetime]:
        """Begin a session of a key: its cookie, and when it ends (UTC)."""

    def find_session(self, text: str) -> tuple[ApiKey, datetime] | None:
        """Return key and end of a session that has not ended."""

    def close_session(self, text: str) -> None:
        """End a session."""

    def tell(
        self,
        action: AuditAction,
        subject: str,
        *,
        refused: bool = False,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add to the audit log what changed nothing else in the database."""

    def log(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        action: str | None = None,
        who: str | None = None,
    ) -> LogPage:
        """Return entries of the audit log, newest first."""
