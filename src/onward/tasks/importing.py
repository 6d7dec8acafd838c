"""Jobs of kind ``import``: files of market data into the store, all of them or none.

The worker reads and cleans them into a store of the attempt's own. Its supervisor merges its rows into
files that nobody sees, and makes them visible behind the fence of the transaction that ends the job:
an attempt that lost its lease, or was stopped, leaves nothing (see `onward.tasks.merging`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from onward.data.repositories import DataStore
from onward.errors import JobError, OnwardError
from onward.jobs.kinds import JobKind, Publication, TaskContext
from onward.jobs.values import Job
from onward.naming import check_symbol
from onward.registry.plain import plain
from onward.tasks.markets import existing
from onward.tasks.merging import ROWS, PendingMerge, mend
from onward.tasks.outputs import refusals
from onward.tasks.relay import relayed
from onward.tasks.services import SupervisorServices, WorkerServices
from onward.tasks.specs import Field, read_spec
from onward.tasks.uploaded import checked_names, checked_uploads, fetched
from onward.types import ProgressEvent

__all__ = ["kind", "run"]

NAME = "import"
FIELDS = {
    "files": Field((list,), default=[]),
    "uploads": Field((list,), default=[]),
    "names": Field((list,), default=[]),
    "symbol": Field(),
    "timeframe": Field(),
    "format": Field(),
}
"""``uploads``: files of the shared store; ``names``: how files and uploads, in this order, are called
by whoever sent them, where that is not how they lie here."""


def run(context: TaskContext, services: WorkerServices) -> dict[str, Any]:
    """Read and clean the files into a store of the attempt's own, in the worker."""
    from onward.data.importers import read
    from onward.data.strays import stray_values
    from onward.data.timeframe import format_timeframe

    spec, told = context.spec, []
    staged = DataStore(context.directory / ROWS)
    with relayed(context), fetched(spec.get("uploads", ()), services, context.directory) as sent:
        files = [*map(Path, spec["files"]), *sent]
        names = spec.get("names") or [file.name if file in sent else str(file) for file in files]
        for number, (file, name) in enumerate(zip(files, names, strict=True)):
            context.progress(ProgressEvent("import", number, len(files), Path(name).name))
            try:
                result = read(file, spec["format"])
                reports = staged.save(result, symbol=spec["symbol"], timeframe=spec["timeframe"])
            except OnwardError as error:
                raise _said_of(file, Path(name).name, error) from error
            times, length = result.frame["timestamp"], result.timeframe
            inferred = format_timeframe(length) if length is not None and result.kind == "candles" else ""
            told.append(
                {
                    "file": name,
                    "kind": result.kind,
                    "symbols": list(result.symbols),
                    "timeframe": spec["timeframe"] or inferred,
                    "rows": len(result.frame),
                    "first": times.min().isoformat(),
                    "last": times.max().isoformat(),
                    "format": result.recognition.format,
                    "repairs": [str(repair) for repair in result.repairs],
                    "still_open": sum(report.still_open for report in reports),
                    "strays": stray_values(result.frame),
                }
            )
        context.progress(ProgressEvent("import", len(files), len(files)))
    return {"imported": told}


def kind(services: SupervisorServices) -> JobKind:
    """Return the kind with its supervisor's side."""
    return JobKind(
        NAME,
        f"{__name__}:run",
        "Import files of market data into the store.",
        prepare=_prepare,
        publish=partial(_publish, services),
        ended=partial(_ended, services),
        mend=partial(mend, services.store),
    )


def _prepare(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    from onward.data.importers import CATALOG, recognise
    from onward.data.timeframe import parse_timeframe
    from onward.errors import FormatError, nearest

    given = read_spec(NAME, spec, FIELDS)
    files = [str(existing(str(file))) for file in given["files"]]
    uploads = checked_uploads(given.pop("uploads"))
    if not files and not uploads:
        raise JobError("there is nothing to import", got="no file", remedy="Name a file.")
    names = checked_names(given.pop("names"), len(files) + len(uploads))
    if given["symbol"]:
        check_symbol(given["symbol"])
    if given["timeframe"] is not None:
        parse_timeframe(given["timeframe"])
    if given["format"] is None:
        for file in files:  # those that were sent are recognised where they are read
            recognise(file)
    elif given["format"] not in [one.name for one in CATALOG]:
        guess = nearest(given["format"], [one.name for one in CATALOG])
        raise FormatError(
            "Unknown format" + (f"; did you mean {guess!r}?" if guess else ""),
            got=repr(given["format"]),
            allowed=", ".join(one.name for one in CATALOG),
        )
    # What is not said is left out: a request that was taken by an older version stays the same one.
    further = {"uploads": uploads, "names": names}
    return {**given, "files": files, **{name: told for name, told in further.items() if told}}


def _publish(
    services: SupervisorServices,
    job: Job,
    manifest: Mapping[str, Any],  # noqa: ARG001
    directory: Path,
) -> Publication:
    store = services.store
    with refusals("store the rows", store.root):
        merge = PendingMerge.prepare(job, directory / ROWS, store)

    def on_commit(connection: object) -> Mapping[str, Any]:  # noqa: ARG001 - the rows go into files
        with refusals("store the rows", store.root):
            merge.swap()
        return {"stored": [plain(report.to_dict()) for report in merge.reports]}

    return Publication(on_commit, merge.abandon, merge.settle, merge.leave)


def _ended(services: SupervisorServices, job: Job) -> None:
    mend(services.store, lambda job_id: job if job_id == job.id else None)


def _said_of(file: Path, name: str, error: OnwardError) -> OnwardError:
    """Return the error with the name of the file that it is about, as whoever sent it calls it."""
    what, got = error.what, error.got
    if name != file.name:
        what = what.replace(str(file), name).replace(file.name, name)
        got = got and got.replace(str(file), name).replace(file.name, name)
    if name not in f"{what} {got}":
        what = f"{name}: {what}"
    return type(error)(what, got=got, allowed=error.allowed, remedy=error.remedy)
