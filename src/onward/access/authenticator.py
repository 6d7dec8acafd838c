"""Who sends a request: looked up in the database, remembered for a moment."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from onward.access.buckets import Buckets
from onward.access.protocol import AccessStore
from onward.access.secrets import csrf_token_of, digest_of, key_id_of
from onward.access.values import ApiKey, Caller, LoginSession
from onward.database.acting import Actor, acting
from onward.database.moments import Clock, utc_now
from onward.errors import RateLimitError, StorageError, UnauthenticatedError

__all__ = ["Authenticator", "Credential"]

FRESH_SECONDS = 1.0
"""Age from which what is remembered is looked up again, by one request while others go on."""
STALE_SECONDS = 3.0
"""Age from which it no longer counts: a key that was revoked works no longer than this."""
USED_SECONDS = 600.0
"""How exactly ``last_used_at`` is known."""
NEVER = float("inf")
CAPACITY = 10_000
ENDED_FOR_EACH_FAILURE = 30
"""Ended sessions are shown innocently, by pages that were left open."""
TOLD_PER_MINUTE = 60
"""Failed logins that are written to the audit log, from all addresses together."""
HOW = "Send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`; `onward keys create NAME` makes one."


@dataclass(frozen=True)
class Credential:
    """What a request shows.

    Attributes
    ----------
    kind
        A key, or the cookie of a session.
    text
        The secret.
    digest
        What is remembered in its place.
    """

    kind: Literal["key", "session"]
    text: str
    digest: str

    @classmethod
    def of(cls, kind: Literal["key", "session"], text: str) -> Credential:
        """Return what a request shows, with its digest."""
        return cls(kind, text, digest_of(f"{kind} {text}"))

    def __repr__(self) -> str:
        return f"Credential({self.kind}, {self.digest[:8]}...)"


@dataclass
class _Remembered:
    caller: Caller
    ends: float  # seconds since 1970, UTC
    since: float  # monotonic
    renewing: bool = False


class Authenticator:
    """Tells callers by their credentials.

    `remembered` is for the event loop and does no I/O; what it does not know, `look_up` does, in a
    thread. What worked is remembered by its digest, so that neither a lookup nor its time tells
    anything about a key. Safe to use from several threads.

    Parameters
    ----------
    store
        Gives the store, when it is first needed.
    always
        Whether a key is needed even if none was ever made.
    failures_per_minute
        Wrong credentials an address may show; None for no limit. A right one is let in all the same.
    clock, timer
        This moment, UTC; monotonic seconds.
    """

    def __init__(
        self,
        store: Callable[[], AccessStore],
        *,
        always: bool = False,
        failures_per_minute: int | None = None,
        clock: Clock = utc_now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._timer = timer
        self._known: OrderedDict[str, _Remembered] = OrderedDict()
        self._lock = threading.Lock()
        self._failures: dict[str, Buckets] = {}
        if failures_per_minute is not None:
            ended = failures_per_minute * ENDED_FOR_EACH_FAILURE
            self._failures["key"] = Buckets(failures_per_minute, timer=timer)
            self._failures["session"] = Buckets(ended, timer=timer)
        self._told = Buckets(TOLD_PER_MINUTE, timer=timer)
        self._untold = 0
        self._keys_needed = always
        self._no_key_since = float("-inf")

    # -- without a key ------------------------------------------------------------------------

    def needs_keys(self) -> bool | None:
        """Return whether a key is needed even on this machine; None when somebody has to look."""
        if self._keys_needed:
            return True
        return False if self._timer() - self._no_key_since < FRESH_SECONDS else None

    def look_for_keys(self) -> bool:
        """Look whether a key was ever made: from then on one is needed, whatever becomes of it."""
        if not self._keys_needed:
            now = self._timer()
            if self._store().ever_a_key():
                self._keys_needed = True
            else:
                self._no_key_since = now
        return self._keys_needed

    def needed_no_key(self) -> bool:
        """Return whether no key was needed when that was last looked at, however long ago."""
        return not self._keys_needed and self._no_key_since > float("-inf")

    # -- with one -----------------------------------------------------------------------------

    def remembered(self, credential: Credential) -> Caller | None:
        """Return who this is, if it was looked up a moment ago."""
        entry = self._known.get(credential.digest)
        if entry is None:
            return None
        age = self._timer() - entry.since
        if age >= STALE_SECONDS or (entry.ends != NEVER and entry.ends <= self._clock().timestamp()):
            return None
        if age >= FRESH_SECONDS and not entry.renewing:
            entry.renewing = True  # this one looks, the others go on meanwhile
            return None
        return entry.caller

    def last_known(self, credential: Credential) -> Caller | None:
        """Return who this was when it was last let in here, however long ago, unless it expired since.

        For what is answered while the database is away: nobody can revoke anything there meanwhile.
        """
        entry = self._known.get(credential.digest)
        expired = entry is not None and entry.ends != NEVER and entry.ends <= self._clock().timestamp()
        return None if entry is None or expired else entry.caller

    def suspects(self, credential: Credential, address: str) -> bool:
        """Return whether this is a stranger from an address that showed too many wrong credentials.

        Whoever looks strangers up does well to do so one after the other; see `look_up`.
        """
        return credential.digest not in self._known and self._wait(credential, address) > 0

    def look_up(self, credential: Credential, address: str) -> Caller:
        """Look up who this is; costs one indexed read, none for what cannot be a key.

        What is right is let in however many wrong ones came from its address: others may share it.
        A limit before the lookup would hide nothing from who guesses 256 bits, and lock these out.

        Raises
        ------
        UnauthenticatedError
            When it is nobody: no such key or session, revoked or expired.
        RateLimitError
            When it is nobody again, after too many wrong ones from this address.
        StorageError
            When the database cannot be asked.
        """
        now = self._timer()
        try:
            key, caller, ends_at = self._found(credential)
        except UnauthenticatedError as error:
            self._forget(credential)
            seconds = self._wait(credential, address)
            if seconds:
                raise RateLimitError(
                    "too many wrong keys from this address",
                    allowed="server.limit_failures_per_minute",
                    remedy="Correct the key, and wait.",
                    retry_after=seconds,
                ) from error
            self._failed(credential, error, address)
            raise
        except StorageError:
            entry = self._known.get(credential.digest)
            if entry is not None:
                entry.renewing = False
            raise
        self._remember(credential, _Remembered(caller, ends_at, now))
        self._note_use(key)
        return caller

    def forget(self, credential: Credential) -> None:
        """Forget a session that was closed here."""
        self._forget(credential)

    def _found(self, credential: Credential) -> tuple[ApiKey, Caller, float]:
        if credential.kind == "session":
            session = self._store().find_session(credential.text)
            if session is None or not session[0].works(self._clock()):
                raise UnauthenticatedError("the session has ended", remedy="Log in again.")
            key, ends_at = session
            login = LoginSession(csrf_token_of(credential.text), ends_at)
            return key, Caller("session", key.id, key.name, key.scope, login), ends_at.timestamp()
        found = self._store().find_key(credential.text)
        if found is None:
            raise UnauthenticatedError("there is no such key", remedy=HOW)
        if not found.works(self._clock()):
            raise UnauthenticatedError(
                "the key was revoked" if found.revoked_at else "the key has expired",
                got=f"{found.id} ({found.name})",
                remedy="`onward keys create NAME` makes another one.",
            )
        ends = NEVER if found.expires_at is None else found.expires_at.timestamp()
        return found, Caller("key", found.id, found.name, found.scope), ends

    def _wait(self, credential: Credential, address: str) -> float:
        failures = self._failures.get(credential.kind)
        return 0.0 if failures is None else failures.wait(address)

    def _failed(self, credential: Credential, error: UnauthenticatedError, address: str) -> None:
        if credential.kind in self._failures:
            self._failures[credential.kind].take(address)
        if credential.kind == "session":  # every session ends some day: nothing to tell of
            return
        if self._told.take(""):
            self._untold += 1
            return
        detail = {"what": error.what, **({"left_out": self._untold} if self._untold else {})}
        self._untold = 0
        try:
            with acting(Actor("nobody", address=address)):
                self._store().tell(
                    "login.failed", key_id_of(credential.text) or "", refused=True, detail=detail
                )
        except StorageError:
            return  # the refusal counts more than its entry

    def _note_use(self, key: ApiKey) -> None:
        last, now = key.last_used_at, self._clock()
        if last is None or _seconds(now, last) >= USED_SECONDS:
            try:
                self._store().key_used(key)
            except StorageError:
                return  # to be let in counts more than to be remembered

    def _remember(self, credential: Credential, entry: _Remembered) -> None:
        with self._lock:
            self._known[credential.digest] = entry
            self._known.move_to_end(credential.digest)
            if len(self._known) > CAPACITY:
                self._known.popitem(last=False)

    def _forget(self, credential: Credential) -> None:
        with self._lock:
            self._known.pop(credential.digest, None)


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()
