"""What a kind of job is: what runs in the worker, and what its supervisor does around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from onward.jobs.protocol import OnCommit
    from onward.jobs.values import Job
    from onward.protocols import Progress

__all__ = ["JobKind", "Publication", "TaskContext"]


class TaskContext(Protocol):
    """What a task gets in the worker. Nothing here reaches the database."""

    @property
    def job_id(self) -> str:
        """Id of the job."""

    @property
    def attempt(self) -> int:
        """Number of this attempt, from 1."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The request's spec."""

    @property
    def directory(self) -> Path:
        """Directory of this attempt: what is to be published is written here."""

    @property
    def shared(self) -> Path:
        """Directory of the job, kept between attempts: checkpoints."""

    @property
    def progress(self) -> Progress:
        """Tell how far the work has come; figures in ``values`` become ``score`` events."""

    def log(self, text: str, *, level: str = "info") -> None:
        """Write a line into the job's log."""

    def ask(self, question: str, **arguments: Any) -> Any:
        """Ask the supervisor, who may look into the database; plain JSON both ways."""


@dataclass(frozen=True)
class Publication:
    """What a finished attempt makes visible.

    Attributes
    ----------
    on_commit
        Runs inside the terminal transaction.
    abandon
        Undoes the preparation when the transaction did not come about; must not raise.
    settled
        Runs after the commit (tidying; must not raise).
    doubted
        Runs instead of both when it stays unknown whether the transaction came about (the
        database went away for good): lets go of what is held here, and leaves what was prepared
        to `JobKind.mend`; must not raise.
    """

    on_commit: OnCommit | None = None
    abandon: Callable[[], None] = field(default=lambda: None)
    settled: Callable[[], None] = field(default=lambda: None)
    doubted: Callable[[], None] = field(default=lambda: None)


def _as_given(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return spec


def _no_answer(job: Job, question: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ARG001
    raise LookupError(f"the job {job.id} of kind {job.kind} asked {question!r}, which nobody answers")


def _nothing(job: Job, result: Mapping[str, Any], directory: Path) -> Publication:  # noqa: ARG001
    return Publication()


def _no_word(job: Job) -> None:  # noqa: ARG001
    return None


def _unlike(spec: Mapping[str, Any]) -> Sequence[str]:  # noqa: ARG001
    return ()


def _nothing_to_mend(look: Callable[[str], Job | None]) -> None:  # noqa: ARG001
    return None


@dataclass(frozen=True)
class JobKind:
    """A kind of job.

    Attributes
    ----------
    name
        ``train``, ``tune`` ...
    entry
        ``module:function`` that the worker runs: ``function(context, services)`` returns a plain
        JSON mapping, the manifest. ``services`` is what the worker's wiring made.
    summary
        A sentence for people.
    prepare
        At submit: checks the spec and completes it with everything the worker needs; raises an
        `OnwardError` that says how to repair it.
    answer
        Answers what the worker asks, in the supervisor: ``answer(job, question, arguments)``.
    publish
        After the worker's regular end: verifies the manifest and what lies in the attempt's
        directory, moves it to where it belongs, and says what the terminal transaction inserts.
        A `StorageError` says that the database is away: it is called again, so it must raise none
        once it has moved anything, nor for what a disk or another store refuses.
    ended
        After the terminal commit of a job that was not published (failed, cancelled).
    mend
        When a server starts, and now and then: makes good what one that died left between the
        decision and its doing. Given a function that looks a job up by its id, None = unknown.
    short
        Whether its jobs are soon over, so that servers keep places for them.
    likeness
        Names of what a request has in common with others that take about as long, the most alike
        first: an earlier job with one of these names tells when this one will have ended. Empty:
        nothing can be told from earlier jobs.
    """

    name: str
    entry: str
    summary: str
    prepare: Callable[[Mapping[str, Any]], Mapping[str, Any]] = _as_given
    answer: Callable[[Job, str, Mapping[str, Any]], Any] = _no_answer
    publish: Callable[[Job, Mapping[str, Any], Path], Publication] = _nothing
    ended: Callable[[Job], None] = _no_word
    mend: Callable[[Callable[[str], Job | None]], None] = _nothing_to_mend
    short: bool = False
    likeness: Callable[[Mapping[str, Any]], Sequence[str]] = _unlike
