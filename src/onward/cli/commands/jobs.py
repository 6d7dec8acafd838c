"""``onward jobs``: long work that has an id, goes on without a terminal, and can be stopped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.jobs.options import AfterOption, JobId, RetryAttempts, RetryMemory, RetryTimeout
from onward.cli.jobs.submit import app as submit_app
from onward.cli.output import print_note, print_table
from onward.cli.session import Session, group, verb
from onward.cli.texts import duration, moment_of
from onward.errors import UserError

if TYPE_CHECKING:
    from onward.cli.jobs.logfiles import Log
    from onward.config.jobs import JobConfig
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import Job, JobState

app = group("Submit, watch and stop long work that outlives the terminal.")
app.add_typer(submit_app, name="submit")

DETACHED = 130
LONGEST_CELL = 60
UNKNOWN_KIND = (
    "Workers of this installation do not know jobs of the kind {}: it waits for a server that does, of "
    "another version or with kinds of its own."
)


@verb(app, "list", remote=True)
def list_(
    session: Session,
    *,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", metavar="STATE", help="Only jobs in this state, such as running; repeatable."
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Only jobs of this kind, such as train; repeatable."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=10_000, help="Jobs to list at most.")
    ] = 20,
) -> None:
    """List jobs, newest first."""
    from onward.cli.jobs.lines import job_words, ran
    from onward.jobs.documents import job_document

    states = None if not state else [_known_state(name) for name in state]
    application = session.application()
    store = application.job_store
    page = store.find(states=states, kinds=kind or None, limit=limit)
    heartbeat = _times(session, application).heartbeat_seconds

    def render() -> None:
        print_table(
            ("job", "kind", "state", "progress", "queued (UTC)", "ran", "result"),
            [
                (
                    job.id,
                    job.kind,
                    job_words(job),
                    _progress(store, job, heartbeat) or None,
                    job.queued_at,
                    None if job.state == "queued" or (s := ran(job)) is None else duration(s),
                    _came_to(job),
                )
                for job in page.jobs
            ],
            empty="No such job." if state or kind else "No job yet. Submit one: onward train --background",
        )
        if page.cursor is not None:
            print_note(f"The newest {len(page.jobs)}; --limit shows more.")

    session.show([job_document(job, outcome=False) for job in page.jobs], render)


@verb(app, remote=True)
def show(
    session: Session,
    job: JobId,
    *,
    events: Annotated[bool, typer.Option("--events", help="Every event with its number as well.")] = False,
) -> None:
    """Show a job: where it stands, what it came to, what went wrong."""
    from onward.cli.jobs.details import print_job
    from onward.cli.jobs.following import follow
    from onward.jobs.documents import event_document, job_document
    from onward.tasks.promised import published

    application = session.application()
    sight = next(follow(application.job_store, application.job_store.get(job).id))
    found = sight.job
    if session.server is None:  # which says by itself what was published since
        found = published(found, lambda: application.runs)
    value = job_document(found, spec=True)
    if events:
        value["events"] = [event_document(event) for event in sight.events]
    times = _times(session, application)
    session.show(value, lambda: print_job(found, sight.events, application.home.root, times, each=events))
    waits = found.state == "queued" and session.server is None
    if waits and found.kind not in {kind.name for kind in application.job_kinds}:
        typer.echo(UNKNOWN_KIND.format(found.kind), err=True)  # beside the JSON, if that was asked for


@verb(app, remote=True)
def watch(
    session: Session,
    job: JobId,
    *,
    tail: Annotated[
        int, typer.Option("--tail", metavar="N", min=0, help="Earlier log lines to begin with.")
    ] = 10,
) -> None:
    """Watch a job until it has ended; Ctrl-C leaves it running.

    Shows what there was so far, then states, scores of folds and trials, and log lines as they
    come. Ends with the exit code that the same work has in the foreground; 3 when it was stopped.
    With --json one JSON object a line.
    """
    from onward.cli.jobs.display import shown
    from onward.cli.jobs.outcome import exit_code, print_outcome
    from onward.cli.jobs.watching import watched
    from onward.jobs.documents import job_document

    application = session.application()
    store = application.job_store
    known = store.get(job)
    try:
        with shown(as_json=session.as_json) as display:
            ended = watched(store, known.id, display, tail=None if session.as_json else tail)
    except KeyboardInterrupt:
        typer.echo(f"\nDetached; {known.kind} {known.id} goes on.", err=True)
        typer.echo(f"  watch it again:  onward jobs watch {known.id}", err=True)
        typer.echo(f"  stop it:         onward jobs stop {known.id}", err=True)
        raise typer.Exit(DETACHED) from None
    code = exit_code(ended)
    if session.as_json:
        from onward.cli.jobs.display import write_json_line

        write_json_line({"kind": "end", "exit_code": code, "job": job_document(ended)})
    else:
        print_outcome(ended, application.home.root)
    raise typer.Exit(code)


@verb(app, remote=True)
def logs(
    session: Session,
    job: JobId,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    attempt: Annotated[
        int | None, typer.Option("--attempt", metavar="N", min=1, help="Only this attempt, else all.")
    ] = None,
) -> None:
    """Write what the worker of a job wrote.

    On the machine that ran the job everything its processes wrote; elsewhere the log lines that
    the database keeps. With --json one JSON object a line, from the database.
    """
    from onward.cli.jobs.logfiles import JobLog
    from onward.cli.jobs.watching import logged
    from onward.cli.remote.jobs import RemoteLog

    application = session.application()
    known = application.job_store.get(job)
    log: Log
    if session.server is None:
        log = JobLog(application.home.jobs / known.id, attempt)
    else:
        log = RemoteLog(session.client, known.id, attempt)
    try:
        written = logged(
            application.job_store,
            known.id,
            log,
            attempt=attempt,
            on_and_on=follow,
            as_json=session.as_json,
        )
    except KeyboardInterrupt:
        raise typer.Exit(DETACHED) from None
    if not written and not session.as_json:
        typer.echo(f"Its worker wrote nothing; its steps and scores: onward jobs watch {known.id}", err=True)


@verb(app, remote=True)
def stop(
    session: Session,
    job: JobId,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return when no process of the job is left.")] = False,
) -> None:
    """Stop a job, wherever it runs.

    It is `stopping` until whoever ran it has proven that no process of it is left, then
    `cancelled`. A job that has ended is left as it is.
    """
    from onward.cli.jobs.stopping import told, waited
    from onward.jobs.documents import job_document

    application = session.application()
    store = application.job_store
    reply = store.request_stop(job)
    if reply.accepted and reply.job.state == "cancelled" and reply.job.attempt:
        # It waited for another attempt: no supervisor is there to tidy up after the ones before.
        for kind in application.job_kinds:
            if kind.name == reply.job.kind:
                kind.ended(reply.job)
    if not session.as_json:
        print_note(told(reply))
    ended = reply.job
    if wait and ended.finished_at is None:
        ended, sentence = waited(store, reply.job)
        if not session.as_json:
            print_note(sentence)
    session.show({"accepted": reply.accepted, **job_document(ended)}, lambda: None)


@verb(app, remote=True)
def retry(
    session: Session,
    job: JobId,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew: take over nothing.")] = False,
    after: AfterOption = None,
    attempts: RetryAttempts = None,
    timeout: RetryTimeout = None,
    memory: RetryMemory = None,
) -> None:
    """Submit the request of an ended job again, as a new job.

    What a job that failed had finished (folds of a training, trials of a search) is taken over when
    the new job runs on the same machine; it is kept until the old job is pruned. A job that
    succeeded or was stopped begins anew in any case (a stopped search goes on with `onward tune
    --resume`). What waits, runs or is being ended cannot be tried again yet.
    """
    from onward.cli.jobs.submitting import show_submission

    application = session.application()
    submission = application.job_desk.retry(
        job,
        fresh=fresh,
        run_after=None if after is None else moment_of(after, option="--after"),
        max_attempts=attempts,
        timeout_seconds=timeout,
        memory_limit_mb=memory,
    )
    show_submission(session, application, submission)


@verb(app)
def prune(
    session: Session,
    *,
    days: Annotated[
        float | None,
        typer.Option(
            "--days", metavar="N", min=0, help="Keep jobs that ended since; else jobs.retention_days."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Delete jobs that ended long ago, with their files.

    Models, runs, reports and outputs stay, and idempotency keys stay taken.
    """
    from onward.cli.jobs.pruning import expired, pruned

    application = session.application()
    keep = application.settings.jobs.retention_days if days is None else days
    before = datetime.now(UTC) - timedelta(days=keep)
    if dry_run:
        gone = [job.id for job in expired(application.job_store, before)]
    else:
        gone = pruned(application.job_store, application.home.jobs, before)

    def render() -> None:
        what = f"{len(gone)} job{'' if len(gone) == 1 else 's'} that ended before {before:%Y-%m-%d %H:%M} UTC"
        print_note(f"{'Would delete' if dry_run else 'Deleted'} {what}." if gone else "Nothing to delete.")

    session.show({"deleted": gone, "before": before, "dry_run": dry_run}, render)


