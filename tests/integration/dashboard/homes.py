"""A home directory as the pages find it after a while of use: data, models, jobs of every fate.

Built by the product itself, once for a whole session of tests; each server gets a copy.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from onward.data.read import sample_market
from onward.jobs.values import Job
from onward.settings import load_settings
from onward.testing.registry import stage_bundle
from onward.wiring import Application, build_application
from tests.unit.training.small_runs import SMALL

__all__ = ["SETTINGS", "Things", "build_home", "copy_home", "shared_home", "write_settings"]

SYMBOL, TIMEFRAME, MODEL, LEAKY = "BTC/USD", "1h", "btc-usd-1h", "leaky"
N_BARS = 3000
TRAINED_BARS = 700
SETTINGS: dict[str, Any] = {
    **SMALL,
    "jobs.progress_seconds": 0.05,
    "jobs.poll_seconds": 0.05,
    "jobs.shutdown_seconds": 0.1,
    "server.event_poll_seconds": 0.05,
    "evaluation.importance": False,
    "evaluation.drift": False,
    "evaluation.adversarial": False,
}
BROKEN = "timestamp,open,high,low,close,volume\n1577836800000,1,2,0.5,1.5,3\n1577840400000,1,-2,9,1.5,3\n"
"""Read at submission as far as its columns; the second bar, whose high is below its low, is met later."""
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Things:
    """What there is in the prepared home, to be named in addresses."""

    job: str
    failed_job: str
    queued_job: str
    stopped_job: str
    import_job: str
    run: str
    other_run: str
    model: str
    leaky_model: str
    symbol: str
    timeframe: str


def write_settings(home: Path, **overrides: Any) -> None:
    """Write a settings file that makes everything small and quick."""
    home.mkdir(parents=True, exist_ok=True)
    values = {**SETTINGS, **{name.replace("__", "."): value for name, value in overrides.items()}}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    (home / "onward.toml").write_text("\n".join(lines) + "\n")


def recent_bars(n_bars: int = N_BARS) -> pd.DataFrame:
    """Return the newest bars of the bundled sample, moved in time so that the last has just closed."""
    bars = sample_market().bars.iloc[-n_bars:].reset_index().rename(columns={"open_time": "timestamp"})
    newest = pd.Timestamp.now(tz="UTC").floor("h") - pd.Timedelta("1h")
    bars["timestamp"] += newest - bars["timestamp"].iloc[-1]
    return bars


def build_home(home: Path) -> Things:
    """Fill a home: an import, two trainings, a failure, a job that waits, one that was stopped."""
    write_settings(home)
    inbox = home / "inbox"
    inbox.mkdir()
    bars = recent_bars()
    bars.to_parquet(inbox / "btc.parquet")
    (inbox / "broken.csv").write_text(BROKEN)
    application = build_application(load_settings(home=home, cwd=home, environ={}))
    try:
        return _filled(application, inbox, bars)
    finally:
        application.close()


def _filled(application: Application, inbox: Path, bars: pd.DataFrame) -> Things:
    manager, store = application.job_manager, application.job_store
    manager.start()
    brought = manager.submit("import", {"files": [str(inbox / "btc.parquet")], "timeframe": TIMEFRAME}).job
    broken = manager.submit("import", {"files": [str(inbox / "broken.csv")], "symbol": "X/Y"}).job
    _ended(application, brought.id)
    eth = bars.iloc[-1200::4].drop(columns="symbol").assign(volume=1.0)
    eth["timestamp"] = eth["timestamp"].dt.floor("4h") - pd.Timedelta("30D")
    application.repositories.candles("4h").upsert("ETH/USD", eth)
    since = f"{bars['timestamp'].iloc[-TRAINED_BARS]:%Y%m%d}-"
    data = {"data.symbols": [SYMBOL], "data.timeframe": TIMEFRAME, "data.timerange": since}
    trained = [
        manager.submit("train", {"plan": {**data, "model.n_rounds": n}, "save": MODEL, "alias": alias}).job
        for n, alias in ((5, "champion"), (8, "challenger"))
    ]
    waiting, stopped = (
        manager.submit("train", {"plan": {**data, "model.n_rounds": n}, "save": MODEL}, run_after=FAR).job
        for n in (9, 10)
    )
    manager.request_stop(stopped.id)
    staged = application.home.models / ".staging" / "leaky"
    stage_bundle(staged, name=LEAKY, certificate="failed")
    application.registry.publish(staged)
    first, second = (_ended(application, job.id) for job in trained)
    assert (first.state, second.state) == ("succeeded", "succeeded"), (first.error, second.error)
    assert _ended(application, broken.id).state == "failed"
    runs = [application.runs.of_job(job.id)[0].id for job in (first, second)]
    assert store.get(waiting.id).state == "queued"
    return Things(
        job=first.id,
        failed_job=broken.id,
        queued_job=waiting.id,
        stopped_job=stopped.id,
        import_job=brought.id,
        run=runs[0],
        other_run=runs[1],
        model=MODEL,
        leaky_model=LEAKY,
        symbol=SYMBOL,
        timeframe=TIMEFRAME,
    )


def _ended(application: Application, job_id: str, seconds: float = 120.0) -> Job:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = application.job_store.get(job_id)
        if job.finished_at is not None:
            return job
        time.sleep(0.05)
    raise AssertionError(f"the job {job_id} did not end")


def shared_home(place: Path) -> tuple[Path, Things]:
    """Return the prepared home below a directory; whoever comes first builds it, others wait."""
    home, said = place / "dashboard-home", place / "dashboard-things.json"
    with (place / "dashboard.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            things = build_home(home)
            said.write_text(json.dumps(asdict(things)))
    return home, Things(**json.loads(said.read_text()))


def copy_home(source: Path, target: Path) -> Path:
    """Copy a home to change it."""
    shutil.copytree(source, target)
    return target
