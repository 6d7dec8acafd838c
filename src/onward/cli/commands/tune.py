"""``onward tune``: search parameters, train with the best, and judge the whole procedure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note, print_table
from onward.cli.reports import keep_report
from onward.cli.session import Session, command, verb
from onward.cli.texts import actor_name
from onward.cli.verdict import print_training, training_value

if TYPE_CHECKING:
    from onward.training.optimization import SearchResult
    from onward.wiring import Application

app = command()

SHOWN = 5
"""Trials that the terminal shows; the report has all of them."""


@verb(app)
def tune(
    session: Session,
    *,
    plan: Annotated[
        str | None,
        typer.Argument(metavar="PLAN", help="Plan file, or fast, default, financial; else the settings."),
    ] = None,
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
    """Search parameters, nested, and train with the best.

    Every outer fold searches on its own training rows: the scores are those of the whole
    procedure. Trials are kept as they come; a run that was stopped goes on with --resume.
    """
    from onward.errors import UserError
    from onward.training.optimization import with_search

    if alias is not None and save is None:
        raise UserError(
            "only a published model can have an alias", got=f"--alias {alias}", remedy="Add --save NAME."
        )
    if timerange is not None:
        session = session.also(f"data.timerange={timerange}")
    application = session.application(plan)
    searched = with_search(application.settings.plan, trials=trials, seconds=seconds)
    market = load_market(application.repositories, searched.data, data, series)
    with session.progress() as progress, _saying_how_to_go_on(application, plan):
        result = application.training.tune(market, searched, resume=resume, audit=audit, progress=progress)
    written = keep_report(application, result, report)
    version = None if save is None else result.save(save)
    if version is not None and alias is not None:
        application.registry.set_alias(version.name, alias, version.number, actor_name(), "tuned")
    assert result.search is not None
    search = result.search

    def render() -> None:
        _print_search(search)
        print_training(result)
        if version is not None:
            print_note(f"Published as {version.ref}" + (f", {version.name}@{alias}" if alias else ""))
        if written is not None:
            print_note(f"Report: {written}")

    value = training_value(result)
    value |= {"search": search.to_dict(), "model": None if version is None else version.ref}
    session.show({**value, "report": written}, render)


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
