"""Stored market data: Parquet repositories for candles, funding, open interest, fear & greed."""

from onward.data.repositories.base import (
    CandleRepository,
    Conflict,
    Coverage,
    FearGreedRepository,
    FundingRateRepository,
    OpenInterestRepository,
    UpsertReport,
)
from onward.data.repositories.parquet import (
    ParquetCandleRepository,
    ParquetFearGreedRepository,
    ParquetFundingRateRepository,
    ParquetOpenInterestRepository,
)
from onward.data.repositories.prepared import PreparedUpsert
from onward.data.repositories.removal import PreparedRemoval, RemovalReport
from onward.data.repositories.store import DataStore, stored_market

__all__ = [
    "CATALOG",
    "CandleRepository",
    "Conflict",
    "Coverage",
    "DataStore",
    "FearGreedRepository",
    "FundingRateRepository",
    "OpenInterestRepository",
    "ParquetCandleRepository",
    "ParquetFearGreedRepository",
    "ParquetFundingRateRepository",
    "ParquetOpenInterestRepository",
    "PreparedRemoval",
    "PreparedUpsert",
    "RemovalReport",
    "UpsertReport",
    "stored_market",
]

CATALOG = (
    ParquetCandleRepository,
    ParquetFundingRateRepository,
    ParquetOpenInterestRepository,
    ParquetFearGreedRepository,
)
"""Every implementation; the contract suite runs on all of them."""
