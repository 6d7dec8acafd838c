"""Kinds of jobs whose files other hosts can read: uploaded before the job ends, visible with its end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.errors import StorageError
from onward.jobs.kinds import JobKind, Publication
from onward.jobs.values import Job
from onward.storage.shared_files import SharedFiles
from onward.tasks.outputs import refusals, target_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["HOUR", "shared_kind", "swept_kind"]

_log = logging.getLogger(__name__)

HOUR = 3600.0
SWEEP_SECONDS = 24 * HOUR


def shared_kind(kind: JobKind, home: Path, files: Callable[[], SharedFiles]) -> JobKind:
    """Return a kind that puts the files it delivers below the home into the store as well.

    They are uploaded before the transaction that ends the job begins: a job whose files cannot be
    uploaded fails. Within it, a few bytes a file make them visible; should the transaction not come
    about, the next attempt's files take over.
    """

    def publish(job: Job, manifest: Mapping[str, Any], directory: Path) -> Publication:
        shared = _shared(home, job, manifest)
        for path, name in shared.items():
            if (directory / name).is_file():  # else `publish` says what is missing
                with refusals("upload the output", directory):
                    files().upload(path, directory / name, manifest["files"][name])
        publication = kind.publish(job, manifest, directory)

        def on_commit(connection: Connection) -> Mapping[str, Any]:
            _make_visible(files, {path: manifest["files"][name] for path, name in shared.items()})
            return {} if publication.on_commit is None else publication.on_commit(connection) or {}

        return replace(publication, on_commit=on_commit)

    return replace(kind, publish=publish)


def swept_kind(kind: JobKind, sweep: Callable[[], object], every_seconds: float = SWEEP_SECONDS) -> JobKind:
    """Return a kind with which goes, every so often, what nobody needs in the store any more."""
    due = time.monotonic() + min(every_seconds, HOUR)

    def mend(look: Callable[[str], Job | None]) -> None:
        nonlocal due
        kind.mend(look)
        if time.monotonic() >= due:
            due = time.monotonic() + every_seconds
            sweep()

    return replace(kind, mend=mend)


def _make_visible(files: Callable[[], SharedFiles], digests: Mapping[str, str]) -> None:
    """Publish files that are uploaded; that hours of work succeed does not hang on it."""
    for path, digest in digests.items():
        try:
            files().publish(path, digest)
        except StorageError as error:
            _log.warning("%s can be read on this host alone: %s", path, error)


def _shared(home: Path, job: Job, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return which files of an attempt go where, by paths below the home."""
    names = list(manifest.get("files", ()))
    targets: list[tuple[Path, str]] = []
    if "run" in manifest:
        targets = [(home / "runs" / str(manifest["run"]) / name, name) for name in names]
        if job.request.spec.get("report") is not None:
            targets.append((home / "outputs" / job.request.spec["report"], "report.html"))
    else:
        targets = [(target_of(home / "outputs", job, Path(name).suffix), name) for name in names]
    return {
        target.relative_to(home).as_posix(): name for target, name in targets if target.is_relative_to(home)
    }