def _known_state(name: str) -> JobState:
    from onward.errors import nearest
    from onward.jobs.states import STATES

    for state in STATES:
        if state == name:
            return state
    guess = nearest(name, STATES)
    raise UserError(
        "there is no such state of jobs",
        got=name,
        allowed=", ".join(STATES),
        remedy=f"Did you mean {guess}?" if guess else "Name one of these.",
    )


def _times(session: Session, application: Any) -> JobConfig:
    """Return the settings of jobs; of a server elsewhere nobody knows them: as they are by default."""
    from onward.config.jobs import JobConfig

    if session.server is not None:
        return JobConfig.model_validate({})
    times: JobConfig = application.settings.jobs
    return times


def _progress(store: JobStore, job: Job, heartbeat_seconds: float) -> str:
    """Return in a few words how far a job has come, or why it does not go on."""
    from onward.cli.jobs.following import follow
    from onward.cli.jobs.lines import requeued, work_done
    from onward.jobs.remaining import silent_seconds, time_left

    if job.finished_at is not None:
        return ""
    if job.state == "queued":
        return (requeued(job, next(follow(store, job.id)).events) if job.attempt else None) or ""
    silent = silent_seconds(job, heartbeat_seconds)
    if silent is None:
        return work_done(job.progress, time_left(job), brief=True)
    return f"{work_done(job.progress)}; server silent for {duration(silent)}".lstrip("; ")


def _came_to(job: Job) -> str | None:
    if job.error is not None and job.state == "failed":
        text = str(job.error.get("what", ""))
        return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
    result: dict[str, Any] = dict(job.result or {})
    for name in ("model", "written", "run"):
        if result.get(name):
            return str(result[name])
    return None
