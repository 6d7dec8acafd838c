"""From bars to the matrix a model sees: causal stages over the history, fitted stages in a fold."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeAlias, cast, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError, nearest
from onward.features.cache import FeatureCache, cache_key
from onward.features.catalog import fitted_class, stage_from_spec
from onward.protocols import CausalStage, FittedStage, Progress
from onward.types import FloatArray, Market, ProgressEvent, Spans

__all__ = ["FeaturePipeline", "FittedPipeline", "FittedTemplate", "nan_ledger"]

FittedTemplate: TypeAlias = FittedStage | Callable[[], FittedStage]
"""What a fitted stage is made from: an unfitted one, which is copied, or a class or function."""


@runtime_checkable
class _FastStage(Protocol):
    """A stage that writes its columns straight into a matrix, a few at a time."""

    def compute_into(
        self, market: Market, out: npt.NDArray[Any], done: Callable[[int, str], None] | None = None
    ) -> None: ...


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
        If there is no stage, two share a name, or their columns are not prefixed and unique.
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
        self._parts = {stage.name: tuple(stage.columns()) for stage in self.causal}
        self._check_plan()

    @property
    def lookback(self) -> int:
        """Bars that the longest causal stage needs, the row itself included."""
        return max(stage.lookback for stage in self.causal)

    def columns(self) -> tuple[str, ...]:
        """Return the causal columns in plan order."""
        return tuple(column for columns in self._parts.values() for column in columns)

    def compute(self, market: Market, progress: Progress | None = None) -> pd.DataFrame:
        """Return the matrix of all causal columns for every bar.

        Parameters
        ----------
        market
            Bars and side series.
        progress
            Told after every few columns.

        Returns
        -------
        DataFrame
            Index ``market.bars.index``, columns `columns()`, of the pipeline's type, stored
            column by column; NaN = not known yet. With a cache and a single stage it is a
            read-only view of the memory-mapped file.

        Raises
        ------
        StageError
            If a stage gives other rows or columns than it declared, or an infinity.
        """
        shape = (len(market), len(self.columns()))
        if self.cache is not None and len(self.causal) == 1:
            matrix = self._part(self.causal[0], market, _reporter(progress, 0, shape[1]), None)
        else:
            matrix = np.empty(shape, dtype=self.dtype, order="F")
            first = 0
            for stage in self.causal:
                last = first + len(self._parts[stage.name])
                self._part(stage, market, _reporter(progress, first, shape[1]), matrix[:, first:last])
                first = last
        return pd.DataFrame(matrix, index=market.bars.index, columns=list(self.columns()), copy=False)

    def latest(self, market: Market) -> pd.DataFrame:
        """Return the newest row of every symbol, each computed from exactly `lookback` bars.

        Symbols whose last bar is older than the newest of the panel are computed as of their own
        last bar. Nothing is read from or written to the cache.
        """
        newest = {symbol: int(market.open_time_ns[rows.stop - 1]) for symbol, rows in market.rows.items()}
        pieces: list[pd.DataFrame] = []
        for moment in sorted(set(newest.values())):
            known = market.known_at(pd.Timestamp(moment + market.timeframe_ns, unit="ns", tz="UTC"))
            recent = known.last(self.lookback)
            table = FeaturePipeline(self.causal, dtype=self.dtype).compute(recent)
            rows = [recent.rows[symbol].stop - 1 for symbol, last in newest.items() if last == moment]
            pieces.append(table.iloc[rows])
        if not pieces:
            return self.compute(market)
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
            stage = _fresh(template).fit(table, y, spans=spans, weight=weight, seed=seed + 7919 * number)
            table = _transformed(stage, table)
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
        for name, columns in self._parts.items():
            wrong = [c for c in columns if not c.startswith(f"{name}__") or columns.count(c) > 1]
            if wrong or not columns:
                raise StageError(
                    f"the stage {name!r} names its columns wrongly",
                    got=", ".join(wrong[:5]) or "no column",
                    allowed=f"unique names that begin with {name + '__'!r}",
                    remedy="Correct its columns().",
                )

    def _part(
        self,
        stage: CausalStage,
        market: Market,
        report: Callable[[int, str], None],
        out: npt.NDArray[Any] | None,
    ) -> npt.NDArray[Any]:
        columns = self._parts[stage.name]
        spec = getattr(stage, "spec", None)
        ours = type(stage).__module__.partition(".")[0] == "onward"

        def fill(matrix: npt.NDArray[Any]) -> None:
            _fill(stage, columns, market, matrix, report)

        if self.cache is not None and spec is not None and ours:
            key = cache_key(market.content_hash, spec(), self.dtype)
            found = self.cache.build(key, (len(market), len(columns)), self.dtype, fill)
            report(len(columns), stage.name)
            if out is None:
                return found
            out[:] = found
            return out
        if out is None:
            out = np.empty((len(market), len(columns)), dtype=self.dtype, order="F")
        fill(out)
        return out


class FittedPipeline:
    """The fitted stages of one fold: turns causal columns into what the model sees.

    Parameters
    ----------
    input_columns
        Causal columns that the stages were fitted on.
    stages
        Fitted stages in order.
    output_columns
        Columns that `transform` gives.
    """

    def __init__(
        self, input_columns: Sequence[str], stages: Sequence[FittedStage], output_columns: Sequence[str]
    ) -> None:
        self.input_columns = tuple(input_columns)
        self.stages = tuple(stages)
        self.output_columns = tuple(output_columns)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that the model sees, rows as given.

        Columns are matched by name: other columns and another order do not matter.

        Raises
        ------
        StageError
            If a column is missing, or a stage breaks its contract.
        """
        missing = [column for column in self.input_columns if column not in X.columns]
        if missing:
            raise StageError(
                "columns that the pipeline was fitted on are missing",
                got=f"{len(missing)} missing, first {missing[0]!r}",
                allowed=f"all {len(self.input_columns)} columns of the fit",
                remedy="Compute the features with the pipeline that the model was trained with.",
            )
        same = len(X.columns) == len(self.input_columns) and tuple(X.columns) == self.input_columns
        table = X if same else X[list(self.input_columns)]
        for stage in self.stages:
            table = _transformed(stage, table)
        if tuple(table.columns) != self.output_columns:
            raise StageError(
                "the fitted stages give other columns than when they were fitted",
                got=f"{len(table.columns)} columns",
                allowed=f"the {len(self.output_columns)} columns of the fit",
                remedy="A stage's columns must not depend on the rows it transforms.",
            )
        return table

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON values."""
        return {
            "input_columns": list(self.input_columns),
            "output_columns": list(self.output_columns),
            "stages": [{"stage": stage.name, "state": stage.to_json()} for stage in self.stages],
        }

    @classmethod
    def from_json(
        cls, state: Mapping[str, Any], catalog: Mapping[str, type[FittedStage]] | None = None
    ) -> Self:
        """Rebuild fitted stages by name.

        Parameters
        ----------
        state
            What `to_json` returned.
        catalog
            Classes by name that are looked up before the catalogue of installed stages.
        """
        own = catalog or {}
        stages = [
            (own.get(part["stage"]) or fitted_class(part["stage"])).from_json(part["state"])
            for part in state["stages"]
        ]
        return cls(state["input_columns"], stages, state["output_columns"])


def nan_ledger(X: pd.DataFrame) -> pd.DataFrame:
    """Return where a matrix is not known: one row a column.

    Returns
    -------
    DataFrame
        ``column``; ``count`` of NaN; ``share`` of all rows, 0 to 1; ``first_valid``, the open
        time (UTC) of the first row that has a value, NaT when none has.
    """
    times = pd.DatetimeIndex(X.index.get_level_values(-1)) if len(X) else pd.DatetimeIndex([], tz="UTC")
    counts = np.zeros(X.shape[1], dtype=np.int64)
    first: list[Any] = []
    for position in range(X.shape[1]):
        known = ~np.isnan(X.iloc[:, position].to_numpy())
        counts[position] = len(X) - np.count_nonzero(known)
        first.append(times[known].min() if known.any() else pd.NaT)
    return pd.DataFrame(
        {
            "column": list(map(str, X.columns)),
            "count": counts,
            "share": counts / max(len(X), 1),
            "first_valid": pd.DatetimeIndex(pd.to_datetime(first, utc=True)),
        }
    )


def _fill(
    stage: CausalStage,
    columns: tuple[str, ...],
    market: Market,
    out: npt.NDArray[Any],
    report: Callable[[int, str], None],
) -> None:
    # Too large for float32 becomes an infinity, which is refused below with the column's name.
    with np.errstate(over="ignore"):
        if isinstance(stage, _FastStage):
            stage.compute_into(market, out, report)
        else:
            out[:] = _computed(stage, columns, market)
    for position, column in enumerate(columns):
        endless = np.isinf(out[:, position])
        if endless.any():
            row = int(np.flatnonzero(endless)[0])
            raise StageError(
                f"the stage {stage.name!r} gives a value that is infinite or beyond {out.dtype}",
                got=f"{column} at {' '.join(map(str, market.bars.index[row]))}",
                allowed="finite numbers, or NaN for not known",
                remedy="Divide only where the divisor is not zero, and put values on a relative scale.",
            )
    report(len(columns), stage.name)


def _computed(stage: CausalStage, columns: tuple[str, ...], market: Market) -> npt.NDArray[Any]:
    table = stage.compute(market)
    if tuple(table.columns) != columns:
        absent = [column for column in columns if column not in table.columns]
        extra = [str(column) for column in table.columns if column not in columns]
        close = nearest(absent[0], extra) if absent else None
        raise StageError(
            f"the stage {stage.name!r} gives other columns than it declared",
            got=f"missing: {', '.join(absent[:3]) or 'none'}; not declared: {', '.join(extra[:3]) or 'none'}",
            allowed="exactly columns(), in that order",
            remedy=f"Did it mean {close!r}?" if close else "Make columns() and compute() agree.",
        )
    if len(table) != len(market) or not table.index.equals(market.bars.index):
        raise StageError(
            f"the stage {stage.name!r} gives other rows than the market has",
            got=f"{len(table)} rows",
            allowed=f"{len(market)} rows, index equal to market.bars.index",
            remedy="Return one row a bar, NaN where nothing is known.",
        )
    wrong = [str(c) for c, kind in table.dtypes.items() if kind != np.float64]
    if wrong:
        raise StageError(
            f"the stage {stage.name!r} gives columns that are not float64",
            got=f"{wrong[0]} of type {table[wrong[0]].dtype}",
            allowed="float64",
            remedy="Convert it; True and False become 1.0 and 0.0.",
        )
    return table.to_numpy()


def _reporter(progress: Progress | None, before: int, total: int) -> Callable[[int, str], None]:
    def report(done: int, what: str) -> None:
        if progress is not None:
            progress(ProgressEvent("features", before + done, total, what))

    return report


def _fresh(template: FittedTemplate) -> FittedStage:
    if isinstance(template, type) or not hasattr(template, "fit"):
        return cast("Callable[[], FittedStage]", template)()
    return cast("FittedStage", copy.deepcopy(template))


def _transformed(stage: FittedStage, X: pd.DataFrame) -> pd.DataFrame:
    table = stage.transform(X)
    if len(table) != len(X) or not table.index.equals(X.index):
        raise StageError(
            f"the fitted stage {stage.name!r} gives other rows than it was given",
            got=f"{len(table)} rows",
            allowed=f"{len(X)} rows, index unchanged",
            remedy="Return one row for each row of X.",
        )
    if table.shape[1] == 0:
        raise StageError(
            f"the fitted stage {stage.name!r} leaves no column",
            got=f"{X.shape[1]} columns went in",
            allowed="at least one column",
            remedy="Loosen its thresholds.",
        )
    return table


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
