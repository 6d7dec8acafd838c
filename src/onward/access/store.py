"""Keys, sessions and the audit log in the database of everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from onward.access import log
from onward.access.naming import check_expiry, check_name
from onward.access.scopes import Scope, check_scope
from onward.access.secrets import Secret, digest_of, key_id_of, new_key, new_session, same
from onward.access.values import ApiKey, LogPage
from onward.database.audit_log import AuditAction, record
from onward.database.moments import Clock, utc_now
from onward.database.tables import api_keys, api_sessions
from onward.database.transactions import reading, writing
from onward.errors import AccessError, KeyNotFoundError, nearest

__all__ = ["SqlAccessStore"]

SHOWN = tuple(column for column in api_keys.c if column.name != "digest")


class SqlAccessStore:
    """An `AccessStore` in SQLite or PostgreSQL; safe to use from several threads and processes.

    Parameters
    ----------
    engine
        From `onward.database.open_database`, its tables up to date.
    clock
        Gives this moment, UTC.
    """

    def __init__(self, engine: Engine, *, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    # -- keys ---------------------------------------------------------------------------------

    def ever_a_key(self) -> bool:
        """Return whether a key was ever made, whatever became of it."""
        with reading(self._engine) as connection:
            return connection.scalar(select(api_keys.c.id).limit(1)) is not None

    def create_key(
        self, name: str, scope: Scope, expires_at: datetime | None = None
    ) -> tuple[ApiKey, Secret]:
        """Make a key; the secret is not given again.

        Raises
        ------
        AccessError
            When the name is taken or not allowed, there is no such scope, or the expiry is past.
        """
        now = self._clock()
        name, scope = check_name(name), check_scope(scope)
        expires_at = None if expires_at is None else check_expiry(expires_at, now)
        key_id, secret = new_key()
        key = ApiKey(key_id, name, scope, now, expires_at)
        row = {"id": key_id, "name": name, "scope": scope, "created_at": now, "expires_at": expires_at}
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(api_keys).values(**row, digest=secret.digest))
                detail = {"name": name, "scope": scope, "expires_at": expires_at and expires_at.isoformat()}
                record(connection, "key.create", key_id, detail=detail, now=now)
        except IntegrityError as error:
            raise AccessError(
                "there is a key of that name",
                got=name,
                allowed="a name that no key has, unless it was revoked",
                remedy=f"Choose another name, or revoke it first: `onward keys revoke {name}`.",
            ) from error
        return key, secret

    def list_keys(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(*SHOWN).order_by(api_keys.c.created_at.desc(), api_keys.c.id))
            return [_key(row) for row in rows]

    def revoke_key(self, id_or_name: str) -> ApiKey:
        """Revoke a key and end its sessions; what was revoked before stays as it is.

        Raises
        ------
        KeyNotFoundError
            When no key has this id, and none that works this name.
        """
        with writing(self._engine) as connection:
            row = _one_key(connection, id_or_name)
            if row.revoked_at is None:
                now = self._clock()
                here = api_keys.c.id == row.id
                connection.execute(update(api_keys).where(here).values(revoked_at=now))
                connection.execute(delete(api_sessions).where(api_sessions.c.key_id == row.id))
                record(connection, "key.revoke", row.id, detail={"name": row.name}, now=now)
            return _key(connection.execute(select(*SHOWN).where(api_keys.c.id == row.id)).one())

    def find_key(self, text: str) -> ApiKey | None:
        """Return what a key is, working or not; None when there is no such key."""
        key_id = key_id_of(text)
        if key_id is None:
            return None
        with reading(self._engine) as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        matches = same(digest_of(text), None if row is None else row.digest)
        return _key(row) if matches and row is not None else None

    def key_used(self, key: ApiKey) -> None:
        """Remember, roughly, that a key was used just now."""
        with writing(self._engine, durable=False) as connection:
            connection.execute(
                update(api_keys).where(api_keys.c.id == key.id).values(last_used_at=self._clock())
            )

    # -- sessions -----------------------------------------------------------------------------

    def open_session(self, key: ApiKey, lasts: timedelta) -> tuple[Secret, datetime]:
        """Begin a session of a key: its cookie, and when it ends (UTC), at the latest with the key."""
        now = self._clock()
        secret = new_session()
        expires_at = now + lasts if key.expires_at is None else min(now + lasts, key.expires_at)
        with writing(self._engine) as connection:
            connection.execute(delete(api_sessions).where(api_sessions.c.expires_at <= now))
            connection.execute(
                insert(api_sessions).values(
                    digest=secret.digest, key_id=key.id, created_at=now, expires_at=expires_at
                )
            )
            record(connection, "login", key.id, detail={"name": key.name}, now=now)
        return secret, expires_at

    def find_session(self, text: str) -> tuple[ApiKey, datetime] | None:
        """Return key and end of a session that has not ended."""
        digest = digest_of(text)
        query = (
            select(*SHOWN, api_sessions.c.digest, api_sessions.c.expires_at.label("ends_at"))
            .join(api_sessions, api_sessions.c.key_id == api_keys.c.id)
            .where(api_sessions.c.digest == digest, api_sessions.c.expires_at > self._clock())
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None or not same(digest, row.digest):
            return None
        return _key(row), row.ends_at

    def close_session(self, text: str) -> None:
        """End a session; one that has ended stays so."""
        with writing(self._engine) as connection:
            gone = connection.execute(
                delete(api_sessions)
                .where(api_sessions.c.digest == digest_of(text))
                .returning(api_sessions.c.key_id)
            ).scalar_one_or_none()
            if gone is not None:
                record(connection, "logout", gone, now=self._clock())

    # -- the audit log ------------------------------------------------------------------------

    def tell(
        self,
        action: AuditAction,
        subject: str,
        *,
        refused: bool = False,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add to the audit log what changed nothing else in the database."""
        with writing(self._engine) as connection:
            record(connection, action, subject, refused=refused, detail=detail, now=self._clock())

    def log(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        action: str | None = None,
        who: str | None = None,
    ) -> LogPage:
        """Return entries of the audit log, newest first; see `onward.access.log.page`."""
        with reading(self._engine) as connection:
            return log.page(connection, limit=limit, cursor=cursor, action=action, who=who)


def _one_key(connection: Connection, id_or_name: str) -> Any:
    query = select(*SHOWN)
    working = api_keys.c.revoked_at.is_(None)
    found = None
    if id_or_name.isprintable():  # no database takes NUL or half a surrogate pair
        named = (api_keys.c.name == id_or_name) & working
        found = connection.execute(query.where((api_keys.c.id == id_or_name) | named)).one_or_none()
    if found is None:
        names = list(connection.scalars(select(api_keys.c.name).where(api_keys.c.revoked_at.is_(None))))
        guess = nearest(id_or_name, names)
        raise KeyNotFoundError(
            "there is no such key",
            got=ascii(id_or_name)[:100],
            allowed=", ".join(sorted(names)[:10]) or "none works",
            remedy=f"Did you mean {guess}?" if guess else "`onward keys list` shows them all.",
        )
    return found


def _key(row: Any) -> ApiKey:
    return ApiKey(**{column.name: getattr(row, column.name) for column in SHOWN})
