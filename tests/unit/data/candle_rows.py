"""Rows of candles as exports of others hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["PRICES", "candles", "hours", "rows", "utc", "write_csv"]

PRICES = (100.0, 102.0, 99.0, 101.0)


def utc(text):
    return pd.Timestamp(text, tz="UTC")


def hours(n, start="2024-01-01"):
    return pd.date_range(start, periods=n, freq="h", tz="UTC")


def candles(n=5, start="2024-01-01"):
    frame = pd.DataFrame({"date": hours(n, start)})
    return frame.assign(open=100.0, high=102.0, low=99.0, close=101.0, volume=np.arange(1.0, n + 1))


def rows(result):
    return result.frame[["open", "high", "low", "close", "volume"]].to_numpy().tolist()


def write_csv(tmp_path, frame):
    path = tmp_path / "export.csv"
    frame.to_csv(path, index=False)
    return path
