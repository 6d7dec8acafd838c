"""Jobs of kind ``predict``: what a published model says about many bars, as a file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.config.data import DataProcessingConfig
from onward.errors import JobError
from onward.jobs.kinds import JobKind, Publication, TaskContext
from onward.jobs.values import Job
from onward.registry import Version
from onward.tasks.asking import ask, patient
from onward.tasks.delivering import publish_file
from onward.tasks.markets import MARKET_FIELDS, frozen_source, market_of
from onward.tasks.outputs import checked_output, hashes
from onward.tasks.relay import relayed
from onward.tasks.services import SupervisorServices, WorkerServices
from onward.tasks.specs import Field, read_spec

if TYPE_CHECKING:
    import pandas as pd

    from onward.prediction.loaded import LoadedModel

__all__ = ["kind", "run"]

NAME = "predict"
FILES = {".parquet": "predictions.parquet", ".csv": "predictions.csv"}
FIELDS = {
    **MARKET_FIELDS,
    "model": Field(required=True),
    "symbols": Field((list,)),
    "timerange": Field(),
    "out": Field(),
    "force": Field((bool,), default=False),
}
"""``model``: a reference, pinned to its version at submit. With ``timerange`` the bars before it
are read as history, not predicted."""


def run(context: TaskContext, services: WorkerServices) -> dict[str, Any]:
    """Predict every bar, or those of a time range, in the worker."""
    spec = context.spec
    with relayed(context):
        asked = _loaded(context)
        market = market_of(services.store, DataProcessingConfig(**spec["wanted"]), spec)
        start = _start(spec["timerange"])
        for warning in asked.cautions(
            market, start, now=_as_of(spec), max_staleness_bars=spec["max_staleness_bars"]
        ):
            context.log(warning, level="warning")
        cold = asked.cold_rows(market, start)
        frame = asked.predict(market, start=start).reset_index()
        name = _file(spec)
        if name.endswith(".csv"):
            frame.to_csv(context.directory / name, index=False)
        else:
            frame.to_parquet(context.directory / name, index=False)
    return {
        "model": spec["model"],
        "rows": len(frame),
        "cold_rows": cold,
        "data_hash": market.content_hash,
        "files": hashes(context.directory, name),
    }


def kind(services: SupervisorServices) -> JobKind:
    """Return the kind with its supervisor's side."""
    return JobKind(
        NAME,
        f"{__name__}:run",
        "Predict many bars with a published model into a file.",
        prepare=partial(_prepare, services),
        answer=patient(partial(_answer, services)),
        publish=partial(_publish, services),
    )


def _prepare(services: SupervisorServices, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    given = read_spec(NAME, spec, FIELDS)
    out = checked_output(services.outputs, given["out"], suffixes=tuple(FILES), force=given["force"])
    source = frozen_source(given)
    asked = services.prediction().load(given["model"])
    manifest, data = asked.version.manifest, services.settings.data
    timerange = given["timerange"] or data.timerange
    _start(timerange)  # refuses what is none
    end = (timerange or "").partition("-")[2]
    symbols = given["symbols"] or data.symbols
    if symbols is None and source["data"] is None:
        symbols = manifest.symbols
    wanted = DataProcessingConfig(
        symbols=None if symbols is None else tuple(symbols),
        timeframe=manifest.timeframe,
        series=manifest.features.series,
        timerange=f"-{end}" if end else None,
    )
    asked.check(market_of(services.store, wanted, source))
    told = {
        "model": asked.version.ref,
        "timerange": timerange,
        "wanted": wanted.model_dump(mode="json"),
        "max_staleness_bars": services.settings.prediction.max_staleness_bars,
    }
    return {**given, **source, **told, "out": out}


def _answer(services: SupervisorServices, job: Job, question: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ARG001
    if question != "model.open":
        raise JobError("nobody answers this question", got=question)
    version = services.registry.resolve(job.request.spec["model"])
    return {
        "name": version.name,
        "number": version.number,
        "digest": version.digest,
        "directory": str(services.registry.open(version.ref)),
        "published_at": version.published_at.isoformat(),
    }


def _publish(
    services: SupervisorServices, job: Job, manifest: Mapping[str, Any], directory: Path
) -> Publication:
    return publish_file(services, job, manifest, directory, _file(job.request.spec))


def _loaded(context: TaskContext) -> LoadedModel:
    """Return the model; the supervisor has checked every byte of its bundle."""
    from datetime import datetime

    from onward.prediction.loaded import LoadedModel
    from onward.prediction.predictor import Predictor
    from onward.registry import read_manifest

    told = ask(context, "model.open")
    directory = Path(told["directory"])
    version = Version(
        told["name"],
        told["number"],
        told["digest"],
        directory,
        read_manifest(directory),
        datetime.fromisoformat(told["published_at"]),
    )
    return LoadedModel(version, Predictor.load(directory).narrowed())


def _start(timerange: str | None) -> pd.Timestamp | None:
    from onward.data.timeframe import parse_timerange

    return parse_timerange(timerange)[0]


def _as_of(spec: Mapping[str, Any]) -> pd.Timestamp | None:
    """Return the moment as of which stored bars are predicted; bars of a file are about their own time."""
    import pandas as pd

    from onward.prediction.freshness import batch_moment

    return None if spec["data"] is not None else batch_moment(spec["timerange"], pd.Timestamp.now(tz="UTC"))


def _file(spec: Mapping[str, Any]) -> str:
    return FILES[".parquet" if spec["out"] is None else Path(spec["out"]).suffix.lower()]
