"""What jobs are asked to do, from the options of the verbs that do the same in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.cli.market import named_files
from onward.cli.texts import actor_name

if TYPE_CHECKING:
    from onward.cli.session import Session
    from onward.wiring import Application

__all__ = ["market_fields", "plan_field", "training_fields"]


def market_fields(session: Session, data: Path | None, series: list[str] | None) -> dict[str, Any]:
    """Return the fields that say where the bars are."""
    files = {name: session.named(Path(file)) for name, file in named_files(series or []).items()}
    return {"data": session.named(data), "series": files}


def plan_field(application: Application) -> dict[str, Any]:
    """Return the field that holds the plan: settings, plan file and ``--set`` as they were resolved here.

    Secrets are masked; whoever runs the job has his own. For a server only what was asked for: it
    has settings of its own.
    """
    return {"plan": application.settings.plan.model_dump(mode="json")}


def training_fields(
    session: Session, *, save: str | None, alias: str | None, report: Path | None, audit: bool
) -> dict[str, Any]:
    """Return the fields of trainings and searches that say what is done with the result."""
    # As in the foreground, a report is written where it was asked for, whatever was there.
    return {
        "save": save,
        "alias": alias,
        "actor": actor_name(),
        "report": session.named(report),
        "force": report is not None,
        "audit": audit,
    }
