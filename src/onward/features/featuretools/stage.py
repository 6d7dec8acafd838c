"""`FeaturetoolsStage`: deep feature synthesis over bars and their calendar, computed by prefix kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError, TimeframeError
from onward.features.description import FeatureInfo
from onward.features.featuretools.check import CheckReport, check_sample
from onward.features.featuretools.columns import base_values, resolve_columns
from onward.features.featuretools.compared import ComparedBuilds
from onward.features.featuretools.cutoffs import compute_by_cutoff_into
from onward.features.featuretools.definition import Definition, from_json
from onward.features.featuretools.evaluate import evaluate_into
from onward.features.featuretools.needs import describe_definitions, lookback_of, warn_of_cost
from onward.features.featuretools.parameters import (
    DEFAULT_AGGREGATIONS,
    DEFAULT_RANKS,
    DEFAULT_TRANSFORMS,
    check_parameters,
    refuse_unknown,
)
from onward.features.featuretools.parents import PARENTS
from onward.features.featuretools.synthesis import definitions as make_definitions
from onward.features.isolation import Limits
from onward.types import Market

__all__ = ["FeaturetoolsStage"]

NAME = "featuretools"
LIVE_BARS = 1_000
"""Markets of at most the lookback and so many bars are taken for live ones, which start no child."""

ColumnsDone = Callable[[int, str], None]

COMPARED = ComparedBuilds()


class FeaturetoolsStage:
    """Features that featuretools defines over bars and their days, sessions and weeks.

    Satisfies `onward.protocols.CausalStage`. Make one with `for_market`; the constructor takes
    finished definitions. At every row a column equals what
    ``featuretools.calculate_feature_matrix`` gives with the row's decision time as cutoff and the
    stage's training window; infinities become NaN. As in featuretools, unknown values are left out
    of aggregations rather than making them unknown.

    Parameters
    ----------
    definitions
        What to compute.
    timeframe
        Length of a bar.
    training_window
        No aggregation sees bars that were decided this long ago or longer, such as ``"7d"``.
    check_rows
        Rows that every build compares with featuretools itself when it is installed; 0: none.
    timeout_seconds, max_gb
        Limits of the child process.

    Attributes
    ----------
    last_check
        What became of the last comparison with featuretools; None before the first.

    Raises
    ------
    StageError
        If there are no definitions, or two of one name.
    """

    name: str = NAME

    def __init__(
        self,
        definitions: Sequence[Definition],
        *,
        timeframe: pd.Timedelta,
        training_window: pd.Timedelta | str = "7d",
        check_rows: int = 8,
        timeout_seconds: float = 600.0,
        max_gb: float = 4.0,
    ) -> None:
        self.definitions = tuple(definitions)
        self.timeframe = pd.Timedelta(timeframe)
        self.training_window = pd.Timedelta(training_window)
        self.check_rows = check_rows
        self.limits = Limits(seconds=timeout_seconds, memory_bytes=int(max_gb * 1e9))
        self.last_check: CheckReport | None = None
        names = [definition.column for definition in self.definitions]
        if not names or len(set(names)) != len(names):
            raise StageError(
                f"the stage {NAME!r} needs definitions with unique names",
                got=f"{len(names)} definitions, {len(set(names))} names",
                allowed="one or more, each name once",
                remedy="Make the stage with FeaturetoolsStage.for_market(market).",
            )

    @classmethod
    def for_market(
        cls,
        market: Market,
        *,
        aggregations: Sequence[str] = DEFAULT_AGGREGATIONS,
        transforms: Sequence[str] = DEFAULT_TRANSFORMS,
        ranks: Sequence[str] = DEFAULT_RANKS,
        parents: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        max_depth: int = 3,
        max_features: int | None = None,
        comparable_only: bool = True,
        training_window: str = "7d",
        check_rows: int = 8,
        timeout_seconds: float = 600.0,
        max_gb: float = 4.0,
        **unknown: Any,
    ) -> Self:
        """Return the stage for what a market offers: its side series, timeframe and symbols.

        Parameters
        ----------
        market
            Only its shape is read.
        aggregations, transforms
            Primitives of featuretools (``onward.features.featuretools.PRIMITIVES``).
        ranks
            ``percentile`` or nothing: the rank of a bar's value within its parent.
        parents
            Of ``session`` (00 to 08, 08 to 16, 16 to 24 h UTC), ``day``, ``week`` (from Monday) and,
            with several symbols, ``moment``: the symbols at one time. By default all that hold more
            than one bar. Bars belong to the UTC day in which they open.
        columns
            Columns of bars to start from (``onward.features.featuretools.BAR_COLUMNS``) and values
            of side series; by default five of the former and all of the latter.
        max_depth
            As featuretools counts: 2 for an aggregate, 3 for a bar's value against it.
        max_features
            Keep the shallowest so many.
        comparable_only
            Keep only what compares like with like
            (`onward.features.featuretools.comparable`); otherwise all that featuretools makes.
        training_window, check_rows, timeout_seconds, max_gb
            As of the constructor.

        Raises
        ------
        ConfigError
            If an option is unknown or refused, or needs the extra ``onward[automl]`` and
            featuretools is not installed.
        """
        if unknown:
            taken = inspect.signature(cls.for_market).parameters.items()
            refuse_unknown(unknown, [name for name, p in taken if p.kind is p.KEYWORD_ONLY])
        panel = len(market.symbols) > 1
        if parents is None:
            parents = [name for name, p in PARENTS.items() if p.cross_section or p.span > market.timeframe_ns]
        if not panel and not isinstance(parents, str) and isinstance(parents, Sequence):
            parents = [parent for parent in parents if parent != "moment"]
        parameters = check_parameters(
            market.timeframe_ns,
            aggregations=aggregations,
            transforms=transforms,
            ranks=ranks,
            parents=parents,
            max_depth=max_depth,
            max_features=max_features,
            comparable_only=comparable_only,
            training_window=training_window,
            check_rows=check_rows,
            timeout_seconds=timeout_seconds,
            max_gb=max_gb,
        )
        if isinstance(columns, str):
            columns = (columns,)
        values = [value for series in market.series.values() for value in series.values]  # noqa: PD011
        made = make_definitions(parameters, resolve_columns(columns, values), NAME)
        stage = cls(
            made,
            timeframe=market.timeframe,
            training_window=parameters.training_window,
            check_rows=check_rows,
            timeout_seconds=timeout_seconds,
            max_gb=max_gb,
        )
        warn_of_cost(stage.describe())
        return stage

    @classmethod
    def examples(cls, market: Market) -> Sequence[Self]:
        """Return the stage with its defaults, and with other primitives and a window below a day."""
        other = cls.for_market(
            market,
            aggregations=[
                *("median", "first", "max_min_delta", "kurtosis", "num_zero_crossings", "variance"),
                *("max_consecutive_positives", "time_since_last_max", "time_since_last_true", "all", "any"),
                *("avg_time_between", "time_since_first"),
            ],
            transforms=["subtract_numeric", "divide_numeric", "absolute", "hour", "is_weekend"],
            training_window="20h",
        )
        return (cls.for_market(market), other)

    @property
    def scope(self) -> Literal["symbol", "cross_section"]:
        """``cross_section`` when symbols of one moment are compared."""
        crossed = any(PARENTS[p].cross_section for d in self.definitions for p in d.expression.parents)
        return "cross_section" if crossed else "symbol"

    @property
    def lookback(self) -> int:
        """Bars that the longest definition needs, the row itself included."""
        return max(
            lookback_of(definition.expression, window_ns=self._window_ns, timeframe_ns=self._timeframe_ns)
            for definition in self.definitions
        )

    def columns(self) -> tuple[str, ...]:
        """Return the full column names."""
        return tuple(definition.column for definition in self.definitions)

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a column; the family names the parents that it looks at."""
        return describe_definitions(
            NAME, self.definitions, window_ns=self._window_ns, timeframe_ns=self._timeframe_ns
        )

    def restricted(self, columns: Sequence[str]) -> Self:
        """Return the stage with these columns only, values unchanged bit for bit, builds unchecked.

        Raises
        ------
        StageError
            If a column is not the stage's.
        """
        wanted = set(columns)
        kept = [definition for definition in self.definitions if definition.column in wanted]
        if not kept or len(kept) != len(wanted):
            strange = sorted(wanted.difference(self.columns())) or ["no column"]
            raise StageError(
                f"the stage {NAME!r} cannot be restricted to these columns",
                got=strange[0],
                allowed=f"one or more of its {len(self.definitions)} columns",
                remedy="Ask for columns of this stage.",
            )
        # What is restricted serves a model: serving starts no other engine.
        return type(self)(kept, **{**self._settings(), "check_rows": 0})

    def compute(self, market: Market) -> pd.DataFrame:
        """Return all columns as float64, index equal to ``market.bars.index``.

        Raises
        ------
        TimeframeError
            If the market's timeframe is not the stage's.
        StageError
            If a value differs from featuretools', or a definition needs featuretools and it is
            not installed, fails or exceeds its limits.
        SeriesError
            If two side series of the market carry the same value column.
        """
        matrix = np.empty((len(self.definitions), len(market))).T
        self.compute_into(market, matrix)
        return pd.DataFrame(matrix, index=market.bars.index, columns=list(self.columns()), copy=False)

    def compute_into(self, market: Market, out: npt.NDArray[Any], done: ColumnsDone | None = None) -> None:
        """Write all columns into a matrix of shape (rows, columns).

        ``done`` is told how many columns are finished and what they are made of. On more than live
        markets a sample of rows is then compared with featuretools (`verify`): once in a process
        for a stage, the symbols and the bars that there are.
        """
        if market.timeframe != self.timeframe:
            raise TimeframeError(
                f"the stage {NAME!r} was made for another timeframe than the market's",
                got=f"bars of {market.timeframe}",
                allowed=f"bars of {self.timeframe}",
                remedy="Build the stage with the market's timeframe.",
            )
        if len(market) == 0:
            return
        values = base_values(market, self._base_columns())
        native = [(i, d) for i, d in enumerate(self.definitions) if d.expression.native]
        engine = [(i, d) for i, d in enumerate(self.definitions) if not d.expression.native]
        evaluate_into(native, market, values, self._window_ns, out, done)
        if engine:

            def rows_done(n_rows: int) -> None:
                if done is not None:
                    share = len(engine) * n_rows // len(market)
                    done(len(native) + share, "by cutoff time with featuretools")

            compute_by_cutoff_into(engine, market, values, self._window_ns, out, self.limits, rows_done)
        if native and self._is_due(market):
            self.last_check = check_sample(
                native, market, values, self._window_ns, out, self.check_rows, self.limits
            )
            COMPARED.note(self.spec(), market)

    def verify(self, market: Market, rows: int = 8) -> CheckReport:
        """Compare a sample of rows with featuretools itself, whatever was compared before.

        Raises
        ------
        StageError
            At the first value that differs.
        """
        matrix = np.empty((len(self.definitions), len(market))).T
        type(self)(self.definitions, **{**self._settings(), "check_rows": 0}).compute_into(market, matrix)
        native = [(i, d) for i, d in enumerate(self.definitions) if d.expression.native]
        values = base_values(market, self._base_columns())
        self.last_check = check_sample(native, market, values, self._window_ns, matrix, rows, self.limits)
        return self.last_check

    def spec(self) -> dict[str, Any]:
        """Return plain JSON values that rebuild this stage, every definition spelt out.

        Neither featuretools nor the definitions that ship with a later version are needed then.
        """
        return {
            "stage": NAME,
            "definitions": [definition.to_json() for definition in self.definitions],
            "timeframe_ns": self._timeframe_ns,
            "training_window_ns": self._window_ns,
            "check_rows": self.check_rows,
            "timeout_seconds": self.limits.seconds,
            "max_gb": (self.limits.memory_bytes or 0) / 1e9,
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a stage from `spec`.

        Raises
        ------
        StageError
            If a key is missing or unknown, or a definition cannot be read.
        """
        keys = {"stage", "definitions", "timeframe_ns", "training_window_ns", "check_rows"}
        keys |= {"timeout_seconds", "max_gb"}
        if set(spec) != keys:
            raise StageError(
                f"the specification of the stage {NAME!r} is not complete",
                got=", ".join(map(str, spec)),
                allowed=", ".join(sorted(keys)),
                remedy="Use what stage.spec() returned.",
            )
        return cls(
            [Definition(str(item["column"]), from_json(item["is"])) for item in spec["definitions"]],
            timeframe=pd.Timedelta(spec["timeframe_ns"], unit="ns"),
            training_window=pd.Timedelta(spec["training_window_ns"], unit="ns"),
            check_rows=spec["check_rows"],
            timeout_seconds=spec["timeout_seconds"],
            max_gb=spec["max_gb"],
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self.definitions)} definitions,"
            f" training_window={str(self.training_window)!r}, timeframe={str(self.timeframe)!r})"
        )

    @property
    def _window_ns(self) -> int:
        return int(self.training_window.value)

    @property
    def _timeframe_ns(self) -> int:
        return int(self.timeframe.value)

    def _settings(self) -> dict[str, Any]:
        return {
            "timeframe": self.timeframe,
            "training_window": self.training_window,
            "check_rows": self.check_rows,
            "timeout_seconds": self.limits.seconds,
            "max_gb": (self.limits.memory_bytes or 0) / 1e9,
        }

    def _base_columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for d in self.definitions for c in d.expression.columns))

    def _is_due(self, market: Market) -> bool:
        longest = max(rows.stop - rows.start for rows in market.rows.values())
        if self.check_rows == 0 or longest <= self.lookback + LIVE_BARS:
            return False
        return not COMPARED.covers(self.spec(), market)
