"""Models: what is in use, what was in use when, and what may be: promote, roll back, delete."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from onward.dashboard.forms import SafeForm
from onward.dashboard.i18n.said import Said
from onward.dashboard.model_actions import Ask, Refusal, carry_out, look
from onward.dashboard.navigation import Page
from onward.dashboard.rendering import Render
from onward.dashboard.reports import KeptReport
from onward.dashboard.services import Book, Reports, Runs
from onward.dashboard.views.models import matching, model_line, model_view, number_shown, version_view
from onward.errors import RegistryNotFoundError
from onward.server.authorisation import requires
from onward.server.dependencies import Caller, Registry, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onward.dashboard.reports import ReportBook
    from onward.registry import ModelRegistry, RunStore, Version

__all__ = ["PAGE", "router"]

PAGE = Page(
    "models",
    "/models",
    "models",
    shots=(("models", "/models"), ("model", "/models/{model}"), ("version", "/models/{leaky_model}/1")),
)
PER_PAGE = 50
MOST_VERSIONS = 100
MOST_EVENTS = 100

router = APIRouter()

Name = Annotated[str, Path(max_length=200)]
Number = Annotated[str, Path(max_length=20)]


@router.get("/models", dependencies=[requires("read")])
def models(
    render: Render,
    registry: Registry,
    book: Book,
    state: State,
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """List models, those in use first."""
    summaries = registry.list_models()
    found = matching(summaries, q)
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    reach = {(one.symbol, one.timeframe): one for one in book.coverage() if one.kind == "candles"}
    lines, now = [], datetime.now(UTC)
    most_missed = state.provider.services.settings.prediction.max_staleness_bars
    for summary in shown:
        try:
            version = registry.resolve(f"models:/{summary.name}/{number_shown(summary)}")
        except RegistryNotFoundError:
            continue  # deleted since the list was made
        lines.append(model_line(summary, version, reach, now, most_missed))
    return render.page(
        "models",
        lines=lines,
        asked=q,
        page_number=page,
        n_pages=-(-len(found) // PER_PAGE),
        n_found=len(found),
        n_models=len(summaries),
    )


@router.get("/models/{name}", dependencies=[requires("read")])
def model(name: Name, render: Render, registry: Registry) -> Response:
    """Show a model: its versions, its aliases, and who changed what when."""
    versions, events = registry.list_versions(name), registry.alias_history(name)
    view = model_view(name, versions, events, most=MOST_VERSIONS, most_events=MOST_EVENTS)
    return render.page("models", template="model", view=view)


@router.get("/models/{name}/{number}", dependencies=[requires("read")])
def version(
    name: Name, number: Number, render: Render, registry: Registry, runs: Runs, book: Reports
) -> Response:
    """Show a version: card, verdicts, scores, certificate, importance, files."""
    found = registry.resolve(f"models:/{name}/{number}")
    view = version_view(found, _report(found, registry, runs, book))
    return render.page("models", template="version", view=view, say=Said(render.t))


@router.get("/ui/models/ask/{action}", dependencies=[requires("admin")])
def ask(
    action: Annotated[str, Path(pattern="^(promote|rollback|unset|delete)$")],
    render: Render,
    registry: Registry,
    name: Annotated[str, Query(max_length=200)],
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    alias: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Ask whether somebody means it, and say what it would change."""
    question = look(registry, Ask.of(action, name=name, version=version, alias=alias))
    return render.fragment("fragments/models_ask.html", ask=question, refusal=None)


@router.post("/ui/models/{action}", dependencies=[requires("admin")])
def act(
    action: Annotated[str, Path(pattern="^(promote|rollback|unset|delete)$")],
    render: Render,
    form: SafeForm,
    registry: Registry,
    caller: Caller,
) -> Response:
    """Change what an alias stands for, or delete a version; say in words why not."""
    wanted = Ask.from_form(action, {key: str(value) for key, value in form.items()})
    answer = carry_out(registry, wanted, actor=caller.actor)
    if isinstance(answer, Refusal):
        question = look(registry, wanted)
        return render.fragment(
            "fragments/models_ask.html", status=answer.status, ask=question, refusal=answer
        )
    return render.redirect(answer.path, toast=answer.toast)


def _report(
    version: Version, registry: ModelRegistry, runs: RunStore, book: ReportBook
) -> Mapping[str, Any] | None:
    if version.manifest.run_id is None:
        return None
    try:
        kept = book.look(runs.get(version.manifest.run_id), registry)
    except RegistryNotFoundError:
        return None  # published here, trained elsewhere
    return kept.page if isinstance(kept, KeptReport) else None
