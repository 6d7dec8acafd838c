"""Keys, sessions and the audit log on each database, and in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from onward.access.protocol import AccessStore
from onward.access.secrets import new_key
from onward.access.store import SqlAccessStore
from onward.database import reading, writing
from onward.database.acting import Actor, acting
from onward.database.audit_log import record
from onward.database.tables import api_keys, api_sessions, audit_log
from onward.errors import AccessError, KeyNotFoundError, UserError
from tests.unit.server.memory import MemoryAccess

HOUR = timedelta(hours=1)


@pytest.fixture
def store(database: Engine) -> SqlAccessStore:
    return SqlAccessStore(database)


def actions(store: AccessStore) -> list[str]:
    return [entry.action for entry in store.log().entries][::-1]


def lives_through_its_life(store: AccessStore) -> None:
    assert isinstance(store, AccessStore)
    assert not store.ever_a_key()
    key, secret = store.create_key("bot", "run")
    assert store.ever_a_key()
    assert store.find_key(secret.text) == key
    assert store.find_key(new_key()[1].text) is None
    assert store.find_key(secret.text[:-1] + ("A" if secret.text[-1] != "A" else "B")) is None
    store.key_used(key)
    (listed,) = store.list_keys()
    assert listed.last_used_at is not None
    cookie, ends_at = store.open_session(key, HOUR)
    assert HOUR - timedelta(minutes=1) < ends_at - datetime.now(UTC) <= HOUR
    found = store.find_session(cookie.text)
    assert found is not None
    assert (found[0].id, found[1]) == (key.id, ends_at)
    store.close_session(cookie.text)
    store.close_session(cookie.text)
    assert store.find_session(cookie.text) is None
    assert store.revoke_key("bot").revoked_at is not None
    gone = store.find_key(secret.text)
    assert gone is not None
    assert not gone.works(datetime.now(UTC))
    assert actions(store) == ["key.create", "login", "logout", "key.revoke"]
    first = store.log(limit=3)
    rest = store.log(limit=3, cursor=first.cursor)
    assert [len(first.entries), len(rest.entries), rest.cursor] == [3, 1, None]
    assert [entry.subject for entry in (*first.entries, *rest.entries)] == [key.id] * 4
    assert [entry.action for entry in store.log(action="login").entries] == ["login"]
    assert store.log(who="key:nobody").entries == ()


def test_in_a_database(store: SqlAccessStore) -> None:
    lives_through_its_life(store)


def test_in_memory() -> None:
    lives_through_its_life(MemoryAccess())


def test_secrets_are_nowhere_in_the_database(store: SqlAccessStore, database: Engine) -> None:
    key, secret = store.create_key("bot", "admin")
    cookie, _ = store.open_session(key, HOUR)
    with reading(database) as connection:
        for table in (api_keys, api_sessions, audit_log):
            rows = str(connection.execute(select(table)).all())
            for hidden in (secret.text, secret.text.split("_", 2)[2], cookie.text):
                assert hidden not in rows


def test_revoking_ends_sessions_and_is_final(store: SqlAccessStore) -> None:
    key, _ = store.create_key("bot", "run")
    cookie, _ = store.open_session(key, HOUR)
    revoked = store.revoke_key(key.id)
    assert store.find_session(cookie.text) is None
    assert store.revoke_key(key.id) == revoked, "the moment stays"
    assert actions(store).count("key.revoke") == 1
    again, _ = store.create_key("bot", "read")
    assert store.revoke_key("bot").id == again.id, "a name means the key that works"
    with pytest.raises(KeyNotFoundError):
        store.revoke_key("bot")


def test_a_session_ends_with_its_key(store: SqlAccessStore) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    key, _ = store.create_key("bot", "run", soon)
    assert store.open_session(key, HOUR)[1] == soon
    late = SqlAccessStore(store._engine, clock=lambda: soon + timedelta(seconds=1))
    cookie, _ = store.open_session(key, HOUR)
    assert late.find_session(cookie.text) is None
    other, _ = late.create_key("other", "run")
    late.open_session(other, HOUR)
    with reading(store._engine) as connection:
        assert len(connection.execute(select(api_sessions)).all()) == 1, "ended ones are swept"


@pytest.mark.parametrize("name", ["", " bot", "bot ", "a\nb", "a\0b", "x" * 101, "0123456789", "\ud800"])
def test_odd_names_are_refused(store: SqlAccessStore, name: str) -> None:
    with pytest.raises(AccessError, match="cannot be called that"):
        store.create_key(name, "read")


def test_odd_requests_are_refused(store: SqlAccessStore) -> None:
    now = datetime.now(UTC)
    with pytest.raises(AccessError, match="Did you mean admin"):
        store.create_key("bot", "admn")  # type: ignore[arg-type]
    for moment in (now - HOUR, datetime(9999, 1, 1, tzinfo=UTC)):
        with pytest.raises(AccessError, match="cannot end then"):
            store.create_key("bot", "read", moment)
    with pytest.raises(UserError, match="time zone"):
        store.create_key("bot", "read", datetime(2100, 1, 1))
    for text_ in ("bot", "a\0b", "\ud800", ""):
        with pytest.raises(KeyNotFoundError):
            store.revoke_key(text_)
    for cursor in ("", "x", "-1", "1e3", "9" * 11, "\u0664"):
        with pytest.raises(AccessError, match="cursor"):
            store.log(cursor=cursor)
    for limit in (0, 1001):
        with pytest.raises(AccessError, match="that large"):
            store.log(limit=limit)
    assert store.log(cursor="9" * 10).entries == ()
    assert not store.ever_a_key()


def test_a_name_is_given_once_whoever_asks_at_the_same_moment(store: SqlAccessStore) -> None:
    def make(_: int) -> str:
        try:
            return store.create_key("bot", "read")[0].id
        except AccessError as error:
            return error.what

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(4)))
    assert made.count("there is a key of that name") == 3
    assert len(store.list_keys()) == actions(store).count("key.create") == 1


def test_the_log_only_grows_whoever_writes(store: SqlAccessStore, database: Engine) -> None:
    store.create_key("bot", "read")
    statements = [update(audit_log).values(who="someone else"), delete(audit_log)]
    if database.dialect.name == "postgresql":
        statements.append(text("TRUNCATE audit_log"))  # type: ignore[arg-type]
    for statement in statements:
        with pytest.raises(DBAPIError, match="only grows"), writing(database) as connection:
            connection.execute(statement)
    assert actions(store) == ["key.create"]


def test_what_was_rolled_back_is_not_told(store: SqlAccessStore, database: Engine) -> None:
    def fails() -> None:
        with writing(database) as connection:
            record(connection, "model.delete", "models:/btc/1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert actions(store) == []


def test_whoever_acts_is_named_with_what_a_database_can_keep(store: SqlAccessStore) -> None:
    with acting(Actor("key:0123456789", "name\0\ud800\n" + "x" * 400, "203.0.113.9" + "y" * 100)):
        store.tell("login.failed", "\0\u202e", refused=True, detail={"text": "\ud800"})
    store.tell("login.failed", "")
    after, entry = store.log().entries
    assert after.who == "local"
    assert (entry.who, entry.outcome, entry.subject) == ("key:0123456789", "refused", "??")
    assert entry.name.startswith("name???xxx")
    assert (len(entry.name), len(entry.address)) == (300, 64)
    assert entry.at.tzinfo is UTC
