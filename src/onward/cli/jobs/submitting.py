"""What is said about a job that was taken in, and how ``--background`` sees to it that it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onward.cli.jobs.lines import learns_from
from onward.cli.jobs.requests import plan_field
from onward.cli.output import print_note
from onward.jobs.documents import job_document

if TYPE_CHECKING:
    from onward.cli.jobs.background import Runner
    from onward.cli.session import Session
    from onward.jobs.values import Job, Submission
    from onward.wiring import Application

__all__ = ["show_submission", "submit_in_background"]


def show_submission(
    session: Session, application: Application, submission: Submission, runner: Runner | None = None
) -> None:
    """Say which job it is, and how to watch and stop it.

    Parameters
    ----------
    session, application
        The call and its services.
    submission
        What the store answered.
    runner
        Who runs it, when that was found out.
    """
    job = submission.job

    def render() -> None:
        if submission.created:
            print_note(f"Job {job.id} ({job.kind}) is queued.")
        else:
            print_note(
                f"The key {job.request.idempotency_key!r} made this job before: {job.id}, {job.state}."
            )
        if (market := learns_from(job)) is not None:
            print_note(f"  learns from: {market}")
        if job.finished_at is not None:
            print_note(f"  what came of it:  onward jobs show {job.id}")
            return
        if runner is not None:
            print_note(runner.sentence)
        elif job.state == "queued" and session.server is None and not _anybody(application, job):
            where = "" if job.request.backend == "local" else f" that runs jobs on {job.request.backend}"
            print_note(
                f"No worker or server{where} was seen on this machine. Unless there is one elsewhere, "
                "start one: onward worker, or onward serve"
            )
        print_note(f"  watch it:  onward jobs watch {job.id}")
        print_note(f"  stop it:   onward jobs stop {job.id}")

    value = {"created": submission.created, **job_document(job)}
    if runner is not None:
        value["runner"] = runner.to_dict()
    session.show(value, render)


def _anybody(application: Application, job: Job) -> bool:
    presence = application.job_presence([job.request.backend])
    return presence.anybody() or bool(application.job_store.leases())


def submit_in_background(
    session: Session, application: Application, kind: str, spec: Mapping[str, Any]
) -> None:
    """Submit what a verb would do in the foreground, and start a worker when nobody is there to run it."""
    from onward.cli.jobs.background import ensure_runner

    submission = application.job_desk.submit(kind, {**spec, **plan_field(application)})
    if session.server is not None:
        show_submission(session, application, submission)
        return
    runner = ensure_runner(session, application, submission.job.id)
    show_submission(session, application, submission, runner)
