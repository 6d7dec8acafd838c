"""From bars to the matrix a model sees: causal stages over the history, fitted stages in a fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError
from onward.features.cache import FeatureCache, cache_key
from onward.features.catalog import stage_from_spec
from onward.features.declarations import (
    attributed,
    declared_columns,
    declared_lookback,
    is_onwards,
    require_declared,
    require_possible_lookback,
)
from onward.features.description import FeatureInfo, FitInfo, describe, describe_fit
from onward.features.fitted_pipeline import FittedPipeline, FittedTemplate, fresh, transformed
from onward.features.nan_counts import nan_ledger
from onward.features.stage_output import write_columns
from onward.features.work_progress import WorkProgress
from onward.protocols import CausalStage, FittedStage, Progress
from onward.types import FloatArray, Market, Spans

__all__ = ["FeaturePipeline", "FittedPipeline", "FittedTemplate", "nan_ledger"]


class FeaturePipeline:
    """Causal stages side by side, then fitted stages one after the other.

    Causal stages run once over the whole history (their values at a row know nothing of later
    rows); fitted stages learn from the training rows that `fit` is given and nothing else.

    Parameters
    ----------
    causal
        Stages whose columns stand side by side, in this order.
    fitted
        Templates of the fitted stages, in the order in which they run.
    cache
        Where causal matrices are kept. Stages from outside Onward are computed every time: an
        edited helper module of theirs would go unnoticed.
    dtype
        Type of the matrix. float32 on both sides, training and prediction, so that a value which
        differs by 1e-12 between them cannot fall on two sides of a split point.

    Raises
    ------
    StageError
        If there is no stage, two share a name, or one does not declare name, scope, lookback and
        columns (prefixed and unique) as it must.
    """

    def __init__(
        self,
        causal: Sequence[CausalStage],
        fitted: Sequence[FittedTemplate] = (),
        *,
        cache: FeatureCache | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.causal = tuple(causal)
        self.fitted = tuple(fitted)
        self.cache = cache
        self.dtype = np.dtype(dtype)
        for stage in self.causal:
            require_declared(stage)
        self._parts = {stage.name: declared_columns(stage) for stage in self.causal}
        self._check_plan()

    @property
    def lookback(self) -> int:
        """Bars that the longest causal stage needs, the row itself included."""
        return max(declared_lookback(stage) for stage in self.causal)

    def columns(self) -> tuple[str, ...]:
        """Return the causal columns in plan order."""
        return tuple(column for columns in self._parts.values() for column in columns)

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a causal column, in the order of `columns()`; nothing is computed.

        Raises
        ------
        StageError
            If a stage describes other columns than it declares.
        """
        return tuple(feature for features in self._described().values() for feature in features)

    def describe_fits(self, n_rows: int) -> tuple[FitInfo, ...]:
        """Return what each fitted stage is going to do, in the order in which they run.

        Parameters
        ----------
        n_rows
            Training rows of a fold, at most.
        """
        n_columns, told = len(self.columns()), []
        for template in self.fitted:
            info = describe_fit(fresh(template), n_columns, n_rows)
            n_columns = n_columns if info.max_columns is None else info.max_columns
            told.append(info)
        return tuple(told)

    def compute(self, market: Market, progress: Progress | None = None) -> pd.DataFrame:
        """Return the matrix of all causal columns for every bar.

        Parameters
        ----------
        market
            Bars and side series.
        progress
            Told after every few columns, in estimated seconds of work: what the stages say about
            their cost, next to nothing for what the cache holds.

        Returns
        -------
        DataFrame
            Index ``market.bars.index``, columns `columns()`, of the pipeline's type, stored
            column by column; NaN = not known yet. With a cache and a single stage it is a
            read-only view of the memory-mapped file.

        Raises
        ------
        StageError
            If a stage fails, gives other rows or columns than it declared, or an infinity, or
            declares a lookback that no market has.
        """
        for stage in self.causal:
            require_possible_lookback(stage, market)
        keys = {stage.name: self._key(stage, market) for stage in self.causal}
        work = self._work(progress, keys, len(market))
        if self.cache is not None and len(self.causal) == 1:
            stage = self.causal[0]
            matrix = self._part(stage, keys[stage.name], market, work, None)
        else:
            matrix = np.empty((len(market), len(self.columns())), dtype=self.dtype, order="F")
            first = 0
            for stage in self.causal:
                last = first + len(self._parts[stage.name])
                self._part(stage, keys[stage.name], market, work, matrix[:, first:last])
                first = last
        return pd.DataFrame(matrix, index=market.bars.index, columns=list(self.columns()), copy=False)

    def latest(self, market: Market) -> pd.DataFrame:
        """Return the newest row of every symbol, each computed from exactly `lookback` bars.

        Symbols whose last bar is older than the newest of the panel are computed as of their own
        last bar. Nothing is read from or written to the cache.
        """
        newest = {symbol: int(market.open_time_ns[rows.stop - 1]) for symbol, rows in market.rows.items()}
        pieces: list[pd.DataFrame] = []
        uncached = copy(self)
        uncached.cache = None
        for moment in sorted(set(newest.values())):
            known = market.known_at(pd.Timestamp(moment + market.timeframe_ns, unit="ns", tz="UTC"))
            recent = known.last(self.lookback)
            table = uncached.compute(recent)
            rows = [recent.rows[symbol].stop - 1 for symbol, last in newest.items() if last == moment]
            pieces.append(table.iloc[rows])
        if not pieces:
            return self.compute(market)
        if len(pieces) == 1:
            return pieces[0]  # in the market's own order, which is that of the symbols
        return pd.concat(pieces).sort_index(level=0, kind="stable")

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,
        seed: int = 0,
    ) -> FittedPipeline:
        """Fit the fitted stages in order on the rows given, and on nothing else.

        Parameters
        ----------
        X
            Training rows of what `compute` returned.
        y, spans, weight
            Their labels, spans and weights, aligned with ``X``.
        seed
            Seed of every stage; the stages of a pipeline get different ones derived from it.

        Raises
        ------
        StageError
            If lengths differ, there are no rows, or a stage drops rows.
        """
        _check_rows(X, y, spans, weight)
        stages: list[FittedStage] = []
        table = X
        for number, template in enumerate(self.fitted):
            stage = fresh(template).fit(table, y, spans=spans, weight=weight, seed=seed + 7919 * number)
            table = transformed(stage, table)
            stages.append(stage)
        return FittedPipeline(tuple(map(str, X.columns)), stages, tuple(map(str, table.columns)))

    def spec(self) -> dict[str, Any]:
        """Return plain JSON values that rebuild the causal part.

        Raises
        ------
        StageError
            If a stage cannot be written down (it has no ``spec()``).
        """
        specs = []
        for stage in self.causal:
            spec = getattr(stage, "spec", None)
            if spec is None:
                raise StageError(
                    f"the stage {stage.name!r} cannot be saved",
                    got="a stage without spec()",
                    allowed="stages with spec() and from_spec(), found by name in a catalogue",
                    remedy="Add the two methods and the entry point onward.stages.",
                )
            specs.append(spec())
        return {"causal": specs, "dtype": self.dtype.name}

    @classmethod
    def from_spec(
        cls,
        spec: Mapping[str, Any],
        fitted: Sequence[FittedTemplate] = (),
        *,
        cache: FeatureCache | None = None,
    ) -> Self:
        """Rebuild a pipeline from `spec`; raises `StageError` for unknown stages."""
        stages = [stage_from_spec(stage) for stage in spec["causal"]]
        return cls(stages, fitted, cache=cache, dtype=spec["dtype"])

    def _check_plan(self) -> None:
        if not self.causal:
            raise StageError(
                "a feature pipeline has no causal stage",
                allowed="one or more stages",
                remedy='Name at least one, such as "manual".',
            )
        if len(self._parts) != len(self.causal):
            names = [stage.name for stage in self.causal]
            raise StageError(
                "two stages of a pipeline share a name",
                got=", ".join(sorted({name for name in names if names.count(name) > 1})),
                allowed="one stage a name",
                remedy="Give one of them another name; it prefixes the columns.",
            )

    def _described(self) -> dict[str, tuple[FeatureInfo, ...]]:
        told: dict[str, tuple[FeatureInfo, ...]] = {}
        for stage in self.causal:
            with attributed(stage.name, "describe()"):
                told[stage.name] = describe(stage)
        for name, features in told.items():
            named = tuple(getattr(feature, "column", None) for feature in features)
            if named != self._parts[name]:
                odd = sorted(set(named).symmetric_difference(self._parts[name]), key=str)
                raise StageError(
                    f"the stage {name!r} describes other columns than it declares",
                    got=", ".join(map(str, odd[:3])) or "another order",
                    allowed="one line a column, in the order of columns()",
                    remedy="Make its columns() and describe() agree.",
                )
        return told

    def _key(self, stage: CausalStage, market: Market) -> str | None:
        """Return under which name the cache keeps a stage's columns; None when it must not."""
        spec = getattr(stage, "spec", None)
        if self.cache is None or spec is None or not is_onwards(stage):
            return None
        return cache_key(market.content_hash, spec(), self.dtype)

    def _work(self, progress: Progress | None, keys: Mapping[str, str | None], n_rows: int) -> WorkProgress:
        if progress is None:
            return WorkProgress(None, {stage.name: () for stage in self.causal}, n_rows)
        cache = self.cache
        held = [
            name for name, key in keys.items() if key is not None and cache is not None and cache.holds(key)
        ]
        return WorkProgress(progress, self._described(), n_rows, held)

    def _part(
        self,
        stage: CausalStage,
        key: str | None,
        market: Market,
        work: WorkProgress,
        out: npt.NDArray[Any] | None,
    ) -> npt.NDArray[Any]:
        columns = self._parts[stage.name]
        computed = False

        def fill(matrix: npt.NDArray[Any]) -> None:
            nonlocal computed
            computed = True
            write_columns(stage, columns, market, matrix, work.computing(stage.name))

        shape = (len(market), len(columns))
        if self.cache is not None and key is not None:
            found = self.cache.build(key, shape, self.dtype, fill)
            if out is None:
                out = found
            else:
                out[:] = found
        else:
            if out is None:
                out = np.empty(shape, dtype=self.dtype, order="F")
            fill(out)
        work.finish(stage.name, computed=computed)
        return out


def _check_rows(X: pd.DataFrame, y: npt.NDArray[Any], spans: Spans, weight: FloatArray | None) -> None:
    lengths = {"X": len(X), "y": len(y), "spans": len(spans)}
    if weight is not None:
        lengths["weight"] = len(weight)
    if len(set(lengths.values())) != 1 or len(X) == 0:
        raise StageError(
            "a pipeline cannot be fitted on these rows",
            got=", ".join(f"{name} of {length}" for name, length in lengths.items()),
            allowed="one or more rows, of equal length",
            remedy="Take X, y, spans and weight at the same positions.",
        )
