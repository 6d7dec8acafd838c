"""The lines of docs/results.md: which plan runs on which data, and in which order."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks._markets import SERIES

__all__ = ["LINES", "MARKETS", "VARIANTS", "Line", "Material", "Variant"]

PREPARED_EQUITIES = "equities.parquet"


@dataclass(frozen=True)
class Material:
    """One set of data with its plan.

    Attributes
    ----------
    name, title
        For file names, and for people.
    plan
        File in ``benchmarks/plans``.
    candles, series
        Files in ``shared/data``; series by name.
    prepared
        File that ``benchmarks._results_data`` makes of the candles; empty when they are used as they are.
    audited
        Variants whose features and learning path are audited; the others share the code, not the
        certificate.
    """

    name: str
    title: str
    plan: str
    candles: str
    audited: tuple[str, ...]
    series: Mapping[str, str] = field(default_factory=dict)
    prepared: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of ``shared/data`` that is read."""
        return (self.candles, *self.series.values())


@dataclass(frozen=True)
class Variant:
    """One way to learn: a verb and what it adds to the plan."""

    name: str
    verb: str = "train"
    settings: tuple[str, ...] = ()
    trials: int | None = None


@dataclass(frozen=True)
class Line:
    """One run."""

    material: Material
    variant: Variant

    @property
    def name(self) -> str:
        return f"{self.material.name}-{self.variant.name}"

    @property
    def audited(self) -> bool:
        return self.variant.name in self.material.audited

    def command(self, data: str = "../shared/data") -> list[str]:
        """Return the words of the command that repeats the line, run from the repository."""
        candles = self.material.prepared or f"{data}/{self.material.candles}"
        words = ["onward", self.variant.verb, f"benchmarks/plans/{self.material.plan}"]
        for setting in self.variant.settings:
            words += ["--set", setting]
        if self.variant.trials is not None:
            words += ["--trials", str(self.variant.trials)]
        words += ["--data", candles]
        for name, file in self.material.series.items():
            words += ["--series", f"{name}={data}/{file}"]
        if not self.audited:
            words.append("--no-audit")
        return [*words, "--report", f"{self.name}.html"]

    @property
    def shown(self) -> str:
        """The command as one types it."""
        return shlex.join(self.command())


MARKETS = (
    Material(
        name="btc",
        title="BTC/USDT perpetual, hourly",
        plan="btc_perpetual.toml",
        candles="btc_usdt_perp_1h.parquet",
        series={name: SERIES[name] for name in ("funding", "fear_greed")},
        audited=("single",),
    ),
    Material(
        name="equities",
        title="Five US equities, daily",
        plan="equities.toml",
        candles="daily_equity_ohlcv_5.parquet",
        prepared=PREPARED_EQUITIES,
        audited=("single",),
    ),
    Material(
        name="eurusd",
        title="EUR/USD, hourly",
        plan="eurusd.toml",
        candles="eurusd_ask_1h.parquet",
        audited=("single",),
    ),
)

VARIANTS = (
    Variant("single"),
    Variant("bagging", settings=("ensemble.method=bagging", "ensemble.out_of_bag=false")),
    Variant(
        "stacking",
        settings=("ensemble.method=stacking", 'ensemble.members=["lightgbm","logistic","extra_trees"]'),
    ),
    Variant("tuned", verb="tune", settings=("optimization.inner_splits=3",), trials=12),
)

LINES = tuple(Line(material, variant) for material in MARKETS for variant in VARIANTS)
"""In the order in which they run: every run is a look at its data, and later ones pay for earlier ones."""
