"""``onward data``: bring market data in, see what is there, remove it, check it, write it elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onward.cli.market import TimerangeOption
from onward.cli.output import print_note, print_table
from onward.cli.problems import print_problem
from onward.cli.questions import confirm
from onward.cli.session import Session, group, verb
from onward.cli.texts import require_output
from onward.errors import OnwardError, UserError

if TYPE_CHECKING:
    from onward.data.importers import ImportResult
    from onward.data.quality import QualityReport

app = group("Import, list, remove, check and convert market data.")

SymbolOption = Annotated[
    str | None, typer.Option("--symbol", help="Symbol, where the file does not say it or holds several.")
]
TimeframeOption = Annotated[str | None, typer.Option("--timeframe", help="Length of a bar, such as 1h.")]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="Name of the file format; recognised when left out.")
]


@verb(app, "import", remote=True)
def import_(
    session: Session,
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of candles or side series.")],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = None,
    format_: FormatOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and say what would be stored; store nothing.")
    ] = False,
) -> None:
    """Store files of market data; twice is once.

    Candles, funding, open interest, fear & greed. Each file is stored whole or not at all;
    importing it again changes nothing. What was recognised and repaired is said for each. Of several
    files those that can be are stored, and the end says which were not, with exit code 2. With
    --dry-run whatever the import would be refused for is refused, and nothing is stored.
    """
    from onward.types import ProgressEvent

    bring = _bringing(session, symbol=symbol, timeframe=timeframe, format_=format_, dry_run=dry_run)
    values: list[dict[str, Any]] = []
    refused: list[tuple[str, UserError]] = []
    with session.progress() as progress:
        for number, file in enumerate(files):
            progress(ProgressEvent("import", number, len(files), file.name))
            try:
                with _said_of(file, among=len(files)):
                    told = bring(file)
            except UserError as error:
                if len(files) == 1:
                    raise
                refused.append((file.name, error))
                if not session.as_json:
                    print_problem(error, as_json=False)
                continue
            told["strays"] = [{**one, "symbol": symbol or one["symbol"]} for one in told["strays"]]
            if dry_run:
                told |= {"dry_run": True, "symbols": told["symbols"] if symbol is None else [symbol]}
            if not session.as_json:
                _print_import(file, told, timeframe)
            values.append({name: value for name, value in told.items() if name != "recognised"})
        progress(ProgressEvent("import", len(files), len(files)))
    session.show(values, lambda: None)
    if refused:
        raise _not_all(refused, [Path(one["file"]).name for one in values], dry_run=dry_run)


@verb(app, "list", remote=True)
def list_(session: Session) -> None:
    """List what is stored: kind, symbol, timeframe, reach, rows, gaps."""
    rows = session.application().repositories.coverage()

    def render() -> None:
        print_table(
            ("kind", "symbol", "timeframe", "first", "last", "rows", "gaps", "missing"),
            [
                (c.kind, c.symbol or "(every)", c.timeframe, c.first, c.last, c.rows, c.gaps, c.missing)
                for c in rows
            ],
            empty="Nothing is stored yet. Bring something in: onward data import FILE",
        )

    session.show([row.to_dict() for row in rows], render)


@verb(app, remote=True)
def remove(
    session: Session,
    *,
    symbols: Annotated[
        list[str],
        typer.Argument(
            metavar="SYMBOL...", help="As `onward data list` shows them; - for what is for every symbol."
        ),
    ],
    kind: Annotated[
        str, typer.Option("--kind", help="candles, funding, open_interest or fear_greed.")
    ] = "candles",
    timeframe: Annotated[
        str | None,
        typer.Option("--timeframe", help="Of candles, where the symbol has them in several."),
    ] = None,
    timerange: Annotated[
        str | None,
        typer.Option(
            "--timerange",
            metavar="RANGE",
            help="Only these rows, such as 20200101-20251231; UTC, end excluded.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove stored series, or a time range of them.

    Says first which rows go, which stay, and which models were trained on the market. Gone is gone;
    importing the file again brings its rows back.
    """
    from onward.cli.removing import EVERY, removal_lines, removed_line

    remover = session.application().remover
    part = {"timeframe": timeframe, "timerange": timerange}
    names = ["" if symbol == EVERY else symbol for symbol in dict.fromkeys(symbols)]
    looks = [(name, remover.look(kind, name, **part).to_dict()) for name in names]
    if not session.as_json:
        for _, told in looks:
            for line in removal_lines(told):
                typer.echo(line, err=not dry_run)
    if dry_run:
        session.show([{**told, "dry_run": True} for _, told in looks], lambda: None)
        return
    if not yes:
        confirm("Remove it?" if len(looks) == 1 else "Remove them?", as_json=session.as_json)
    gone = []
    for name, told in looks:
        gone.append(remover.remove(kind, name, seen=told["state"], **part).to_dict())
        if not session.as_json:
            print_note(removed_line(gone[-1]))
    session.show(gone, lambda: None)


