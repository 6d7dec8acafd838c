"""What the families of manual features cost, measured."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["MICROSECONDS"]

MICROSECONDS: Mapping[str, float] = MappingProxyType(
    {
        "price": 0.009,
        "returns": 0.012,
        "moving_average": 0.005,
        "volatility": 0.022,
        "volume": 0.022,
        "temporal": 0.006,
        "oscillators": 0.023,
        "trend": 0.017,
        "levels": 0.018,
        "divergence": 0.050,
        "interaction": 0.044,
        "multi_timeframe": 0.018,
        "funding": 0.010,
        "open_interest": 0.012,
        "leverage": 0.034,
        "sentiment": 0.012,
        "custom_series": 0.022,
        "cross_asset": 0.029,
        "alpha158": 0.007,
    }
)
"""CPU microseconds a row and column, by family, everything that its columns share divided among them.

Each family by itself with its default parameters, warm, the as-of join of the series that it reads
included, on 70,000 hourly bars; the shortest of twelve runs on one core of an AMD EPYC (Linux,
Python 3.11, November 2026). With neighbours at work on that machine the figures were up to 1.7 times
higher. ``pytest -m slow tests/unit/features/manual/test_costs.py`` measures them again and holds
each to half and twice its value, the speed of the machine set aside; ``python -m benchmarks families``
gives the seconds on real bars.
"""
