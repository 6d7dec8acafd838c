"""``onward jobs submit KIND``: one verb a kind of job, with the options of the verb that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from onward.cli.jobs.options import Conditions, job_verb
from onward.cli.jobs.requests import market_fields, plan_field, training_fields
from onward.cli.market import DataOption, SeriesOption, TimerangeOption
from onward.cli.problems import print_problem
from onward.cli.session import Session
from onward.cli.training import AliasOption, AuditOption, PlanArgument, ReportOption, SaveOption
from onward.errors import JobError, nearest

__all__ = ["app"]

Asked = tuple[Session, str | None, Mapping[str, Any]]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="File to write, else one below outputs/ of the home."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


class KindGroup(TyperGroup):
    """Kinds of jobs; an unknown one is answered with the nearest."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb of a kind, or say which kinds there are."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.commands:
            guess = nearest(name, self.commands)
            root = ctx.find_root().obj
            print_problem(
                JobError(
                    "there is no such kind of job",
                    got=name,
                    allowed=", ".join(self.commands),
                    remedy=f"Did you mean {guess}?" if guess else "Name one of these.",
                ),
                as_json="--json" in args or (isinstance(root, Session) and root.as_json),
            )
            raise typer.Exit(JobError.exit_code)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=KindGroup,
    help="Submit a job; a worker or server runs it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


def _submit(
    session: Session, kind: str, plan: str | None, spec: Mapping[str, Any], conditions: Conditions
) -> None:
    from onward.cli.jobs.submitting import show_submission

    application = session.application(plan)
    if kind in PLANNED:
        spec = {**spec, **plan_field(application)}
    submission = application.job_desk.submit(kind, spec, **conditions.arguments())
    show_submission(session, application, submission)


PLANNED = frozenset({"train", "tune", "features", "audit"})
"""Kinds whose request holds a plan."""


@job_verb(app, "train", _submit)
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
) -> Asked:
    """Train, judge and audit a model, as a job.

    Everything that can be refused is refused now. Folds that are finished are kept: after a loss
    of the worker the next attempt goes on from them.
    """
    fields = training_fields(session, save=save, alias=alias, report=report, audit=audit)
    return _within(session, timerange), plan, {**market_fields(session, data, series), **fields}


@job_verb(app, "tune", _submit)
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
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    save: SaveOption = None,
    alias: AliasOption = None,
    report: ReportOption = None,
    audit: AuditOption = True,
) -> Asked:
    """Search parameters, nested, and train with the best, as a job.

    Trials that are finished are kept: after a loss of the worker the next attempt goes on from
    them.
    """
    fields = training_fields(session, save=save, alias=alias, report=report, audit=audit)
    asked = {**market_fields(session, data, series), **fields, "trials": trials, "seconds": seconds}
    return _within(session, timerange), plan, asked


@job_verb(app, "features", _submit)
def features(
    session: Session,
    *,
    plan: PlanArgument = None,
    out: OutOption = None,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    force: ForceOption = False,
) -> Asked:
    """Compute the features of every bar into a Parquet file, as a job."""
    asked = {**market_fields(session, data, series), "out": session.named(out), "force": force}
    return _within(session, timerange), plan, asked


@job_verb(app, "import", _submit)
def import_(
    session: Session,
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of candles or side series.")],
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="Symbol, where the file does not say it or holds several.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", help="Length of a bar, such as 1h.")] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="Name of the file format; recognised when left out.")
    ] = None,
) -> Asked:
    """Store files of market data, as a job: all of them or none."""
    named = [session.named(file) for file in files]
    return session, None, {"files": named, "symbol": symbol, "timeframe": timeframe, "format": format_}


@job_verb(app, "predict", _submit)
def predict(
    session: Session,
    *,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="models:/NAME@ALIAS, models:/NAME/NUMBER, NAME@ALIAS.")
    ],
    out: OutOption = None,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    force: ForceOption = False,
) -> Asked:
    """Predict many bars with a published model into a .csv or .parquet file, as a job.

    The version that MODEL stands for now is the one that predicts, whenever the job runs.
    """
    fields = {"model": model, "timerange": timerange, "out": session.named(out), "force": force}
    return session, None, {**market_fields(session, data, series), **fields}


@job_verb(app, "audit", _submit)
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
    plan: Annotated[str | None, typer.Option("--plan", help="Plan file or preset to read as well.")] = None,
    out: OutOption = None,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    force: ForceOption = False,
) -> Asked:
    """Look for ways to see the future, as a job; its report is a .json file.

    A leak that is found is a result: the job succeeds, and watching it ends with exit code 1.
    """
    asked = {
        **market_fields(session, data, series),
        "target": target,
        "out": session.named(out),
        "force": force,
    }
    return _within(session, timerange), plan, asked


def _within(session: Session, timerange: str | None) -> Session:
    return session if timerange is None else session.also(f"data.timerange={timerange}")
