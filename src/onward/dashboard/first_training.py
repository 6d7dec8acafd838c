"""A first model on the bundled sample: one training, however many pages of however many servers ask for it.

Every page carries which such training was the last one (`request_key`); whoever asks makes its
idempotency key of that. So pages that were shown before there was any make one job, since the database
takes a key once; and a page that is shown after one was stopped or failed makes the next.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from onward.dashboard.forms import idempotency_key, is_gone
from onward.errors import JobConflictError
from onward.jobs.states import TERMINAL
from onward.naming.sample import SAMPLE_SYMBOL, SAMPLE_TIMEFRAME

if TYPE_CHECKING:
    from onward.data.repositories import DataStore
    from onward.jobs.manager import BackgroundTaskManager
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job

__all__ = ["last_training", "request_key", "sample_request", "start_training", "training_under_way"]

SAMPLE_MODEL = "btc-usd-1h"
MOST = 100
"""Newest trainings among which one on the sample is looked for."""
FIRST = "first"


def request_key(store: JobStore) -> str:
    """Return what the button of a page carries: the same on all pages until another training was begun."""
    last = last_training(store)
    return FIRST if last is None else last.id


def last_training(store: JobStore) -> Job | None:
    """Return the newest training on the sample, however it stands; None when there is none."""
    newest = store.find(kinds=["train"], limit=MOST).jobs
    return next((job for job in newest if job.request.spec.get("save") == SAMPLE_MODEL), None)


def training_under_way(store: JobStore) -> Job | None:
    """Return the training on the sample that has not ended, if there is one."""
    last = last_training(store)
    return None if last is None or last.state in TERMINAL else last


def sample_request(*, in_use: bool, actor: str | None = None) -> dict[str, Any]:
    """Return the request for a first model: bundled bars, the preset `fast`, published.

    Parameters
    ----------
    in_use
        Whether the alias ``champion`` stands for it afterwards; who may not move aliases may not ask
        for that.
    actor
        On whose behalf.
    """
    from onward.training.plan import preset_values

    data = {"data.symbols": [SAMPLE_SYMBOL], "data.timeframe": SAMPLE_TIMEFRAME}
    alias = {"alias": "champion"} if in_use else {}
    return {"plan": {**preset_values("fast"), **data}, "save": SAMPLE_MODEL, **alias, "actor": actor}


def start_training(
    request: dict[str, Any],
    after: str,
    *,
    store: JobStore,
    manager: BackgroundTaskManager,
    repositories: DataStore,
) -> Job:
    """Store the bundled bars, and return the training on them that follows another, made now or before.

    Parameters
    ----------
    request
        From `sample_request`.
    after
        What the page carried.
    store, manager, repositories
        Of the server.
    """
    from onward.data.sample import store_sample

    store_sample(repositories)  # else nobody could predict with the model; it learns from the file itself
    with as_file(files("onward.data") / "samples" / "btcusd_1h.parquet") as path:
        spec, place = {**request, "data": str(path)}, after
        while True:
            try:
                made = manager.submit("train", spec, idempotency_key=idempotency_key("sample", place))
            except JobConflictError:  # somebody else was faster, with another right to aliases
                newest = last_training(store)
                if newest is not None and newest.id != after:
                    return newest
                place += "+"  # what that came to was deleted since: the next place
                continue
            if not is_gone(store, made):
                return made.job
            place = made.job.id  # it was deleted since: the next one follows it
