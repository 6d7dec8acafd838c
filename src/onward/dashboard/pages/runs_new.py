"""A new run: a form that explains its choices, is checked while it is filled in, and starts a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Query
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from onward.access.scopes import Scope
from onward.config.model import LEARNERS
from onward.dashboard.costing import earlier
from onward.dashboard.first_training import request_key as sample_key
from onward.dashboard.forms import REQUEST_KEY_FIELD, SafeForm, idempotency_key, is_gone, new_request_key
from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render, Renderer
from onward.dashboard.services import Book, Runs
from onward.dashboard.views.run_check import CheckView, Worded, found_in, worded
from onward.dashboard.views.run_fields import CHOICES, Values
from onward.dashboard.views.run_request import Asked, Bases, Refusal, bases_of, placed, read
from onward.dashboard.views.run_snippets import snippets
from onward.dashboard.views.runs_new import (
    copied_values,
    first_values,
    followed_values,
    market_lines,
    run_form_view,
)
from onward.errors import ConfigError, OnwardError, StorageError
from onward.jobs.values import Job, JobRequest
from onward.server.authorisation import caller_of, requires
from onward.server.bodies.jobs import TrainingJob, TuningJob
from onward.server.dependencies import Config, Manager, Registry, Repositories, State, Store, Training
from onward.server.ownership import refuse_own_code
from onward.server.problems import told

__all__ = ["PAGE", "router"]

PAGE = Page(
    "runs_new",
    "/runs/new",
    "new",
    shots=(("new-run", "/runs/new"), ("new-run-copy", "/runs/new?copy_of={run}")),
)
MOST_VALUES = 1000
LONGEST_VALUE = 4_000

router = APIRouter()


@dataclass(frozen=True, eq=False)
class _Desk:
    """What the form is made of and checked with."""

    render: Renderer
    bases: Bases
    book: Any
    registry: Any
    store: Any
    runs: Any
    own_code: bool

    def may(self, scope: Scope) -> bool:
        return caller_of(self.render.request).may(scope)

    def page(
        self,
        values: Values,
        *,
        errors: tuple[Worded, ...] = (),
        check: CheckView | None = None,
        gone: Job | None = None,
        status: int = 200,
    ) -> Response:
        coverage = self.book.coverage()
        names = [one.name for one in self.registry.list_models()]
        view = run_form_view(
            values=followed_values(values, self.bases),
            bases=self.bases,
            coverage=coverage,
            models=names,
            learners=LEARNERS,
            errors=errors,
            texts=self.render.t,
        )
        key = "" if view.markets else sample_key(self.store)
        return self.render.page("runs_new", status=status, view=view, check=check, gone=gone, sample_key=key)

    def read(self, values: Values) -> tuple[Asked, tuple[Worded, ...]]:
        """Return what the form asks for, and what is wrong with it before anything looks at data."""
        asked, refusals = read(
            values,
            self.bases,
            may_alias=self.may("admin"),
            check_text=partial(refuse_own_code, allowed=self.own_code),
        )
        if not refusals:
            refusals = _unkept(asked)
        return asked, tuple(worded(one, self.render.t) for one in refusals)

    def refused(self, error: OnwardError, asked: Asked, values: Values) -> tuple[Worded, ...]:
        """Return an error of the services at its field."""
        chosen = values.get("market", ())
        begins = [one.first for one in market_lines(self.book.coverage(), chosen) if one.chosen]
        refusal = placed(told(self.render.request, error), asked, values, min(begins, default=None))
        return (worded(refusal, self.render.t),)


def form_desk(
    render: Render, state: State, config: Config, book: Book, registry: Registry, store: Store, runs: Runs
) -> _Desk:
    """Return what the form of this request is made of."""
    bases = bases_of(state.provider.services.settings.plan)
    return _Desk(render, bases, book, registry, store, runs, config.own_code)


async def form_check(
    desk: Desk, state: State, repositories: Repositories, training: Training
) -> Callable[[Values], CheckView]:
    """Return what checks the form, with the service behind `POST /api/v1/plans/validate`."""
    return partial(_checked, desk, state=state, repositories=repositories, training=training)


Desk = Annotated[_Desk, Depends(form_desk)]
Check = Annotated[Callable[[Values], CheckView], Depends(form_check)]


@router.get("/runs/new", dependencies=[requires("read")])
def new(
    desk: Desk,
    runs: Runs,
    store: Store,
    copy_of: Annotated[str, Query(max_length=100)] = "",
    job: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show the form, empty or as a copy of an earlier run or job."""
    if copy_of:
        record = runs.get(copy_of).record
        values = copied_values(desk.bases, record.plan, kind=record.kind, found=record.data)
    elif job:
        values = _of_job(desk, store.get(job).request)
    else:
        values = first_values(desk.bases, desk.book.coverage())
    values[REQUEST_KEY_FIELD] = (new_request_key(),)
    return desk.page(values)


