"""Who asks: remembered for a moment, looked up after it, and refused in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onward.access.authenticator import FRESH_SECONDS, STALE_SECONDS, Authenticator, Credential
from onward.access.secrets import new_key
from onward.errors import RateLimitError, StorageError, UnauthenticatedError
from tests.unit.server.memory import MemoryAccess

HERE = "192.0.2.7"


class Scene:
    """An authenticator over a store in memory, and a time that passes when told to."""

    def __init__(self, **options: Any) -> None:
        self.now = 0.0
        self.access = MemoryAccess()
        self.away = False
        self.authenticator = Authenticator(
            self.store,
            timer=lambda: self.now,
            clock=lambda: datetime.now(UTC) + timedelta(seconds=self.now),
            **options,
        )

    def store(self) -> MemoryAccess:
        if self.away:
            raise StorageError("the database is away")
        return self.access

    def key(self, **parts: Any) -> Credential:
        _, secret = self.access.create_key("bot", "run", **parts)
        return Credential.of("key", secret.text)


def stranger() -> Credential:
    return Credential.of("key", new_key()[1].text)


def test_what_worked_is_remembered_and_looked_up_again() -> None:
    scene = Scene()
    key = scene.key()
    assert scene.authenticator.remembered(key) is None
    caller = scene.authenticator.look_up(key, HERE)
    assert (caller.kind, caller.name, caller.scope) == ("key", "bot", "run")
    assert scene.authenticator.remembered(key) == caller
    scene.now += FRESH_SECONDS
    assert scene.authenticator.remembered(key) is None, "one looks"
    assert scene.authenticator.remembered(key) == caller, "while the others go on"
    scene.authenticator.look_up(key, HERE)
    assert scene.authenticator.remembered(key) == caller
    scene.now += STALE_SECONDS
    assert scene.authenticator.remembered(key) is None
    assert scene.authenticator.remembered(key) is None, "for everybody"


def test_a_revoked_key_ends_within_seconds() -> None:
    scene = Scene()
    key = scene.key()
    scene.authenticator.look_up(key, HERE)
    scene.access.revoke_key("bot")
    scene.now += STALE_SECONDS
    assert scene.authenticator.remembered(key) is None
    with pytest.raises(UnauthenticatedError, match="revoked"):
        scene.authenticator.look_up(key, HERE)
    assert scene.authenticator.remembered(key) is None


def test_a_key_ends_when_it_expires_and_not_a_moment_later() -> None:
    scene = Scene()
    key = scene.key(expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
    scene.authenticator.look_up(key, HERE)
    scene.now += 0.51
    assert scene.authenticator.remembered(key) is None
    with pytest.raises(UnauthenticatedError, match="expired"):
        scene.authenticator.look_up(key, HERE)


@pytest.mark.parametrize("text", ["", "x", "onward_0123456789_" + "x" * 43, "é" * 300, "\ud800", "\0"])
def test_strangers_are_refused_and_told_of(text: str) -> None:
    scene = Scene()
    with pytest.raises(UnauthenticatedError, match="no such key"):
        scene.authenticator.look_up(Credential.of("key", text), HERE)
    (entry,) = scene.access.entries
    assert (entry.action, entry.outcome, entry.who, entry.address) == (
        "login.failed",
        "refused",
        "nobody",
        HERE,
    )
    assert "x" * 43 not in str(entry), "never the secret"


def test_an_address_that_guesses_must_wait() -> None:
    scene = Scene(failures_per_minute=5)
    good = scene.key()
    scene.authenticator.look_up(good, HERE)
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            scene.authenticator.look_up(stranger(), HERE)
    looked, told = scene.access.lookups, len(scene.access.entries)
    guess = stranger()
    assert scene.authenticator.suspects(guess, HERE)
    assert not scene.authenticator.suspects(guess, "192.0.2.8")
    assert not scene.authenticator.suspects(good, HERE)
    with pytest.raises(RateLimitError) as caught:
        scene.authenticator.look_up(guess, HERE)
    assert scene.access.lookups == looked + 1, "one read, and nothing is written"
    assert len(scene.access.entries) == told
    assert 0 < caught.value.retry_after <= 12
    _, secret = scene.access.create_key("unseen", "read")
    unseen = Credential.of("key", secret.text)
    assert scene.authenticator.look_up(unseen, HERE).name == "unseen", "others may share the address"
    assert not scene.authenticator.suspects(unseen, HERE)
    scene.now += STALE_SECONDS
    assert scene.authenticator.look_up(good, HERE).name == "bot"
    with pytest.raises(UnauthenticatedError):
        scene.authenticator.look_up(stranger(), "192.0.2.8")
    scene.now += 13
    with pytest.raises(UnauthenticatedError):
        scene.authenticator.look_up(stranger(), HERE)


def test_a_flood_of_strangers_does_not_flood_the_log() -> None:
    scene = Scene()
    for number in range(200):
        with pytest.raises(UnauthenticatedError):
            scene.authenticator.look_up(stranger(), f"192.0.2.{number}")
    assert len(scene.access.entries) == 60
    scene.now += 2
    with pytest.raises(UnauthenticatedError):
        scene.authenticator.look_up(stranger(), HERE)
    assert scene.access.entries[-1].detail["left_out"] == 140


def test_a_database_that_is_away_is_said_to_be() -> None:
    scene = Scene()
    key = scene.key()
    scene.authenticator.look_up(key, HERE)
    scene.away = True
    assert scene.authenticator.remembered(key) is not None
    scene.now += FRESH_SECONDS
    assert scene.authenticator.remembered(key) is None
    with pytest.raises(StorageError):
        scene.authenticator.look_up(key, HERE)
    scene.away = False
    assert scene.authenticator.remembered(key) is None, "the next one looks again"
    assert scene.authenticator.look_up(key, HERE).name == "bot"


def test_the_first_key_closes_the_door_for_good() -> None:
    scene = Scene()
    assert scene.authenticator.needs_keys() is None
    assert scene.authenticator.look_for_keys() is False
    assert scene.authenticator.needs_keys() is False
    scene.key()
    scene.now += FRESH_SECONDS
    assert scene.authenticator.needs_keys() is None
    assert scene.authenticator.look_for_keys() is True
    scene.access.by_digest.clear()
    scene.now += 1000
    assert scene.authenticator.needs_keys() is True
    assert Scene(always=True).authenticator.needs_keys() is True


def test_use_is_noted_now_and_then() -> None:
    scene = Scene()
    key = scene.key()
    scene.authenticator.look_up(key, HERE)
    (first,) = (one.last_used_at for one in scene.access.list_keys())
    assert first is not None
    scene.now += 599
    scene.authenticator.look_up(key, HERE)
    assert scene.access.list_keys()[0].last_used_at == first
    scene.now += 2
    scene.authenticator.look_up(key, HERE)
    assert scene.access.list_keys()[0].last_used_at != first


def test_sessions_end_quietly() -> None:
    scene = Scene(failures_per_minute=1)
    scene.key()
    secret, _ = scene.access.open_session(scene.access.list_keys()[0], timedelta(seconds=5))
    cookie = Credential.of("session", secret.text)
    caller = scene.authenticator.look_up(cookie, HERE)
    assert (caller.kind, caller.scope, caller.who) == ("session", "run", f"key:{caller.id}")
    assert caller.session is not None
    scene.access.close_session(secret.text)
    scene.authenticator.forget(cookie)
    for _ in range(10):
        with pytest.raises(UnauthenticatedError, match="session has ended"):
            scene.authenticator.look_up(cookie, HERE)
    assert "login.failed" not in {entry.action for entry in scene.access.entries}
    with pytest.raises(UnauthenticatedError, match="no such key"):
        scene.authenticator.look_up(Credential.of("key", secret.text), HERE)  # a cookie is no key
