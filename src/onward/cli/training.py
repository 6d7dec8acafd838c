"""What ``onward train`` and ``onward tune`` share: their options, and what is done with a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.output import print_note
from onward.cli.reports import keep_report
from onward.cli.session import Session
from onward.cli.texts import actor_name, require_output
from onward.cli.verdict import print_training, training_value
from onward.errors import UserError
from onward.naming.names import check_alias, check_name

if TYPE_CHECKING:
    from onward.training.result import TrainingResult
    from onward.wiring import Application

__all__ = [
    "AliasOption",
    "AuditOption",
    "PlanArgument",
    "ReportOption",
    "SaveOption",
    "deliver",
    "open_application",
]

PlanArgument = Annotated[
    str | None,
    typer.Argument(metavar="PLAN", help="Plan file, or fast, default, financial; else the settings."),
]
SaveOption = Annotated[
    str | None, typer.Option("--save", metavar="NAME", help="Publish the model under this name.")
]
AliasOption = Annotated[
    str | None, typer.Option("--alias", help="Alias for the published version, if its audit passed.")
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the HTML report here as well.")
]
AuditOption = Annotated[
    bool, typer.Option("--audit/--no-audit", help="Look for leaks; without it the model gets no alias.")
]


def open_application(
    session: Session,
    plan: str | None,
    timerange: str | None,
    *,
    save: str | None,
    alias: str | None,
    report: Path | None,
    audit: bool,
    background: bool = False,
) -> Application:
    """Return the services for a training, once what was asked for makes sense.

    Raises
    ------
    UserError
        When there is an alias for a model that is not to be published or gets none, a report that
        cannot be written, or a server that nothing is to be left to.
    RegistryError
        When no model or alias can have the name that was asked for.
    """
    if session.server is not None and not background:
        raise UserError(
            "a server trains in the background",
            got=f"--server {session.server} without --background",
            remedy="Add --background, then watch it: onward --server URL jobs watch ID",
        )
    if alias is not None and save is None:
        raise UserError(
            "only a published model can have an alias",
            got=f"--alias {alias}",
            allowed="--alias together with --save",
            remedy="Add --save NAME.",
        )
    if alias is not None and not audit:
        raise UserError(
            "only a model that passed its leak audit can have an alias",
            got=f"--alias {alias} with --no-audit",
            remedy="Leave one of them out.",
        )
    if save is not None:  # the registry's own rule, but before hours of work and not after them
        check_name(save)
    if alias is not None:
        check_alias(alias)
    if not background:  # else it is for who runs the job
        require_output(report, force=True)
    if timerange is not None:
        session = session.also(f"data.timerange={timerange}")
    return session.application(plan)


def deliver(
    session: Session,
    application: Application,
    result: TrainingResult,
    *,
    save: str | None,
    alias: str | None,
    report: Path | None,
    reason: str,
    first: Callable[[], None] | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Keep the report, publish the model if asked to, and show what came of it.

    Parameters
    ----------
    session, application
        The call and its services.
    result
        The finished training.
    save, alias, report
        What the options said.
    reason
        Why an alias is set, for its history.
    first
        Writes what people see before the verdict.
    more
        Further values for JSON.
    """
    version = None if save is None else result.save(save)
    if version is not None and alias is not None:
        application.registry.set_alias(version.name, alias, version.number, actor_name(), reason)
    written = keep_report(application, result, report)  # last: a full disk takes no model away

    def render() -> None:
        if first is not None:
            first()
        print_training(result)
        if version is not None:
            print_note(f"Published as {version.ref}" + (f", {version.name}@{alias}" if alias else ""))
        if written is not None:
            print_note(f"Report: {written}")

    value = {**training_value(result), **(more or {})}
    session.show({**value, "model": None if version is None else version.ref, "report": written}, render)
