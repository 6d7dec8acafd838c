"""`TSFreshStage`: tsfresh's features on rolling windows over series of the market."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError, about_setting
from onward.features.description import FeatureInfo
from onward.features.tsfresh.blocks import Block, narrowed, require_full_windows
from onward.features.tsfresh.costs import microseconds
from onward.features.tsfresh.fallback import FallbackWarning
from onward.features.tsfresh.functions import require_sources, sources
from onward.features.tsfresh.inputs import RollingInput
from onward.features.tsfresh.jobs import FallbackPart, Job, available_threads, compute_native
from onward.features.tsfresh.options import addresses, read_lengths, read_timeout, written
from onward.features.tsfresh.parameters import resolve_parameters
from onward.features.tsfresh.reach import cautions
from onward.features.tsfresh.relevance import TSFreshRelevance
from onward.features.tsfresh.series import resolve_series, series_values
from onward.types import Market

__all__ = ["TSFreshStage"]

DEFAULT_COLUMNS = ("close_logret", "volume")
DEFAULT_WINDOWS = (24, 96)
LIMIT = float(np.finfo(np.float32).max)
"""Larger magnitudes do not fit the matrices that models see."""

_log = logging.getLogger(__name__)

ColumnsDone = Callable[[int, str], None]


class TSFreshStage:
    """tsfresh's calculators on windows of bars, each row by what was known at its decision time.

    Satisfies `onward.protocols.CausalStage`. Columns are ``tsfresh__<series>__<window>__<feature>``
    and depend on the constructor's arguments alone. A window counts the bars that there are, of
    its own symbol; one that holds an unknown value, or more bars than there are yet, is NaN.

    Parameters
    ----------
    columns
        Series that the windows run over: names of `onward.features.tsfresh.series.CATALOG`, value
        columns of side series (``funding_rate``), or those followed by ``_change``.
    windows
        Lengths, bars. A market shorter than a window has NaN in its columns; `for_market` refuses it.
    set
        ``minimal``, ``financial``, ``efficient`` or ``comprehensive``.
    parameters
        A dictionary in the form of tsfresh's ``default_fc_parameters`` instead of a set; the
        empty one means the set. A calculator may be the address ``module:function`` of a function.
    series
        Value columns of the side series that will be there. A market that lacks one later gives
        NaN.
    relevance
        Whether `fitted_part` tests the columns' relevance in the fold.
    fdr_level, hypotheses_independent, feature_count_limit
        Of that test: see `onward.features.tsfresh.relevance.TSFreshRelevance`.
    timeout
        Seconds that tsfresh may take for 128 windows of features without a kernel.
    only
        Full names of the columns that are wanted; all by default.

    Raises
    ------
    StageError
        If a series, window or column is unknown or refused.
    ConfigError
        If a set, calculator or parameter is unknown or cannot be written down.

    Examples
    --------
    >>> TSFreshStage(["range"], windows=[48], set="minimal").columns()[0]
    'tsfresh__range__48__sum_values'
    """

    name: str = "tsfresh"
    scope: Literal["symbol", "cross_section"] = "symbol"

    def __init__(
        self,
        columns: Sequence[str] = DEFAULT_COLUMNS,
        *,
        windows: Sequence[int] = DEFAULT_WINDOWS,
        set: str = "financial",
        parameters: Mapping[Any, Any] | None = None,
        series: Sequence[str] = (),
        relevance: bool = True,
        fdr_level: float = 0.05,
        hypotheses_independent: bool = False,
        feature_count_limit: int | None = None,
        timeout: float = 300.0,
        only: Sequence[str] | None = None,
    ) -> None:
        self.series = tuple(dict.fromkeys([series] if isinstance(series, str) else series))
        self.windows = read_lengths(windows)
        self.timeout = read_timeout(timeout)
        self.sources = resolve_series([columns] if isinstance(columns, str) else columns, self.series)
        with about_setting("parameters" if parameters else "set"):
            self.features = resolve_parameters(parameters or set)
        self._written = written(self.features)
        self._only = only if only is None else tuple(only)
        every = (Block(source, window, self.features) for source in self.sources for window in self.windows)
        self._blocks = narrowed(tuple(every), self._only)
        self._relevance = (
            TSFreshRelevance(
                fdr_level=fdr_level,
                hypotheses_independent=hypotheses_independent,
                feature_count_limit=feature_count_limit,
            )
            if relevance
            else None
        )

    @classmethod
    def for_market(
        cls,
        market: Market,
        *,
        set: str = "financial",
        parameters: Mapping[Any, Any] | None = None,
        columns: Sequence[str] = DEFAULT_COLUMNS,
        windows: Sequence[int] = DEFAULT_WINDOWS,
        relevance: bool = True,
        fdr_level: float = 0.05,
        hypotheses_independent: bool = False,
        feature_count_limit: int | None = None,
        timeout: float = 300.0,
    ) -> Self:
        """Return the stage for the side series that a market offers; raises as the constructor does.

        Features that tsfresh itself will compute, and parameters that reach beyond a window, are
        logged as warnings.

        Raises
        ------
        StageError
            Also if no symbol has as many bars as a window: its columns would be NaN in every row.
        """
        stage = cls(
            columns,
            windows=windows,
            set=set,
            parameters=parameters,
            series=[value for series in market.series.values() for value in series.values],  # noqa: PD011
            relevance=relevance,
            fdr_level=fdr_level,
            hypotheses_independent=hypotheses_independent,
            feature_count_limit=feature_count_limit,
            timeout=timeout,
        )
        if len(market):
            require_full_windows(stage._blocks, market)
        for caution in cautions(stage.features, stage.windows):
            _log.warning("tsfresh: %s", caution)
        return stage

    @classmethod
    def examples(cls, market: Market) -> Sequence[Self]:
        """Return the stage with the default set, with every series, and with other calculators."""
        from onward.features.tsfresh.series import CATALOG, CHANGE

        values = [value for series in market.series.values() for value in series.values]  # noqa: PD011
        every = [*CATALOG, *values, *(value + CHANGE for value in values)]
        several = {
            "linear_trend_timewise": [{"attr": "slope"}],
            "ar_coefficient": [{"coeff": 1, "k": 2}],
            "cwt_coefficients": [{"widths": [2, 5], "coeff": 1, "w": 2}],
        }
        # By the constructor: a contract market may be shorter than the windows.
        return (
            cls(["close_logret"], windows=[24]),
            cls(every, windows=[7], parameters={"mean": None}, series=values),
            cls(["range", "close"], windows=[30, 13], parameters=several),
        )

    @property
    def lookback(self) -> int:
        """Bars that the longest window needs: its length, and what its series needs before it."""
        return max(block.lookback for block in self._blocks)

    def columns(self) -> tuple[str, ...]:
        """Return the full column names: series by series, window by window."""
        return tuple(column for block in self._blocks for column in block.columns())

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a column: its series as family, its lookback, its estimated cost."""
        return tuple(
            FeatureInfo(column, self.name, block.source.name, block.lookback, cost)
            for block in self._blocks
            for column, cost in zip(block.columns(), microseconds(block.features, block.window), strict=True)
        )

    def fitted_part(self) -> TSFreshRelevance | None:
        """Return the unfitted relevance test, None without one.

        A stage rebuilt by `from_spec` has none: the fitted test is saved with the fold.
        """
        return None if self._relevance is None else self._relevance.unfitted()

    def compute(self, market: Market) -> pd.DataFrame:
        """Return all columns as float64, index equal to ``market.bars.index``.

        NaN where a window is not full, holds something unknown, where tsfresh's feature is not
        defined, and where a value exceeds the range of float32.

        Raises
        ------
        SeriesError
            If two side series carry a value column that is wanted.
        ConfigError, StageError
            If tsfresh is needed and missing, or its process fails.

        Warns
        -----
        FallbackWarning
            If features without a kernel raised on some windows, whose cells are then NaN.
        """
        matrix = np.empty((len(self.columns()), len(market))).T
        self.compute_into(market, matrix)
        return pd.DataFrame(matrix, index=market.bars.index, columns=list(self.columns()), copy=False)

    def compute_into(self, market: Market, out: npt.NDArray[Any], done: ColumnsDone | None = None) -> None:
        """Write all columns into a matrix of shape (rows, columns), a few hundred windows at a time.

        ``done`` is told how many columns are finished, and of which series and window they are.
        """
        out[:] = np.nan
        if len(market) == 0:
            return
        data = self._rolling_input(market)
        rows = np.arange(len(market), dtype=np.int64)
        values = dict(zip(data.names, data.series, strict=True))
        first = 0
        with FallbackPart(self._blocks[0].features, self.timeout) as fallback:
            for block in self._blocks:
                job = Job(
                    data,
                    values[block.source.name],
                    block.window,
                    features=block.features,
                    matrix=out,
                    first=first,
                    limit=LIMIT,
                )
                compute_native([job], rows, rows, available_threads())
                fallback.write(job, rows, rows)
                first += len(block.features)
                if done is not None:
                    done(first, f"{block.source.name} {block.window}")
            complaints = fallback.complaints()
        if complaints:
            warnings.warn(f"the stage {self.name!r}: {'. '.join(complaints)}", FallbackWarning, stacklevel=2)

    def restricted(self, columns: Sequence[str]) -> Self:
        """Return a stage with these columns, values equal to the last bit, and without a test.

        Of features without a kernel it keeps all windows and series: they share one process.

        Raises
        ------
        StageError
            If a column is not this stage's, or none is given.
        """
        return type(self).from_spec({**self.spec(), "only": list(columns)})

    def spec(self) -> dict[str, Any]:
        """Return plain JSON values that rebuild these columns, every parameter spelt out.

        Options of the relevance test are not among them: they change no column, so matrices in
        the cache stay valid.
        """
        return {
            "stage": self.name,
            "columns": [source.name for source in self.sources],
            "windows": list(self.windows),
            "parameters": self._written,
            "series": list(self.series),
            "only": None if self._only is None else list(self.columns()),
            "timeout": self.timeout,
            "sources": sources(addresses(self._written)),
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a stage from `spec`.

        Raises
        ------
        StageError
            If a key is missing, unknown, or its value is refused.
        """
        keys = ("stage", "columns", "windows", "parameters", "series", "only", "timeout", "sources")
        if set(spec) != set(keys):
            raise StageError(
                f"the specification of the stage {cls.name!r} is not complete",
                got=", ".join(map(str, spec)),
                allowed=", ".join(keys),
                remedy="Use what stage.spec() returned.",
            )
        require_sources(addresses(spec["parameters"]), spec["sources"])
        return cls(
            spec["columns"],
            windows=spec["windows"],
            parameters=dict(spec["parameters"]),
            series=spec["series"],
            relevance=False,
            timeout=spec["timeout"],
            only=spec["only"],
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({[source.name for source in self.sources]}, "
            f"windows={list(self.windows)}, {len(self.features)} features, {len(self.columns())} columns)"
        )

    def _rolling_input(self, market: Market) -> RollingInput:
        starts = np.zeros(len(market), dtype=np.int64)
        for rows in market.rows.values():
            starts[rows] = rows.start
        values = series_values(market, self.sources)
        return RollingInput(
            tuple(values), tuple(values.values()), market.index, market.decision_time_ns, starts
        )
