"""A database that falls silent: every wait has an end, nobody queues up, and all goes on when it is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from onward.database import exclusive, open_database, reading, writing
from onward.database.patience import AGAIN_SECONDS, CONNECTING, Doorman, patient
from onward.errors import StorageError
from onward.testing.postgres import PostgresServer
from tests.faults.proxy import Proxy

ANSWER = 0.4


class RefusedError(Exception):
    """Nobody passes."""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def attempt(doorman: Doorman, clock: Clock, seconds: float, *, fails: bool) -> None:
    with doorman.passing(RefusedError, 4.0):
        clock.now += seconds
        if fails:
            raise ConnectionError


def test_one_at_a_time_asks_a_silent_database() -> None:
    clock = Clock()
    doorman = Doorman(clock)
    with pytest.raises(ConnectionError):
        attempt(doorman, clock, 5.0, fails=True)
    with pytest.raises(RefusedError, match="no answer for 5 s"):
        attempt(doorman, clock, 0.0, fails=False)
    clock.now += AGAIN_SECONDS
    with doorman.passing(RefusedError, 4.0), pytest.raises(RefusedError):  # somebody is trying
        attempt(doorman, clock, 0.0, fails=False)
    attempt(doorman, clock, 0.0, fails=False)  # it was back
    attempt(doorman, clock, 0.0, fails=False)


def test_who_is_refused_at_once_may_ask_at_once_again() -> None:
    clock = Clock()
    doorman = Doorman(clock)
    for seconds in (0.1, 0.1, 5.0):
        with pytest.raises(ConnectionError):
            attempt(doorman, clock, seconds, fails=True)
    with pytest.raises(RefusedError):
        attempt(doorman, clock, 0.1, fails=True)
    clock.now += AGAIN_SECONDS
    with pytest.raises(ConnectionError):
        attempt(doorman, clock, 0.1, fails=True)  # it refuses now, which is an answer
    with pytest.raises(ConnectionError):
        attempt(doorman, clock, 0.1, fails=True)


@pytest.fixture(scope="module")
def proxy(postgres_server: PostgresServer) -> Iterator[Proxy]:
    with Proxy(postgres_server.url()) as proxy:
        yield proxy


@pytest.fixture
def engine(proxy: Proxy) -> Iterator[Engine]:
    engine = open_database(f"{proxy.url}?connect_timeout=2", answer_seconds=ANSWER)
    yield engine
    proxy.mend()
    engine.dispose()


def ask(engine: Engine) -> float:
    """Return the seconds after which the database refused, which it must."""
    began = time.monotonic()
    with pytest.raises(StorageError, match="does not answer"), reading(engine) as connection:
        connection.execute(text("SELECT 1"))
    return time.monotonic() - began


def test_nobody_waits_for_ever_for_a_silent_database(engine: Engine, proxy: Proxy) -> None:
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    proxy.cut()
    assert ANSWER <= ask(engine) < 2 * (ANSWER + 2.0)  # a statement, then a new connection
    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(lambda _: ask(engine), range(8))) < 0.5, "nobody tries just now"
    proxy.mend()
    time.sleep(AGAIN_SECONDS)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT 2")) == 2


def test_a_statement_in_a_transaction_ends_and_takes_nothing_with_it(engine: Engine) -> None:
    with pytest.raises(StorageError, match=r"no answer within 0\.4 s"), writing(engine) as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    with writing(engine) as connection, patient(connection, 5.0):
        connection.execute(text("SELECT pg_sleep(0.6)"))
    with pytest.raises(StorageError), writing(engine) as connection:
        connection.execute(text("SELECT pg_sleep(0.6)"))  # the patience ended with its block


def test_a_turn_is_waited_for_longer_than_an_answer(engine: Engine) -> None:
    held, order = threading.Event(), []

    def hold() -> None:
        with writing(engine) as connection:
            exclusive(connection, "test")
            held.set()
            time.sleep(2 * ANSWER)
            order.append("first")

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert held.wait(10)
        with writing(engine) as connection:
            exclusive(connection, "test")
            order.append("second")
        holding.result()
    assert order == ["first", "second"]


def test_news_are_waited_for_as_long_as_it_was_said(engine: Engine) -> None:
    proxied = engine.raw_connection()
    driver = proxied.dbapi_connection
    assert driver is not None
    driver.autocommit = True
    driver.execute("LISTEN patience")  # type: ignore[attr-defined]
    began = time.monotonic()
    assert list(driver.notifies(timeout=3 * ANSWER, stop_after=1)) == []  # type: ignore[attr-defined]
    assert time.monotonic() - began >= 3 * ANSWER
    assert driver.execute("SELECT 1").fetchone() == (1,)  # type: ignore[attr-defined]
    driver.autocommit = False
    proxied.close()


def test_dead_hosts_are_noticed() -> None:
    assert {"connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count"} == set(
        CONNECTING
    )
