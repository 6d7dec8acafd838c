"""``onward tune``: search parameters, train with the best, and judge the whole procedure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.jobs.options import BackgroundOption
from onward.cli.jobs.requests import market_fields, training_fields
from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note, print_table
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
from onward.errors import UserError

if TYPE_CHECKING:
    from onward.training.optimization import SearchResult
    from onward.wiring import Application

app = command()

SHOWN = 5
"""Trials that the terminal shows; the report has all of them."""


@verb(app, remote=True)
def tune(
    session: Session,
    *,
    plan: PlanArgument = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", metavar="N", help="Trials of each search, else the plan's, else 40."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="S", help="Time that all searches share.")
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option("--resume", metavar="RUN", help="Go on with a run that was stopped, or join it."),
    ] = None,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    save: SaveOption = None,
    alias: AliasOption = None,
    report: ReportOption = None,
    audit: AuditOption = True,
    background: BackgroundOption = False,
) -> None:
    """Search parameters, nested, and train with the best.

    Every outer fold searches on its own training rows: the scores are those of the whole
    procedure. Trials are kept as they come; a run that was stopped goes on with --resume.
    """
    if background and resume is not None:
        raise UserError(
            "a run is resumed in the foreground",
            got=f"--resume {resume} with --background",
            remedy="Leave one of them out: a job that lost its worker goes on from its own trials.",
        )
    application = open_application(
        session, plan, timerange, save=save, alias=alias, report=report, audit=audit, background=background
    )
    if background:
        from onward.cli.jobs.submitting import submit_in_background

        asked = training_fields(session, save=save, alias=alias, report=report, audit=audit)
        asked |= {**market_fields(session, data, series), "trials": trials, "seconds": seconds}
        submit_in_background(session, application, "tune", asked)
        return
    from onward.training.optimization import with_search

    searched = with_search(application.settings.plan, trials=trials, seconds=seconds)
    market = load_market(application.repositories, searched.data, data, series)
    with session.progress() as progress, _saying_how_to_go_on(application, plan):
        result = application.training.tune(market, searched, resume=resume, audit=audit, progress=progress)
    assert result.search is not None
    search = result.search
    deliver(
        session,
        application,
        result,
        save=save,
        alias=alias,
        report=report,
        reason="tuned",
        first=lambda: _print_search(search),
        more={"search": search.to_dict()},
    )


def _print_search(search: SearchResult) -> None:
    """Write what was chosen, the best trials, and how inner and outer scores compare."""
    chosen = ", ".join(f"{path} = {_short(value)}" for path, value in search.chosen.items())
    print_note(f"Chosen: {chosen}")
    rows = [
        (t.number, t.state, f"{t.score:+.4f}", ", ".join(_short(v) for v in t.parameters.values()))
        for t in search.best(SHOWN)
    ]
    print_table(("trial", "", search.objective, ", ".join(str(p["path"]) for p in search.space)), rows)
    print_table(
        ("search", "trials", "best inner", "outer"),
        [
            (one.title, len(one.trials), f"{one.chosen.score:+.4f}", f"{one.outer_score:+.4f}")
            for one in search.folds
        ],
    )
    statistics = search.statistics
    if statistics is not None:
        print_note(
            f"Deflated Sharpe ratio {statistics.deflated_sharpe:.2f}, probability of backtest overfitting "
            f"{statistics.overfitting:.0%}, over {statistics.n_trials} complete trials."
        )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@contextlib.contextmanager
def _saying_how_to_go_on(application: Application, plan: str | None) -> Iterator[None]:
    """When the run is interrupted, say how its trials are put to use."""
    try:
        yield
    except KeyboardInterrupt:
        begun = application.runs.list(kind="tune", limit=1)
        if begun:
            named = f" {plan}" if plan else ""
            typer.echo(f"Go on with: onward tune{named} --resume {begun[0].id}", err=True)
        raise
