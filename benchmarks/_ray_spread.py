"""The folds of one training on one place of a Ray cluster, and with a helper on another node."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._table import Row

FOLDS = 8
PLAN: dict[str, Any] = {
    "validation.n_splits": FOLDS,
    "features.stages": ["manual"],
    "model.n_rounds": 2_000,
    "training.n_threads": 1,
    "selection.null_importance": False,
    "selection.mutual_information": False,
    "evaluation.importance": False,
    "evaluation.drift": False,
    "evaluation.adversarial": False,
    "evaluation.n_shifts": 100,
}
N_BARS = 8_000
WAIT_SECONDS = 3.0
"""Length of a fold that only waits: what spreading costs by itself, whatever else the cores do."""


def waiting_lead(context: Any, services: object) -> dict[str, Any]:  # noqa: ARG001
    """Do folds that only wait, as a trainer with helpers would, and say how long all of them took."""
    began = time.monotonic()
    context.ask("crew.call", pieces=list(range(FOLDS)))
    for piece in range(FOLDS):
        while "wait" in (told := context.ask("crew.take", piece=piece)):
            time.sleep(told["wait"])
        if "yours" in told:
            time.sleep(WAIT_SECONDS)
    return {"seconds": time.monotonic() - began}


def waiting_helper(context: Any, services: object) -> dict[str, Any]:  # noqa: ARG001
    """Do folds that only wait until none is open."""
    while "piece" in (told := context.ask("crew.next")):
        time.sleep(WAIT_SECONDS)
        context.ask("crew.done", piece=told["piece"], digest="")
    return {}


def waiting_row(address: str, times: int) -> Row:
    """Measure how long folds of a fixed length take with one helper."""
    from onward.jobs.ray import RayBackend
    from onward.testing.job_backends import job_of

    seconds = []
    backend = RayBackend(
        {"wait": f"{__name__}:waiting_lead"},
        address=address,
        helpers=1,
        helping={"wait": f"{__name__}:waiting_helper"},
    )
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            (place := Path(name) / "1" / "work").mkdir(parents=True)
            attempt = backend.start(job_of("wait", {}), place.parent)
            attempt.begin()
            while attempt.ending() is None:
                results = (m["manifest"] for m in attempt.receive(0.05) if m["type"] == "result")
                seconds.extend(result["seconds"] for result in results)
            attempt.kill()
            while not attempt.gone():
                time.sleep(0.05)
            attempt.close()
    backend.close()
    note = f"{times} times; {FOLDS * WAIT_SECONDS:g} s alone, {FOLDS * WAIT_SECONDS / 2:g} s at best"
    median = float(np.median(seconds))
    return Row(f"Ray: {FOLDS} folds that wait {WAIT_SECONDS:g} s, one helper", median, "s", "", note)


def spread_rows(address: str, times: int) -> list[Row]:
    """Train alone and with a helper, in turns, and compare the wall-clock time of the folds."""
    from onward.settings import load_settings
    from onward.testing.markets import planted_signal
    from onward.wiring import build_application

    seconds: dict[int | None, list[float]] = {None: [], 1: []}
    shares: list[int] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        planted_signal(N_BARS, seed=0, strength=0.004).bars.reset_index().to_parquet(place / "bars.parquet")
        for number in range(2 * times):
            helpers = None if number % 2 == 0 else 1
            settings = load_settings(
                home=place / "home",
                cwd=place,
                environ={},
                overrides={
                    **PLAN,
                    "jobs.backends": ["ray"],
                    "jobs.ray_address": address,
                    "jobs.ray_helpers": helpers,
                    "jobs.progress_seconds": 0.1,
                },
            )
            with closing(build_application(settings)) as application:
                application.job_manager.start()
                spec = {"data": str(place / "bars.parquet"), "audit": False}
                job = application.job_manager.submit("train", spec, backend="ray").job
                while application.job_store.get(job.id).finished_at is None:
                    time.sleep(0.1)
                done = application.job_store.get(job.id)
                assert done.state == "succeeded", done.error
                events = application.job_store.events(job.id)
                folds = [e.at.timestamp() for e in events if e.kind == "score"]
                began = next(e.at for e in events if e.kind == "state" and e.payload["state"] == "running")
                seconds[helpers].append(folds[-1] - began.timestamp())
                shares.append(sum("finished fold" in str(e.payload.get("text")) for e in events))
    alone, helped = (float(np.median(seconds[helpers])) for helpers in (None, 1))
    note = f"the helper fitted {int(np.median(shares[1::2]))}; load {os.getloadavg()[0]:.0f}"
    return [
        Row(f"Ray: {FOLDS} folds of one training, one place", alone, "s", "", f"{times} times, from running"),
        Row(f"Ray: {FOLDS} folds of one training, and one helper", helped, "s", "", note),
        Row("Ray: one helper, times as fast", alone / helped, "", "", f"{os.cpu_count()} cores in all"),
    ]
