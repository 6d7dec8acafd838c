"""``onward train``: train on a market what a plan asks for, and judge it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note
from onward.cli.reports import keep_report
from onward.cli.session import Session, command, verb
from onward.cli.texts import actor_name
from onward.cli.verdict import print_training, training_value

app = command()


@verb(app)
def train(
    session: Session,
    *,
    plan: Annotated[
        str | None,
        typer.Argument(metavar="PLAN", help="Plan file, or fast, default, financial; else the settings."),
    ] = None,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    save: Annotated[
        str | None, typer.Option("--save", metavar="NAME", help="Publish the model under this name.")
    ] = None,
    alias: Annotated[
        str | None, typer.Option("--alias", help="Alias for the published version, if its audit passed.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write the HTML report here as well."),
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit/--no-audit", help="Look for leaks; without it the model gets no alias.")
    ] = True,
) -> None:
    """Train, judge and audit a model.

    Says honestly whether there is any skill, in direction and in the range class.
    """
    from onward.errors import UserError

    if alias is not None and save is None:
        raise UserError(
            "only a published model can have an alias", got=f"--alias {alias}", remedy="Add --save NAME."
        )
    if timerange is not None:
        session = session.also(f"data.timerange={timerange}")
    application = session.application(plan)
    resolved = application.settings.plan
    market = load_market(application.repositories, resolved.data, data, series)
    with session.progress() as progress:
        result = application.training.train(market, resolved, audit=audit, progress=progress)
    written = keep_report(application, result, report)
    version = None if save is None else result.save(save)
    if version is not None and alias is not None:
        application.registry.set_alias(version.name, alias, version.number, actor_name(), "trained")

    def render() -> None:
        print_training(result)
        if version is not None:
            print_note(f"Published as {version.ref}" + (f", {version.name}@{alias}" if alias else ""))
        if written is not None:
            print_note(f"Report: {written}")

    value = training_value(result)
    session.show({**value, "model": None if version is None else version.ref, "report": written}, render)
