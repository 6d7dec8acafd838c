"""``onward audit``: prove on data that nothing sees the future, your own code included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note
from onward.cli.session import Session, command, verb

if TYPE_CHECKING:
    from onward.audit import AuditReport
    from onward.protocols import CausalStage
    from onward.types import Market

app = command()


@verb(app)
def audit(
    session: Session,
    *,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="STAGE",
            help="module:name of your own stage or function, or manual, alpha158; if left out, the plan's "
            "features and its whole learning path.",
        ),
    ] = None,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    plan: Annotated[str | None, typer.Option("--plan", help="Plan file or preset to read as well.")] = None,
) -> None:
    """Look for ways to see the future.

    In a stage, your own included, or in everything that a plan does. Names the column, the row and
    the first differing value. Ends with exit code 1 when it finds a leak. A few thousand bars are
    enough.
    """
    if timerange is not None:
        session = session.also(f"data.timerange={timerange}")
    application = session.application(plan)
    stage = _own_stage(target)  # before the bars are read: a slip in its name costs no time
    market = load_market(
        application.repositories if data is None else None, application.settings.data, data, series
    )
    if target is None:
        report = _plan_report(session, plan, market)
    else:
        report = _stage_report(session, stage or _catalogue_stage(session, plan, target, market), market)
    session.show(report.to_dict(), lambda: print_note(str(report)))
    if not report.passed:
        raise typer.Exit(1)


def _own_stage(target: str | None) -> CausalStage | None:
    """Load user code, which belongs to a module; a bare word is a stage of the catalogue."""
    from onward.audit import load_stage

    return load_stage(target) if target and ":" in target else None


def _catalogue_stage(session: Session, plan: str | None, target: str, market: Market) -> CausalStage:
    from onward.training.assembly import make_pipeline

    resolved = session.settings(plan).plan.with_overrides({"features.stages": [target]})
    stage: CausalStage = make_pipeline(resolved, market).causal[0]
    return stage


def _stage_report(session: Session, stage: CausalStage, market: Market) -> AuditReport:
    from onward.audit import audit_stage

    with session.progress() as progress:
        return audit_stage(stage, market, progress=progress)


def _plan_report(session: Session, plan: str | None, market: Market) -> AuditReport:
    from onward.api import audit as audit_plan

    resolved = session.settings(plan).plan
    with session.progress() as progress:
        return audit_plan(resolved, market, progress=progress)
