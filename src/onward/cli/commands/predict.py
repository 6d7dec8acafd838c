"""``onward predict``: what a published model says about the newest bars, or about all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.market import DataOption, SeriesOption, TimerangeOption, load_market
from onward.cli.output import print_note, print_table
from onward.cli.session import Session, command, verb
from onward.cli.texts import moment_of, require_output
from onward.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

app = command()

SUFFIXES = (".csv", ".parquet")


@verb(app, remote=True)
def predict(
    session: Session,
    *,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="models:/NAME@ALIAS, models:/NAME/NUMBER, NAME@ALIAS.")
    ],
    latest: Annotated[bool, typer.Option("--latest", help="Only the newest bar of each symbol.")] = False,
    data: DataOption = None,
    series: SeriesOption = None,
    timerange: TimerangeOption = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Predict as of this moment (ISO 8601, UTC), not now."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write every row to a .csv or .parquet file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Predict with a published model.

    With --latest only the bars that the features need are read, and stale data are refused; else
    stored bars that are stale are told. With --timerange the bars before it are read as history,
    not predicted.
    """
    if at is not None and not latest:
        raise UserError(
            "--at belongs to --latest", got=f"--at {at}", remedy="Add --latest, or use --timerange."
        )
    require_output(out, force=force, suffixes=SUFFIXES)
    if session.server is not None:
        from onward.cli.remote.predicting import predicted_there

        frame, ref, warnings = predicted_there(
            session, model, latest=latest, data=data, series=series, timerange=timerange, at=at
        )
    else:
        frame, ref, warnings = _predicted_here(
            session, model, latest=latest, data=data, series=series, timerange=timerange, at=at
        )
    for warning in warnings:
        typer.echo(f"Warning: {warning}", err=True)
    written = None if out is None else _write(frame, out)
    _show(session, frame, ref, written)


def _predicted_here(
    session: Session,
    model: str,
    *,
    latest: bool,
    data: Path | None,
    series: list[str] | None,
    timerange: str | None,
    at: str | None,
) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    import pandas as pd

    from onward.prediction.freshness import batch_moment

    application = session.application()
    asked = application.prediction.load(model)
    manifest = asked.version.manifest
    chosen: dict[str, Any] = {
        "timeframe": manifest.timeframe,
        "series": manifest.features.series,
    }
    reach = timerange or application.settings.data.timerange
    start, chosen["timerange"] = _bounds(reach)
    if data is None:
        chosen["symbols"] = application.settings.data.symbols or manifest.symbols
    wanted = application.settings.data.model_copy(update=chosen)
    market = load_market(application.repositories if data is None else None, wanted, data, series)
    now = pd.Timestamp.now(tz="UTC")
    if latest:
        moment = now if at is None else _moment(at)
        prediction = application.prediction.latest(model, market.known_at(moment), now=moment)
        frame, warnings = prediction.frame, prediction.warnings
    else:
        # As the API has it: bars of a file are about their own time, whenever that was.
        told = None if data is not None else batch_moment(reach, now)
        allowed = application.settings.prediction.max_staleness_bars
        warnings = tuple(asked.cautions(market, start, now=told, max_staleness_bars=allowed))
        frame = asked.predict(market, start=start)
    return frame, asked.version.ref, warnings


def _show(session: Session, frame: pd.DataFrame, ref: str, written: Path | None) -> None:
    if written is not None:
        value = {"model": ref, "written": written, "rows": len(frame)}
        session.show(value, lambda: print_note(f"Wrote {len(frame)} predictions of {ref} to {written}"))
        return
    rows = frame.reset_index()
    columns = ["symbol", "open_time", "decision_time", "down", "range", "up", "signal"]

    def render() -> None:
        words = {-1: "down", 0: "range", 1: "up"}
        shown = rows.tail(20)
        print_note(ref)
        print_table(
            columns,
            [
                (*line[:3], *(f"{p:.3f}" for p in line[3:6]), words[int(line[6])])
                for line in shown[columns].itertuples(index=False)
            ],
        )
        if len(shown) < len(rows):
            print_note(f"The newest {len(shown)} of {len(rows)} rows; --out FILE writes all of them.")

    session.show({"model": ref, "predictions": rows[columns].to_dict("records")}, render)


def _bounds(timerange: str | None) -> tuple[pd.Timestamp | None, str | None]:
    """Return the start of a time range, and the range without it: earlier bars are history."""
    from onward.data.timeframe import parse_timerange

    start = parse_timerange(timerange)[0]
    end = (timerange or "").partition("-")[2]
    return start, f"-{end}" if end else None


def _moment(text: str) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(moment_of(text)).as_unit("ns")


def _write(frame: pd.DataFrame, out: Path) -> Path:
    from onward.registry.files import atomic_file

    rows = frame.reset_index()
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(out) as draft:
        if out.suffix.lower() == ".csv":
            rows.to_csv(draft, index=False)
        else:
            rows.to_parquet(draft, index=False, compression="zstd")
    return out
