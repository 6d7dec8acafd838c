"""``onward features``: which features there are, and their values as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onward.cli.inventory import inventory, print_inventory
from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note
from onward.cli.session import Session, group, verb
from onward.cli.texts import refuse_existing

if TYPE_CHECKING:
    from onward.config import DataProcessingConfig
    from onward.data.repositories import DataStore
    from onward.wiring import Application

app = group("List the features there are, or compute them into a file.")

PlanOption = Annotated[str | None, typer.Option("--plan", help="Plan file or preset to read as well.")]


@verb(app, "list")
def list_(
    session: Session,
    *,
    data: DataOption = None,
    series: SeriesOption = None,
    plan: PlanOption = None,
    columns: Annotated[bool, typer.Option("--columns", help="Name every column.")] = False,
) -> None:
    """List the features that a plan makes, before anything runs.

    Stages and families, on or off and why, with the bars each looks back on and an estimate of the
    seconds it takes; then the steps that are fitted in every fold. It is for the market that --data,
    --series or the settings and the plan name; where they name none, for a plain market of one symbol
    without side series (the bundled sample). Only the shape of the market counts: its symbols,
    timeframe, series and number of bars.
    """
    from onward.data.read import sample_market
    from onward.features.overview import overview
    from onward.training.stages import make_pipeline

    application = session.application(plan)
    settings = application.settings
    named = data is not None or bool(series) or _names_a_market(settings.data)
    market = (
        load_market(_stored(application, data), settings.data, data, series) if named else sample_market()
    )
    pipeline = make_pipeline(application.resolved.plan, market)
    found = overview(pipeline, len(market))
    value = inventory(found, market)
    if columns:
        value["features"] = found.features

    def render() -> None:
        print_inventory(found, market, columns=columns)

    session.show(value, render)


@verb(app)
def build(
    session: Session,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Parquet file to write.")],
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    plan: PlanOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Compute the features of every bar into a file."""
    from onward.features.nan_counts import nan_ledger
    from onward.registry.files import atomic_file
    from onward.training.stages import make_pipeline

    refuse_existing(out, force=force)
    if timerange is not None:
        session = session.also(f"data.timerange={timerange}")
    application = session.application(plan)
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


def _stored(application: Application, path: Path | None) -> DataStore | None:
    return application.repositories if path is None else None


def _names_a_market(data: DataProcessingConfig) -> bool:
    """Whether the section ``[data]`` says which stored bars or series are meant."""
    return bool(data.symbols or data.timeframe or data.timerange or data.series)
