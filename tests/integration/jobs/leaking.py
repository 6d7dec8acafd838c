"""A function that sees the next bar."""

from __future__ import annotations

import pandas as pd


def tomorrow(bars: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"tomorrow": bars["close"].shift(-1)})
