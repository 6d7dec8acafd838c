"""What a server does beforehand is done while nobody waits, and never instead of an answer."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from onward.server import create_app
from onward.server.chores import do_chores
from onward.server.metrics import Counted, ServerMetrics
from onward.server.state import ServerState
from onward.settings import load_settings
from onward.wiring import build_application


@pytest.fixture
def state(tmp_path: Path) -> ServerState:
    app = create_app(build_application(load_settings(home=tmp_path, cwd=tmp_path, environ={})))
    state: ServerState = app.state.onward
    state.begun.set()
    return state


def test_a_chore_waits_until_nobody_does(state: ServerState) -> None:
    done = threading.Event()
    state.metrics.waiting = 1
    thread = do_chores([done.set], state)
    time.sleep(0.1)
    assert not done.is_set()
    state.metrics.waiting = 0
    thread.join(5)
    assert done.is_set()


def test_a_server_that_is_never_idle_does_them_all_the_same(
    state: ServerState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onward.server.chores.PATIENCE_SECONDS", 0.02)
    done = threading.Event()
    state.metrics.waiting = 1
    do_chores([done.set], state).join(5)
    assert done.is_set()


def test_one_that_fails_keeps_no_other_from_being_done(state: ServerState) -> None:
    done = threading.Event()
    do_chores([lambda: 1 / 0, done.set], state).join(5)
    assert done.is_set()


def test_none_is_done_once_the_server_ends(state: ServerState) -> None:
    done = []
    do_chores([state.begun.clear, lambda: done.append("late")], state).join(5)
    assert done == []


def test_a_request_waits_until_its_answer_begins() -> None:
    metrics, seen = ServerMetrics(), []
    app = FastAPI()

    @app.get("/fine")
    async def fine() -> str:
        seen.append(metrics.waiting)
        return "fine"

    @app.get("/broken")
    async def broken() -> None:
        seen.append(metrics.waiting)
        raise RuntimeError

    async def ask(*paths: str) -> list[int]:
        transport = httpx.ASGITransport(Counted(app, metrics=metrics), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [(await client.get(path)).status_code for path in paths]

    assert asyncio.run(ask("/fine", "/broken", "/fine")) == [200, 500, 200]
    assert (seen, metrics.waiting) == ([1, 1, 1], 0)
