"""Files that a job leaves: named at submit, written in the attempt, visible with its success."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onward.errors import JobError, OnwardError, StorageError, UserError
from onward.jobs.values import Job
from onward.registry.files import fsync_directory, hash_file
from onward.registry.writable import require_writable

__all__ = ["Delivery", "checked_output", "hashes", "refusals", "target_of", "written"]


def checked_output(outputs: Path, named: str | None, *, suffixes: tuple[str, ...], force: bool) -> str | None:
    """Return the name that an output is to have; None when none was named.

    A relative name stays one: the host that runs the job has its own directory of outputs.

    Parameters
    ----------
    outputs
        Where relative names lie.
    named
        As asked for: absolute, or relative to ``outputs``.
    suffixes
        Endings that are allowed.
    force
        Whether a file that is there may be replaced.

    Raises
    ------
    UserError
        When the name leads out of ``outputs``, has another ending, something is there, or nothing can
        be written there.
    """
    if named is None:
        return None
    path = Path(named).expanduser()
    absolute = path.is_absolute()
    if not absolute:
        path = Path(os.path.normpath(outputs / path))
        if not path.is_relative_to(outputs) or path == outputs:
            raise UserError(
                "a relative output lies below outputs/ of the home directory",
                got=named,
                allowed="a name without .., or an absolute path",
                remedy="Write the whole path.",
            )
    if path.suffix.lower() not in suffixes:
        raise UserError(
            "unknown file type", got=path.name, allowed=", ".join(suffixes), remedy="Choose one of these."
        )
    if path.parent.exists():  # else it may be a directory that the host of the job has
        require_writable(path)
    if path.exists() and not force:
        raise UserError(
            "there is a file already",
            got=str(path),
            remedy="Choose another name, or ask for it to be replaced (--force).",
        )
    return str(path) if absolute else path.relative_to(outputs).as_posix()


def target_of(outputs: Path, job: Job, suffix: str) -> Path:
    """Return where an output of a job goes: the path that was named, else one by the job's id."""
    named = job.request.spec.get("out")
    return outputs / (named if named is not None else f"{job.kind}-{job.id}{suffix}")


def hashes(directory: Path, *names: str) -> dict[str, str]:
    """Return the SHA-256 of files that a worker leaves, for its manifest; on the disk from here on."""
    for name in names:
        with (directory / name).open("rb") as file:
            os.fsync(file.fileno())
    fsync_directory(directory)
    return {name: hash_file(directory / name) for name in names}


def written(home: Path, path: Path) -> str:
    """Return a path as results name it: relative to the home where it lies below, else absolute."""
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)


@dataclass(frozen=True)
class Delivery:
    """A file on its way from an attempt's directory to where it belongs.

    Attributes
    ----------
    draft
        Beside the target and hidden: one rename away.
    target
        Where it goes.
    """

    draft: Path
    target: Path

    @classmethod
    def prepare(
        cls,
        job: Job,
        manifest: Mapping[str, Any],
        directory: Path,
        name: str,
        target: Path,
        *,
        force: bool = True,
    ) -> Delivery:
        """Verify a file of an attempt and move it beside its target.

        Raises
        ------
        JobError
            When it is not what the worker wrote, or cannot be moved.
        UserError
            When something else lies at the target by now.
        """
        source, digest = directory / name, manifest["files"][name]
        with refusals("deliver the output", target):
            if hash_file(source) != digest:
                raise JobError(
                    "a file of the job is not what its worker wrote", got=name, remedy="Submit the job again."
                )
            if target.exists() and not force and not (target.is_file() and hash_file(target) == digest):
                raise UserError(
                    "there is a file by now where the output was to go",
                    got=str(target),
                    remedy="Submit the job again with another name.",
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            for stale in target.parent.glob(f".{glob.escape(target.name)}.{job.id}.*"):
                stale.unlink(missing_ok=True)  # of an attempt whose server died before it was done
            draft = target.with_name(f".{target.name}.{job.id}.{job.attempt}")
            try:
                source.rename(draft)
            except OSError:  # another file system
                shutil.copyfile(source, draft)
                with draft.open("rb") as file:
                    os.fsync(file.fileno())
        return cls(draft, target)

    def commit(self) -> None:
        """Make it visible; again is once."""
        with refusals("deliver the output", self.target):
            if self.draft.exists():
                self.draft.replace(self.target)
                fsync_directory(self.target.parent)

    def abandon(self) -> None:
        """Take it away again."""
        with contextlib.suppress(OSError):
            self.draft.unlink(missing_ok=True)


@contextmanager
def refusals(doing: str, place: Path) -> Iterator[None]:
    """Let what the disk refuses while publishing fail the job.

    The settlement takes a `StorageError` for a database that is away, and asks again until it is
    back; a full disk would keep it waiting for ever.
    """
    try:
        yield
    except StorageError as error:
        raise JobError(error.what, got=error.got, allowed=error.allowed, remedy=error.remedy) from error
    except OnwardError:
        raise
    except OSError as error:
        raise JobError(
            f"Could not {doing}",
            got=f"{error.filename or place} ({error.strerror or error})",
            remedy="Free the place or make it writable, and submit the job again.",
        ) from error
