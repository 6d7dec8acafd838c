"""Jobs: the list of all, and one as it goes on; stopping it, and trying it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from onward.dashboard.forms import REQUEST_KEY_FIELD, SafeForm, idempotency_key, is_gone, new_request_key
from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render
from onward.dashboard.views.job import SHOWN, JobsView, JobView, is_untaken, job_view, jobs_view
from onward.database.moments import utc_now
from onward.server.authorisation import requires
from onward.server.dependencies import Caller, Manager, State, Store, require
from onward.tasks.promised import published

if TYPE_CHECKING:
    from onward.dashboard.digests import Digests
    from onward.jobs.protocol import JobStore
    from onward.jobs.values import JobState
    from onward.server.state import ServerState

__all__ = ["PAGE", "router"]

PAGE = Page(
    "job",
    "/jobs",
    "jobs",
    shots=(("jobs", "/jobs"), ("job", "/jobs/{job}"), ("job-failed", "/jobs/{failed_job}")),
)

router = APIRouter()

LINES = 50
HELD: tuple[JobState, ...] = ("starting", "running", "stopping")

Shown = Literal["all", "live", "succeeded", "failed", "cancelled"]
JobId = Annotated[str, Path(description="Id of a job; its beginning suffices when it is unique.")]
Kind = Annotated[str | None, Query(max_length=60)]
Cursor = Annotated[str | None, Query(max_length=400)]


@router.get("/jobs", dependencies=[requires("read")])
def jobs(
    render: Render,
    store: Store,
    server: State,
    show: Shown = "all",
    kind: Kind = None,
    cursor: Cursor = None,
) -> Response:
    """Show a page of the list of jobs."""
    return render.page("job", template="jobs", view=_list(store, server, show, kind, cursor))


@router.get("/ui/jobs", dependencies=[requires("read")])
def listed(
    render: Render,
    store: Store,
    server: State,
    show: Shown = "all",
    kind: Kind = None,
    cursor: Cursor = None,
) -> Response:
    """Return the list alone, which the page asks for while something on it moves."""
    return render.fragment("fragments/jobs.html", view=_list(store, server, show, kind, cursor))


@router.get("/jobs/{job_id}", dependencies=[requires("read")])
def job(job_id: JobId, render: Render, store: Store, request: Request, server: State) -> Response:
    """Show a job."""
    return render.page("job", view=_look(store, request, server, job_id), request_key=new_request_key())


@router.get("/ui/jobs/{job_id}/state", dependencies=[requires("read")])
def state(job_id: JobId, render: Render, store: Store, request: Request, server: State) -> Response:
    """Return what changes with the state of a job: badge and buttons, and what came of it."""
    view = _look(store, request, server, job_id)
    return render.fragment("fragments/job_state.html", view=view, request_key=new_request_key(), swapped=True)


@router.post("/ui/jobs/{job_id}/stop", dependencies=[requires("run")])
def stop(job_id: JobId, render: Render, form: SafeForm, manager: Manager) -> Response:  # noqa: ARG001
    """Ask for a stop; the page says `stopping` until the processes are proven gone."""
    reply = manager.request_stop(job_id)
    toast = "job.toast.stopping" if reply.accepted else "job.toast.nothing_to_stop"
    return render.redirect(f"/jobs/{reply.job.id}", toast=toast, tone="good" if reply.accepted else "calm")


@router.post("/ui/jobs/{job_id}/retry", dependencies=[requires("run")])
def retry(
    job_id: JobId,
    render: Render,
    form: SafeForm,
    manager: Manager,
    store: Store,
    caller: Caller,
) -> Response:
    """Submit the request of an ended job again; what moves an alias needs the scope ``admin`` again.

    However often the button of one page is sent, it is one job.
    """
    job = store.get(job_id)
    if job.request.spec.get("alias") is not None:
        require(caller, "admin", what="to give an alias")
    key = idempotency_key(f"retry-{job.id}", str(form.get(REQUEST_KEY_FIELD, "")))
    submission = manager.retry(job.id, idempotency_key=key)
    if is_gone(store, submission):
        return render.redirect(f"/jobs/{job.id}", toast="job.toast.retry_gone", tone="calm")
    return render.redirect(f"/jobs/{submission.job.id}", toast="job.toast.retried")


def _list(
    store: JobStore, server: ServerState, show: Shown, kind: str | None, cursor: str | None
) -> JobsView:
    kind, cursor = kind or None, cursor or None
    page = store.find(
        states=SHOWN[show] or None, kinds=None if kind is None else [kind], limit=LINES, cursor=cursor
    )
    return jobs_view(
        page.jobs,
        store.counts(),
        shown=show,
        kind=kind,
        cursor=cursor,
        following=page.cursor,
        heartbeat=server.provider.services.settings.jobs.heartbeat_seconds,
    )


def _look(store: JobStore, request: Request, server: ServerState, job_id: str) -> JobView:
    digests = cast("Digests", request.app.state.digests)
    before = store.get(job_id)
    digest = digests.of(store, before.id)
    job = store.get(before.id)
    if job.state != before.state:  # a job that reads as ended is shown with its last event
        digest = digests.of(store, job.id)
    held = store.find(states=HELD, limit=LINES).jobs if job.state == "queued" else ()
    shown = server.shown.whole_job(published(job, lambda: server.provider.services.runs))
    manager = server.provider.built("job_manager")
    unknown = manager is not None and job.kind not in manager.kinds
    times = server.provider.services.settings.jobs
    return job_view(
        shown,
        digest,
        untaken=is_untaken(job, held, utc_now()),
        unknown=unknown,
        heartbeat=times.heartbeat_seconds,
        lease=times.lease_seconds,
    )
