"""Predictions of a server as the frame that those made here come in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from onward.cli.texts import moment_of
from onward.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from onward.cli.session import Session

__all__ = ["predicted_there"]

BEGINNING = "1971-01-01"


def predicted_there(
    session: Session,
    model: str,
    *,
    latest: bool,
    data: Path | None,
    series: list[str] | None,
    timerange: str | None,
    at: str | None,
) -> tuple[pd.DataFrame, str, tuple[str, ...]]:
    """Predict stored bars on the server.

    Returns
    -------
    DataFrame, str, tuple of str
        Rows by symbol and open time, the version's reference, warnings.
    """
    import pandas as pd

    from onward.data.timeframe import parse_timerange

    if data is not None or series:
        raise UserError(
            "a server predicts the bars that it has stored",
            got="--data" if data is not None else "--series",
            remedy="Send the file first: onward --server URL data import FILE",
        )
    bounds = parse_timerange(timerange)
    start = None if latest else pd.Timestamp(bounds.start or pd.Timestamp(BEGINNING, tz="UTC"))
    moment = None if at is None else moment_of(at)
    if not latest and bounds.end is not None:
        moment = bounds.end.to_pydatetime()
    told = session.client.predict(model, at=moment, start=None if start is None else start.to_pydatetime())
    rows = pd.DataFrame(
        [
            {
                "symbol": bar.symbol,
                "open_time": pd.Timestamp(bar.open_time),
                "decision_time": pd.Timestamp(bar.decision_time),
                **{name: getattr(bar, name) for name in ("down", "range", "up", "signal")},
            }
            for bar in told.bars
        ]
    )
    return rows.set_index(["symbol", "open_time"]), told.model, told.warnings
