"""A training from submit to prediction on a real PostgreSQL server, and one that is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onward.testing.postgres import PostgresServer
from tests.integration.jobs.workshop import Workshop


@pytest.fixture
def shop(postgres_server: PostgresServer, postgres_template: str, tmp_path: Path) -> Iterator[Workshop]:
    url = postgres_server.create_database(postgres_template)
    shop = Workshop(tmp_path, n_bars=450, storage__database_url=url)
    yield shop
    shop.close()


def test_a_training_is_run_published_and_loaded_and_another_one_is_stopped(shop: Workshop) -> None:
    from onward.data.read import read_market

    job = shop.submit("train", {"audit": False, "save": "served"}, idempotency_key="nightly")
    doomed = shop.submit("train", {"save": "doomed"})  # waits: one place
    done = shop.succeeded(job)
    assert shop.application.engine.dialect.name == "postgresql"
    assert (done.attempt, done.identity is not None, done.request.spec["save"]) == (1, True, "served")
    assert done.result is not None
    assert done.result["model"] == "models:/served/1"
    (run,) = shop.application.runs.of_job(job.id)
    assert (run.record.status, run.record.model_ref) == ("succeeded", "models:/served/1")
    events = shop.store.events(job.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len([event for event in events if event.kind == "score"]) == 3
    predicted = shop.application.prediction.load("models:/served/1").predict(read_market(shop.bars))
    assert len(predicted) == 450
    known = predicted[["down", "range", "up"]].dropna()
    assert len(known) > 100
    np.testing.assert_allclose(known.sum(axis=1), 1.0)

    again = shop.manager.submit(
        "train", {"data": str(shop.bars), "audit": False, "save": "served"}, idempotency_key="nightly"
    )
    assert (again.created, again.job.id) == (False, job.id)

    shop.until(lambda: shop.events(doomed, "score"))
    assert shop.manager.request_stop(doomed.id).accepted
    assert shop.ended(doomed).state == "cancelled"
    (stopped,) = shop.until(
        lambda: [r for r in shop.application.runs.of_job(doomed.id) if r.record.status != "running"]
    )
    assert (stopped.record.status, stopped.record.looked_at) == ("cancelled", True)
    assert [model.name for model in shop.application.registry.list_models()] == ["served"]
    assert not shop.manager.request_stop(doomed.id).accepted
    repeated = shop.manager.retry(doomed.id).job
    assert (repeated.retry_of, repeated.state) == (doomed.id, "queued")
