"""``onward features``: which features there are, and their values as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note, print_table
from onward.cli.session import Session, group, verb
from onward.cli.texts import refuse_existing

if TYPE_CHECKING:
    from onward.config import DataProcessingConfig
    from onward.types import Market

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
    """List stages and families of features.

    On or off and why, how many columns, how much history, for the market that --data, --series or
    the settings and the plan name; where they name none, for a plain market of one symbol without
    side series (the bundled sample). Families whose series are missing are off and say so.
    """
    from onward.data.read import sample_market
    from onward.training.assembly import make_pipeline

    settings = session.settings(plan)
    resolved = settings.plan
    named = data is not None or bool(series) or _names_a_market(settings.settings.data)
    market = _market(session, plan, data, series) if named else sample_market()
    pipeline = make_pipeline(resolved, market)
    rows = [row for stage in pipeline.causal for row in _rows(stage)]

    def render() -> None:
        print_table(
            ("stage", "family", "state", "columns"),
            [
                (r["stage"], r["family"], (r["off"] and f"off: {r['off']}") or "on", len(r["columns"]))
                for r in rows
            ],
        )
        if columns:
            for row in rows:
                for column in row["columns"]:
                    print_note(column)
        print_note(f"{len(pipeline.columns())} columns; {pipeline.lookback} bars of history a row.")

    session.show({"lookback_bars": pipeline.lookback, "families": rows}, render)


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
    from onward.features import FeatureCache, nan_ledger
    from onward.registry.files import atomic_file
    from onward.training.assembly import make_pipeline

    refuse_existing(out, force=force)
    if timerange is not None:
        session = session.also(f"data.timerange={timerange}")
    settings = session.settings(plan)
    market = _market(session, plan, data, series)
    pipeline = make_pipeline(settings.plan, market, cache=FeatureCache(settings.home.cache_features))
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


def _market(session: Session, plan: str | None, path: Path | None, series: list[str] | None) -> Market:
    settings = session.settings(plan)
    repositories = session.application(plan).repositories if path is None else None
    return load_market(repositories, settings.settings.data, path, series)


def _names_a_market(data: DataProcessingConfig) -> bool:
    """Whether the section ``[data]`` says which stored bars or series are meant."""
    return bool(data.symbols or data.timeframe or data.timerange or data.series)


def _rows(stage: Any) -> list[dict[str, Any]]:
    by_family = getattr(stage, "columns_by_family", None)
    if by_family is None:
        return [{"stage": stage.name, "family": "", "off": "", "columns": list(stage.columns())}]
    on = [
        {"stage": stage.name, "family": name, "off": "", "columns": list(columns)}
        for name, columns in by_family().items()
    ]
    off = [
        {"stage": stage.name, "family": name, "off": reason, "columns": []}
        for name, reason in stage.disabled.items()
    ]
    return on + off
