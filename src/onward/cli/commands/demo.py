"""``onward demo``: the whole product on real market data, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onward.cli.output import print_note
from onward.cli.reports import keep_report
from onward.cli.session import Session, command, verb
from onward.cli.texts import actor_name, require_output
from onward.cli.verdict import print_training, training_value

app = command()

MODEL = "demo"


@verb(app)
def demo(
    session: Session,
    *,
    plan: Annotated[str | None, typer.Option("--plan", help="Plan file or preset to follow.")] = None,
    report: Annotated[
        Path, typer.Option("--report", metavar="FILE", help="Where to write the HTML report.")
    ] = Path("onward-demo.html"),
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
) -> None:
    """Train, audit and judge a model on bundled bars.

    Two years of real hourly BTC/USD bars, and a report at the end; the answer may well be that
    there is no skill. The bars are stored as BTC/USD 1h, unless such a series is there.
    """
    from onward.data.read import sample_market
    from onward.data.sample import store_sample
    from onward.naming.sample import SAMPLE_SYMBOL, SAMPLE_TIMEFRAME

    require_output(report, force=True)
    application = session.application(plan)
    market = sample_market()
    if not session.as_json:
        first, last = market.open_time.min(), market.open_time.max()
        print_note(
            f"{len(market):,} real hourly bars of {market.symbols[0]}, {first:%Y-%m-%d} to {last:%Y-%m-%d}."
        )
    # Before anything is computed, so that a disk that takes nothing is told at once.
    stored = store_sample(application.repositories)
    with session.progress() as progress:
        result = application.training.train(market, application.settings.plan, progress=progress)
    written = keep_report(application, result, report)
    assert written is not None
    version = result.save(MODEL)
    named = ""
    if result.certificate.status == "passed":
        named = f", {version.name}@champion"
        application.registry.set_alias(version.name, "champion", version.number, actor_name(), "demo")

    def render() -> None:
        print_training(result)
        print_note(f"Published as {version.ref}{named}")
        print_note(
            f"The bars are stored as {SAMPLE_SYMBOL} {SAMPLE_TIMEFRAME}, so that the model can be asked."
            if stored
            else f"{SAMPLE_SYMBOL} {SAMPLE_TIMEFRAME} was stored before, and stays as it is."
        )
        print_note(f"Report: {written.resolve()}")
        print_note("Next: onward data import FILE, then onward train; onward runs list shows every run.")

    value = {"model": version.ref, "report": written.resolve(), "bars_stored": stored}
    session.show({**training_value(result), **value}, render)
    if open_:
        typer.launch(str(written.resolve()))
