"""``onward train``: train on a market what a plan asks for, and judge it."""

from __future__ import annotations

from onward.cli.jobs.options import BackgroundOption
from onward.cli.jobs.requests import market_fields, training_fields
from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.session import Session, command, verb
from onward.cli.training import (
    AliasOption,
    AuditOption,
    PlanArgument,
    ReportOption,
    SaveOption,
    deliver,
    open_application,
)

app = command()


@verb(app, remote=True)
def train(
    session: Session,
    *,
    plan: PlanArgument = None,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    save: SaveOption = None,
    alias: AliasOption = None,
    report: ReportOption = None,
    audit: AuditOption = True,
    background: BackgroundOption = False,
) -> None:
    """Train, judge and audit a model.

    Says honestly whether there is any skill, in direction and in the range class.
    """
    application = open_application(
        session, plan, timerange, save=save, alias=alias, report=report, audit=audit, background=background
    )
    if background:
        from onward.cli.jobs.submitting import submit_in_background

        fields = training_fields(session, save=save, alias=alias, report=report, audit=audit)
        submit_in_background(
            session, application, "train", {**market_fields(session, data, series), **fields}
        )
        return
    resolved = application.settings.plan
    market = load_market(application.repositories, resolved.data, data, series)
    with session.progress() as progress:
        result = application.training.train(market, resolved, audit=audit, progress=progress)
    deliver(session, application, result, save=save, alias=alias, report=report, reason="trained")
