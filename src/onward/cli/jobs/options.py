"""Options of jobs: what a job is called on the command line, and under which conditions it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from onward.cli.session import Session, verb
from onward.cli.texts import moment_of

__all__ = [
    "AfterOption",
    "BackgroundOption",
    "Conditions",
    "JobId",
    "RetryAttempts",
    "RetryMemory",
    "RetryTimeout",
    "Specify",
    "job_verb",
]

JobId = Annotated[str, typer.Argument(metavar="ID", help="Id of a job, or the beginning of it.")]
BackgroundOption = Annotated[
    bool,
    typer.Option("--background", help="Run as a job that outlives this terminal; print its id and return."),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", metavar="TEXT", help="Idempotency key: the same key and request is one job."),
]
PriorityOption = Annotated[
    int, typer.Option("--priority", metavar="N", help="Higher runs first; 0 if left out.")
]
AfterOption = Annotated[
    str | None,
    typer.Option("--after", metavar="TIME", help="Do not start before this moment (ISO 8601, UTC)."),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option("--timeout", metavar="S", help="Seconds of one attempt, else jobs.timeout_seconds."),
]
MemoryOption = Annotated[
    int | None,
    typer.Option("--memory", metavar="MB", help="Memory of one attempt, else jobs.memory_limit_mb."),
]
AttemptsOption = Annotated[
    int | None,
    typer.Option("--attempts", metavar="N", help="Attempts when workers are lost, else jobs.max_attempts."),
]
RetryTimeout = Annotated[
    float | None, typer.Option("--timeout", metavar="S", help="Seconds of one attempt, else as before.")
]
RetryMemory = Annotated[
    int | None, typer.Option("--memory", metavar="MB", help="Memory of one attempt, else as before.")
]
RetryAttempts = Annotated[
    int | None,
    typer.Option("--attempts", metavar="N", help="Attempts when workers are lost, else as before."),
]
BackendOption = Annotated[
    str, typer.Option("--backend", metavar="NAME", help="Where it runs: local, or ray (jobs.ray_address).")
]

Specify = Callable[..., tuple[Session, str | None, Mapping[str, Any]]]
"""``function(session, **options)`` -> (session, plan, spec): what a verb's options ask a job to do."""


@dataclass(frozen=True)
class Conditions:
    """Under which conditions a job is taken in and runs; None = as the settings say."""

    key: str | None = None
    priority: int = 0
    after: str | None = None
    timeout: float | None = None
    memory: int | None = None
    attempts: int | None = None
    backend: str = "local"

    def arguments(self) -> dict[str, Any]:
        """Return them as `BackgroundTaskManager.submit` takes them.

        Raises
        ------
        UserError
            When ``after`` is no moment.
        """
        return {
            "idempotency_key": self.key,
            "priority": self.priority,
            "run_after": None if self.after is None else moment_of(self.after, option="--after"),
            "timeout_seconds": self.timeout,
            "memory_limit_mb": self.memory,
            "max_attempts": self.attempts,
            "backend": self.backend,
        }


def job_verb(
    app: typer.Typer,
    kind: str,
    submit: Callable[[Session, str, str | None, Mapping[str, Any], Conditions], None],
) -> Callable[[Specify], Specify]:
    """Register a function as the verb that submits a kind of job.

    The function takes the options of the kind and gives what the job is to do; the options of
    `Conditions` are added to them, so that every kind takes these in the same way.
    """

    def register(function: Specify) -> Specify:
        own = list(inspect.signature(function, eval_str=True).parameters.values())

        def run(session: Session, **arguments: Any) -> None:
            conditions = Conditions(**{p.name: arguments.pop(p.name) for p in CONDITIONS})
            told, plan, spec = function(session, **arguments)
            submit(told, kind, plan, spec, conditions)

        run.__doc__ = function.__doc__
        run.__signature__ = inspect.Signature([*own, *CONDITIONS])  # type: ignore[attr-defined]
        verb(app, kind, remote=True)(run)
        return function

    return register


CONDITIONS = tuple(
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    for name, default, annotation in (
        ("key", None, KeyOption),
        ("priority", 0, PriorityOption),
        ("after", None, AfterOption),
        ("timeout", None, TimeoutOption),
        ("memory", None, MemoryOption),
        ("attempts", None, AttemptsOption),
        ("backend", "local", BackendOption),
    )
)