@verb(app)
def check(
    session: Session,
    *,
    path: Annotated[
        Path | None,
        typer.Argument(help="File of candles or directory of a store; else what is stored at home."),
    ] = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = None,
    format_: FormatOption = None,
) -> None:
    """Look for gaps, impossible prices and outliers.

    Also for duplicates, zero volume and NaN, in bars and side series. Ends with exit code 1 when a
    rule of the price model is broken.
    """
    from onward.data.quality import check_path
    from onward.data.quality.report import quality_value

    if path is None:
        reports = _check_stored(session, symbol, timeframe)
    else:
        reports = {"": check_path(path, timeframe=timeframe, symbol=symbol, format=format_)}
    passed = all(report.passed for report in reports.values())

    def render() -> None:
        for length, report in reports.items():
            if len(reports) > 1:
                print_note(f"{length} bars")
            _print_quality(report)
        print_note("Passed." if passed else "Failed: a rule of the price model is broken.")

    session.show(quality_value(reports), render)
    if not passed:
        raise typer.Exit(1)


@verb(app)
def convert(
    session: Session,
    *,
    source: Annotated[Path, typer.Argument(help="File of candles, or directory of a store.")],
    target: Annotated[Path, typer.Argument(help="File to write: .csv, .parquet or .feather.")],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = None,
    format_: FormatOption = None,
    timerange: TimerangeOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write candles as an ordinary file, whole or not at all."""
    from onward.data.convert import FORMATS, write_market
    from onward.data.read import read_market

    require_output(target, force=force, suffixes=FORMATS)
    market = read_market(source, timeframe=timeframe, symbol=symbol, format=format_, timerange=timerange)
    written = write_market(market, target, overwrite=force)
    value = {"written": written, "symbols": market.symbols, "rows": len(market)}
    session.show(
        value, lambda: print_note(f"Wrote {len(market)} bars of {', '.join(market.symbols)} to {written}")
    )


def _check_stored(session: Session, symbol: str | None, timeframe: str | None) -> dict[str, QualityReport]:
    """Check what is stored at home, one report a timeframe: bars of two lengths are no one market."""
    from onward.cli.market import load_market
    from onward.data.quality import check as check_market

    application = session.application()
    store = application.repositories
    chosen = {"symbols": None if symbol is None else (symbol,), "timeframe": timeframe}
    wanted = application.settings.data.model_copy(update={k: v for k, v in chosen.items() if v is not None})
    lengths: list[str | None]
    if wanted.timeframe is not None:
        lengths = [wanted.timeframe]
    else:
        lengths = [
            length
            for length in store.timeframes()
            if wanted.symbols is None or set(wanted.symbols) <= set(store.candles(length).symbols())
        ]
    return {
        str(length): check_market(load_market(store, wanted.model_copy(update={"timeframe": length})))
        for length in lengths or [None]  # None: the store itself says what it misses
    }


def _not_all(refused: list[tuple[str, UserError]], good: list[str], *, dry_run: bool) -> UserError:
    """Return what is said at the end of an import of several files, some of which were refused."""
    stored = (
        f"Stored {'would be' if dry_run else 'are'}: {', '.join(good)}." if good else "Nothing was stored."
    )
    return UserError(
        f"{len(refused)} of {len(refused) + len(good)} files were refused",
        got="; ".join(
            error.what if name in error.what else f"{name}: {error.what}" for name, error in refused
        ),
        remedy=f"{stored} Mend the others and import them again.",
    )


@contextmanager
def _said_of(file: Path, *, among: int) -> Iterator[None]:
    """Let an error name the file that it is about, where several were given."""
    try:
        yield
    except OnwardError as error:
        if among == 1 or file.name in f"{error.what} {error.got}":
            raise
        raise type(error)(
            f"{file.name}: {error.what}", got=error.got, allowed=error.allowed, remedy=error.remedy
        ) from error


def _bringing(
    session: Session, *, symbol: str | None, timeframe: str | None, format_: str | None, dry_run: bool
) -> Callable[[Path], dict[str, Any]]:
    """Return what brings a file in, here or on a server, and says what it held and what was stored."""
    if session.server is not None:
        from onward.cli.remote.data import sent

        client = session.client
        return lambda file: sent(
            client, file, symbol=symbol, timeframe=timeframe, format_=format_, dry_run=dry_run
        )
    from onward.data.importers import read
    from onward.data.importers.telling import import_value

    store = None if dry_run else session.application().repositories

    def bring(file: Path) -> dict[str, Any]:
        result = read(file, format_)
        if store is not None:
            return import_value(str(file), result, store.save(result, symbol=symbol, timeframe=timeframe))
        _try_out(result, symbol=symbol, timeframe=timeframe)
        return import_value(str(file), result)

    return bring


def _try_out(result: ImportResult, *, symbol: str | None, timeframe: str | None) -> None:
    """Store an import where it is thrown away: whatever it would be refused for is found by storing."""
    from onward.data.repositories import DataStore

    with tempfile.TemporaryDirectory(prefix="onward-dry-run-") as directory:
        DataStore(directory).save(result, symbol=symbol, timeframe=timeframe)


def _print_import(file: Path, told: dict[str, Any], timeframe: str | None) -> None:
    from onward.cli.removing import stray_lines

    first, last = (datetime.fromisoformat(told[name]) for name in ("first", "last"))
    print_note(f"{file.name}: {told['recognised']}")
    print_note(f"  {told['rows']} rows, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
    for repair in told["repairs"]:
        print_note(f"  {repair['detail']}")
    for report in told["stored"]:
        said = ", ".join(f"{report[name]} {name.replace('_', ' ')}" for name in COUNTS if report[name])
        print_note(f"  {report['kind']} {report['symbol'] or '(every symbol)'}: {said or 'nothing to store'}")
    for line in stray_lines(told, timeframe=timeframe):
        print_note(line)
    if told.get("dry_run"):
        print_note(_would_store(told))


def _would_store(told: dict[str, Any]) -> str:
    names = ", ".join(name or "every symbol" for name in told["symbols"])
    return f"  would be stored as {told['kind'].replace('_', ' ')} of {names}; nothing was stored (--dry-run)"


COUNTS = ("added", "unchanged", "replaced", "refused", "still_open")


def _print_quality(report: QualityReport) -> None:
    print_table(
        ("symbol", "first", "last", "rows", "gaps", "missing", "no volume", "NaN", "outliers"),
        [
            (s.symbol, s.first, s.last, s.rows, s.gaps, s.missing, s.zero_volume, s.nan, s.outliers)
            for s in report.symbols
        ],
    )
    if report.series:
        print_table(
            ("series", "first", "last", "rows", "gaps", "NaN", "bars covered"),
            [(s.name, s.first, s.last, s.rows, s.gaps, s.nan, f"{s.covered:.1%}") for s in report.series],
        )
    for problem in report.problems:
        print_note(f"{problem.severity}: {problem.subject}: {problem.text}")