@router.post("/ui/runs/new/check", dependencies=[requires("run", rate="read")])
async def check(desk: Desk, checked: Check, form: SafeForm, state: State) -> Response:
    """Check the form as it stands."""

    def look() -> Response:
        return desk.render.fragment("fragments/runs_new_check.html", check=checked(_values(form)))

    return await anyio.to_thread.run_sync(look, limiter=state.heavy)


@router.post("/runs/new", dependencies=[requires("run")])
async def start(desk: Desk, checked: Check, form: SafeForm, state: State, manager: Manager) -> Response:
    """Start the run, or say at its fields what is wrong with it.

    A form whose job was deleted since comes back with its settings, ready to start another one.
    """

    def submit() -> Response:
        values = _values(form)
        if form.get("do") == "check":  # without a script
            found = checked(values)
            return desk.page(values, errors=found.errors, check=found)
        asked, errors = desk.read(values)
        if errors:
            return desk.page(values, errors=errors, check=CheckView(asked, errors), status=422)
        actor = caller_of(desk.render.request).actor
        spec = {**_body(asked).spec(), "actor": actor}
        try:
            submission = manager.submit(asked.kind, spec, idempotency_key=_key(values, asked, actor))
        except StorageError:
            raise
        except OnwardError as error:
            errors = desk.refused(error, asked, values)
            return desk.page(values, errors=errors, check=CheckView(asked, errors), status=422)
        if is_gone(desk.store, submission):  # nobody starts by going back what he started long ago
            again = {**values, REQUEST_KEY_FIELD: (new_request_key(),)}
            return desk.page(again, gone=submission.job, status=409)
        return desk.render.redirect(f"/jobs/{submission.job.id}", toast="runs_new.toast.submitted")

    return await anyio.to_thread.run_sync(submit, limiter=state.heavy)


def _of_job(desk: _Desk, request: JobRequest) -> dict[str, tuple[str, ...]]:
    """Return the choices of an earlier job; one that knows no plan, such as an import, gives none."""
    plan = request.spec.get("plan")
    if not isinstance(plan, Mapping):
        return first_values(desk.bases, desk.book.coverage())
    return copied_values(
        desk.bases,
        plan,
        kind="tune" if request.kind == "tune" else "train",
        save=request.spec.get("save"),
        alias=request.spec.get("alias"),
        audit=request.spec.get("audit", True) is not False,
    )


def _values(form: FormData) -> dict[str, tuple[str, ...]]:
    """Return the texts of a form; a list of which nothing is chosen is empty, not absent."""
    values: dict[str, tuple[str, ...]] = {choice.name: () for choice in CHOICES if choice.many}
    for name, value in form.multi_items()[:MOST_VALUES]:
        if isinstance(value, str):
            values[name] = (*values.get(name, ()), value[:LONGEST_VALUE])
    return values


def _checked(desk: _Desk, values: Values, *, state: Any, repositories: Any, training: Any) -> CheckView:
    from onward.server.views.plans import plan_view

    asked, errors = desk.read(values)
    if errors:
        return CheckView(asked, errors)
    try:
        view = plan_view(
            _searched(asked, desk.bases),
            {"data": None, "series": {}},
            settings=state.provider.services.settings,
            repositories=repositories,
            training=training,
            columns=False,
        )
    except StorageError:
        raise
    except OnwardError as error:
        return CheckView(asked, desk.refused(error, asked, values))
    source: dict[str, Any] = {"data": None, "series": {}}
    same = {"plan": view["plan"], "plan_hash": view["plan_hash"], "audit": asked.audit, **source}
    before = earlier(desk.store, desk.runs, asked.kind, same)
    request = desk.render.request
    address = str(request.base_url).rstrip("/")
    needs_key = caller_of(request).kind != "local"
    return CheckView(
        asked, found=found_in(view, asked, before), snippets=snippets(asked, address, needs_key=needs_key)
    )


def _searched(asked: Asked, bases: Bases) -> dict[str, Any]:
    """Return the plan with the number of trials that a search would have."""
    from onward.training.optimization.requests import DEFAULT_TRIALS

    unsaid = asked.kind == "tune" and not bases[asked.preset]["optimization.trials"]
    return ({"optimization.trials": DEFAULT_TRIALS} if unsaid else {}) | asked.searched


def _body(asked: Asked) -> TrainingJob:
    return (TuningJob if asked.kind == "tune" else TrainingJob)(**asked.body)


def _unkept(asked: Asked) -> tuple[Refusal, ...]:
    """Return what the HTTP API would refuse of the request: text that nothing can keep, and the like."""
    try:
        _body(asked)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        return tuple(
            Refusal(
                str(one["loc"][0]) if one["loc"] else "",
                english=f"{one['msg']}.",
                error=ConfigError(one["msg"]),
            )
            for one in wrong
        )
    return ()


def _key(values: Values, asked: Asked, actor: str | None) -> str:
    """Return what makes the same form sent twice one job, and a changed form or another sender another."""
    (own, *_) = (*values.get(REQUEST_KEY_FIELD, ()), "")
    return idempotency_key("form", own, asked.kind, asked.body, actor)
