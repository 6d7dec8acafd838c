"""`ManualFeaturesStage`: the families of manual features as one causal stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError, TimeframeError, nearest
from onward.features.description import FeatureInfo
from onward.features.manual.catalog import FAMILIES, expand, parameters, resolve
from onward.features.manual.columns import ColumnFamily
from onward.features.manual.costs import MICROSECONDS
from onward.features.manual.family import Bars, Family, PanelFamily, column_lookbacks
from onward.features.manual.inputs import bars_by_symbol
from onward.types import FloatArray, Market

__all__ = ["Alpha158Stage", "ManualFeaturesStage"]

ColumnsDone = Callable[[int, str], None]


class ManualFeaturesStage:
    """Hand-made features of price, volume, time and side series, family by family.

    Satisfies `onward.protocols.CausalStage`. Families whose inputs are absent switch themselves
    off and say so in `disabled`; the columns depend on the constructor's arguments alone, never
    on the values of a market.

    Parameters
    ----------
    families
        Names of families or groups (``onward.features.manual.FAMILIES``, ``GROUPS``); all by
        default. Their order does not matter: columns come in catalogue order.
    series
        Value columns of the side series that will be there (``funding_rate``,
        ``open_interest``, ``fear_greed``, any other). A market that lacks one later gives NaN.
    panel
        Whether features that compare symbols are wanted; they make the scope
        ``cross_section``.
    options
        Parameters by family, such as ``{"oscillators": {"rsi_windows": [14]}}``.
    timeframe
        Length of a bar.
    columns
        Full names of the columns to compute, of those that the families have; all by default.

    Raises
    ------
    StageError
        If a family, parameter or column is unknown or refused, if nothing is left to compute, or
        if two families give the same column.
    TimeframeError
        If the timeframe is no positive duration.

    Examples
    --------
    >>> stage = ManualFeaturesStage(["oscillators"], timeframe=pd.Timedelta("1h"))
    >>> stage.columns()[0]
    'manual__rsi_7'
    """

    name: str = "manual"
    scope: Literal["symbol", "cross_section"]
    catalog: ClassVar[Mapping[str, str]] = FAMILIES

    def __init__(
        self,
        families: Sequence[str] | None = None,
        *,
        series: Sequence[str] = (),
        panel: bool = False,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        timeframe: pd.Timedelta,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.timeframe = _duration(timeframe)
        self.series = tuple(dict.fromkeys([series] if isinstance(series, str) else series))
        self.panel = bool(panel)
        self._requested = expand(families, self.catalog)
        self._options = {name: dict(values) for name, values in (options or {}).items()}
        resolution = resolve(
            self._requested,
            series=self.series,
            panel=self.panel,
            options=self._options,
            timeframe=self._timeframe_ns,
            catalog=self.catalog,
        )
        self.disabled: Mapping[str, str] = resolution.disabled
        """Families that are off, with the reason."""
        self._families: tuple[Family | PanelFamily, ...] = (
            *resolution.families,
            *resolution.panel_families,
        )
        self._chosen = None if columns is None else tuple(columns)
        self._columns = self._kept(self._named())
        own = {column.removeprefix(f"{self.name}__") for column in self._columns}
        self._parts = {
            family.name: kept
            for family in self._families
            if (kept := tuple(name for name in family.columns() if name in own))
        }
        self._families = tuple(family for family in self._families if family.name in self._parts)
        self._n_symbol_families = sum(hasattr(family, "requires") for family in self._families)
        crossed = self._n_symbol_families < len(self._families)
        self.scope = "cross_section" if crossed else "symbol"
        self._lookback = max(feature.lookback for feature in self.describe())

    @classmethod
    def for_market(
        cls,
        market: Market,
        families: Sequence[str] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Self:
        """Return the stage for what a market offers: its side series, timeframe and symbols."""
        values = [value for series in market.series.values() for value in series.values]  # noqa: PD011
        panel = len(market.symbols) > 1
        return cls(families, series=values, panel=panel, options=options, timeframe=market.timeframe)

    @classmethod
    def examples(cls, market: Market) -> Sequence[Self]:
        """Return the stage with its defaults, and with other windows where a family has some."""
        narrow: dict[str, dict[str, Any]] = {
            "oscillators": {"rsi_windows": [5], "stochastic_window": 9, "roc_windows": []},
            "trend": {"macd": [5, 11, 4], "adx_windows": [5], "efficiency_windows": [7]},
            "levels": {"windows": [13]},
            "custom_series": {"change_windows": [3], "zscore_windows": [31]},
            "cross_asset": {"return_windows": [2], "beta_windows": [21], "volume_windows": [5]},
        }
        return (cls.for_market(market), cls.for_market(market, ["technical", *narrow], narrow))

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families that are on."""
        return tuple(family.name for family in self._families)

    @property
    def lookback(self) -> int:
        """Bars that the longest column needs, the row itself included."""
        return self._lookback

    def columns(self) -> tuple[str, ...]:
        """Return the full column names."""
        return self._columns

    def columns_by_family(self) -> Mapping[str, tuple[str, ...]]:
        """Return the full column names of each family that is on."""
        prefix = f"{self.name}__"
        return {family: tuple(prefix + name for name in kept) for family, kept in self._parts.items()}

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return family, lookback and measured cost of each column, in the order of `columns`.

        The lookback is the column's own where its family tells columns apart, else that of the
        family. The cost is the family's, divided evenly among all its columns.
        """
        told: list[FeatureInfo] = []
        for family in self._families:
            kept, cost = self._parts[family.name], MICROSECONDS.get(family.name)
            lookbacks = column_lookbacks(family, self._timeframe_ns)
            told += [
                FeatureInfo(f"{self.name}__{name}", self.name, family.name, lookbacks[name], cost)
                for name in kept
            ]
        return tuple(told)

    def restricted(self, columns: Sequence[str]) -> Self:
        """Return the stage with these columns only, values unchanged bit for bit.

        It reads as many bars as the longest of *these* columns needs: what a live model waits for
        is decided by the features that it kept, not by their families.

        Raises
        ------
        StageError
            If a column is not the stage's.
        """
        strange = sorted(set(columns).difference(self._columns)) or ([] if columns else ["no column"])
        if strange:
            raise StageError(
                f"the stage {self.name!r} cannot be restricted to these columns",
                got=strange[0],
                allowed=f"one or more of its {len(self._columns)} columns",
                remedy="Ask for columns of this stage.",
            )
        return self.from_spec({**self.spec(), "columns": list(columns)})

    def compute(self, market: Market) -> pd.DataFrame:
        """Return all columns as float64, index equal to ``market.bars.index``.

        Raises
        ------
        TimeframeError
            If the market's timeframe is not the stage's.
        SeriesError
            If two side series of the market carry the same value column.
        StageError
            If a family gives an infinity or breaks its contract.
        """
        matrix = np.empty((len(self._columns), len(market))).T
        self.compute_into(market, matrix)
        return pd.DataFrame(matrix, index=market.bars.index, columns=list(self._columns), copy=False)

    def compute_into(self, market: Market, out: npt.NDArray[Any], done: ColumnsDone | None = None) -> None:
        """Write all columns into a matrix of shape (rows, columns), family by family.

        The fast path of `onward.features.pipeline`: only one family's float64 arrays live at a
        time. ``done`` is told how many columns are finished and which family it was.
        """
        if market.timeframe != self.timeframe:
            raise TimeframeError(
                f"the stage {self.name!r} was made for another timeframe than the market's",
                got=f"bars of {market.timeframe}",
                allowed=f"bars of {self.timeframe}",
                remedy="Build the stage with the market's timeframe.",
            )
        if len(market) == 0:
            return
        panel = bars_by_symbol(market, self.series)
        first = 0
        for number, family in enumerate(self._families):
            kept = self._parts[family.name]
            # A family states where it gives NaN; what NumPy thinks of dividing by zero adds nothing.
            with np.errstate(all="ignore"):
                if number < self._n_symbol_families:
                    for symbol, bars in panel.items():
                        values = self._values(family, bars)
                        self._write(family, kept, values, out[market.rows[symbol], first:])
                else:
                    by_symbol = family.compute(panel)  # type: ignore[arg-type]
                    for symbol, rows in market.rows.items():
                        self._write(family, kept, by_symbol[symbol], out[rows, first:])  # type: ignore[arg-type]
            first += len(kept)
            if done is not None:
                done(first, family.name)

    def spec(self) -> dict[str, Any]:
        """Return plain JSON values that rebuild this stage, every parameter spelt out.

        Parameters are written even where they are defaults, so that a saved model keeps its
        features when a later version changes a default.
        """
        spelt = {family.name: parameters(family) for family in self._families}
        chosen = {} if self._chosen is None else {"columns": list(self._columns)}
        return {
            **chosen,
            "stage": self.name,
            "families": list(self._requested),
            "series": list(self.series),
            "panel": self.panel,
            "options": {**self._options, **{name: values for name, values in spelt.items() if values}},
            "timeframe_ns": self._timeframe_ns,
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a stage from `spec`.

        Raises
        ------
        StageError
            If a key is missing, unknown, or its value is refused.
        """
        keys = ("stage", "families", "series", "panel", "options", "timeframe_ns")
        if set(spec) - {"columns"} != set(keys):
            raise StageError(
                f"the specification of the stage {cls.name!r} is not complete",
                got=", ".join(map(str, spec)),
                allowed=", ".join(keys),
                remedy="Use what stage.spec() returned.",
            )
        return cls(
            spec["families"],
            series=spec["series"],
            panel=spec["panel"],
            options=spec["options"],
            timeframe=pd.Timedelta(spec["timeframe_ns"], unit="ns"),
            columns=spec.get("columns"),
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({list(self.families)}, series={list(self.series)}, "
            f"panel={self.panel}, timeframe={str(self.timeframe)!r})"
        )

    @property
    def _timeframe_ns(self) -> int:
        return int(self.timeframe.value)

    def _named(self) -> tuple[str, ...]:
        if not self._families:
            raise StageError(
                f"no family of the stage {self.name!r} has its inputs",
                got="; ".join(f"{name}: {reason}" for name, reason in self.disabled.items()) or "no family",
                remedy="Ask for other families, or give the side series that they need.",
                settings=("families",),
            )
        owner: dict[str, str] = {}
        for family in self._families:
            for column in family.columns():
                if column in owner:
                    raise StageError(
                        f"two families of the stage {self.name!r} give the same column",
                        got=f"{column!r} from {owner[column]!r} and {family.name!r}",
                        allowed="one column a name",
                        remedy="Change a parameter, or rename the value column of the side series.",
                    )
                owner[column] = family.name
        return tuple(f"{self.name}__{column}" for column in owner)

    def _kept(self, named: tuple[str, ...]) -> tuple[str, ...]:
        if self._chosen is None:
            return named
        wanted = set(self._chosen)
        strange = sorted(wanted.difference(named)) or ([] if wanted else ["no column"])
        if strange:
            close = nearest(strange[0], named)
            raise StageError(
                f"the stage {self.name!r} has no such column",
                got=strange[0],
                allowed=f"one or more of the {len(named)} columns of its families",
                remedy=f"Did you mean {close!r}?" if close else "See its columns() without a choice.",
            )
        return tuple(name for name in named if name in wanted)

    def _values(self, family: Any, bars: Bars) -> Mapping[str, FloatArray]:
        kept = self._parts[family.name]
        if isinstance(family, ColumnFamily) and len(kept) < len(family.columns()):
            return family.compute_columns(bars, kept)
        values: Mapping[str, FloatArray] = family.compute(bars)
        return values

    def _write(
        self,
        family: Family | PanelFamily,
        kept: Sequence[str],
        values: Mapping[str, FloatArray],
        out: npt.NDArray[Any],
    ) -> None:
        strange = set(values).difference(family.columns()) | set(kept).difference(values)
        if strange:
            raise StageError(
                f"the family {family.name!r} does not give the columns that it declared",
                got=f"a difference in {', '.join(sorted(strange))}",
                remedy="Make its columns() and compute() agree.",
            )
        for position, name in enumerate(kept):
            array = values[name]
            if array.shape != (len(out),):
                raise StageError(
                    f"the family {family.name!r} gives a column of another length than its bars",
                    got=f"{self.name}__{name}: shape {array.shape}",
                    allowed=f"shape ({len(out)},)",
                    remedy="Return one value a bar.",
                )
            if np.isinf(array).any():
                row = int(np.flatnonzero(np.isinf(array))[0])
                raise StageError(
                    f"the column '{self.name}__{name}' has an infinity",
                    got=f"{array[row]} at row {row} of its symbol (family {family.name!r})",
                    allowed="finite numbers, or NaN for not known",
                    remedy="Look at the bars around that row: a price or volume there is out of range.",
                )
            out[:, position] = array


class Alpha158Stage(ManualFeaturesStage):
    """The 158 published formulas of Alpha158 as a stage of its own, columns ``alpha158__...``."""

    name = "alpha158"
    catalog = MappingProxyType({"alpha158": "onward.features.manual.alpha158:Alpha158"})

    @classmethod
    def examples(cls, market: Market) -> Sequence[Self]:
        """Return the stage with its defaults: it has no options."""
        return (cls.for_market(market),)


def _duration(timeframe: pd.Timedelta) -> pd.Timedelta:
    try:
        duration = pd.Timedelta(timeframe)
        valid = bool(duration > pd.Timedelta(0))
    except (ValueError, TypeError):
        valid = False
    if not valid:
        raise TimeframeError(
            "the timeframe of a stage is not a positive duration",
            got=repr(timeframe),
            allowed='a pandas.Timedelta such as pd.Timedelta("1h")',
            remedy="Give the length of a bar.",
        )
    return duration
