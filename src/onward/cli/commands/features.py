"""``onward features``: which features there are, and their values as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onward.cli.inventory import inventory, print_inventory
from onward.cli.jobs.requests import market_fields, plan_field
from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note
from onward.cli.session import Session, group, verb
from onward.cli.texts import require_output
from onward.errors import UserError

if TYPE_CHECKING:
    from onward.config import DataProcessingConfig
    from onward.data.repositories import DataStore
    from onward.wiring import Application

app = group("List the features there are, or compute them into a file.")

PlanArgument = Annotated[
    str | None,
    typer.Argument(metavar="PLAN", help="Plan file, or fast, default, financial; else the settings."),
]
PlanOption = Annotated[str | None, typer.Option("--plan", metavar="PLAN", help="The same as an option.")]


@verb(app, "list", remote=True)
def list_(
    session: Session,
    *,
    plan: PlanArgument = None,
    data: DataOption = None,
    series: SeriesOption = None,
    plan_option: PlanOption = None,
    columns: Annotated[bool, typer.Option("--columns", help="Name every column.")] = False,
) -> None:
    """List the features that a plan makes, before anything runs.

    Stages and families, on or off and why, with the bars each looks back on and an estimate of the
    seconds it takes; then the steps that are fitted in every fold. It is for the market that
    `onward train` would learn from: what --data and --series name, else what is stored at home, as the
    settings and the plan narrow it down. Where nothing is named and nothing is stored, it is for the
    bundled sample, one symbol without side series, and says so. Only the shape of the market counts:
    its symbols, timeframe, series and number of bars.
    """
    if session.server is not None:
        from onward.cli.remote.inventory import show_inventory

        asked = plan_field(session.application(_one_plan(plan, plan_option))) | market_fields(
            session, data, series
        )
        show_inventory(session, asked, columns=columns)
        return
    from onward.data.read import sample_market
    from onward.features.overview import overview
    from onward.training.stages import make_pipeline

    application = session.application(_one_plan(plan, plan_option))
    section = application.settings.data
    named = data is not None or bool(series) or _names_a_market(section)
    sample = not named and not application.repositories.timeframes()
    market = sample_market() if sample else load_market(_stored(application, data), section, data, series)
    pipeline = make_pipeline(application.resolved.plan, market)
    found = overview(pipeline, len(market))
    value = {"sample": sample, **inventory(found, market)}
    if columns:
        value["features"] = found.features

    def render() -> None:
        if sample:
            print_note("No market is named and none is stored: this list is for the bundled sample.")
        print_inventory(found, market, columns=columns)

    session.show(value, render)


@verb(app)
def build(
    session: Session,
    *,
    plan: PlanArgument = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Parquet file to write.")],
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    plan_option: PlanOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Compute the features of every bar into a file."""
    from onward.features.nan_counts import nan_ledger
    from onward.registry.files import atomic_file
    from onward.training.stages import make_pipeline

    require_output(out, force=force)
    if timerange is not None:
        session = session.also(f"data.timerange={timerange}")
    application = session.application(_one_plan(plan, plan_option))
    market = load_market(_stored(application, data), application.settings.data, data, series)
    pipeline = make_pipeline(application.resolved.plan, market, cache=application.feature_cache)
    with session.progress() as progress:
        matrix = pipeline.compute(market, progress)
    ledger = nan_ledger(matrix)
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(out) as draft:
        matrix.reset_index().to_parquet(draft, index=False, compression="zstd")
    never = ledger.loc[ledger["share"] == 1.0, "column"].tolist()
    value = {
        "written": out,
        "rows": len(matrix),
        "columns": matrix.shape[1],
        "nan_share": float(ledger["share"].mean()),
        "never_known": never,
    }

    def render() -> None:
        print_note(f"Wrote {len(matrix)} rows of {matrix.shape[1]} features to {out}")
        print_note(f"{value['nan_share']:.1%} of the cells are not known yet (NaN).")
        if never:
            print_note(f"Never known here: {', '.join(never)}")

    session.show(value, render)


def _one_plan(argument: str | None, option: str | None) -> str | None:
    if argument is not None and option is not None:
        raise UserError(
            "two plans are named",
            got=f"{argument} and --plan {option}",
            remedy="Name one, as PLAN or --plan.",
        )
    return option if argument is None else argument


def _stored(application: Application, path: Path | None) -> DataStore | None:
    return application.repositories if path is None else None


def _names_a_market(data: DataProcessingConfig) -> bool:
    """Whether the section ``[data]`` says which stored bars or series are meant."""
    return bool(data.symbols or data.timeframe or data.timerange or data.series)
