"""The contract suite of causal stages: run it on your own stage before you trust it.

::

    from onward.testing.stages import check_causal_stage, contract_markets

    @pytest.mark.parametrize("market", contract_markets(MyStage().lookback), ids=str)
    def test_my_stage_keeps_its_promises(market):
        check_causal_stage(MyStage(), market.market)

Every check looks for its leak by mechanism: it changes what a row must not know, and watches
whether the row moves. A violation is a `StageError` that names the column, the row and the two
values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import NotEnoughDataError, StageError
from onward.features.catalog import BuildableStage, stage_class, stage_kind, stage_names
from onward.protocols import CausalStage
from onward.testing.markets import planted_signal, random_walk
from onward.types import FloatArray, Market, SideSeries, from_ns

__all__ = [
    "ContractMarket",
    "check_causal_stage",
    "check_columns",
    "check_latest",
    "check_missing_values",
    "check_perturbation",
    "check_repeatable",
    "check_separate_symbols",
    "check_truncation",
    "contract_markets",
    "contract_stages",
]

TOLERANCE = 1e-9
"""Largest difference, in units of the column's rolling scale (DESIGN 2.7)."""

SCALE_ROWS = 512
N_CUTS = 6
LAST_ROWS = 48


def check_causal_stage(stage: CausalStage, market: Market, *, seed: int = 0) -> None:
    """Hold a stage to every promise of `onward.protocols.CausalStage` on one market.

    Parameters
    ----------
    stage
        The stage, made for markets like this one.
    market
        At least ``lookback`` bars and some more for every symbol that is to count; gaps, side
        series and several symbols make the check sharper (`contract_markets`).
    seed
        Seed of the scrambled futures.

    Raises
    ------
    StageError
        At the first promise that is broken, with column, row and values.
    NotEnoughDataError
        If no symbol has more bars than the stage's lookback: nothing could be concluded.
    """
    if _most_bars(market) <= stage.lookback + N_CUTS:
        raise NotEnoughDataError(
            f"the market is too short to check the stage {stage.name!r}",
            got=f"{_most_bars(market)} bars of the longest symbol",
            allowed=f"more than its lookback of {stage.lookback} and a few",
            remedy="Give a longer market.",
        )
    table = check_repeatable(stage, market)
    check_columns(stage, market, table)
    check_truncation(stage, market, table)
    check_perturbation(stage, market, table, seed=seed)
    check_latest(stage, market, table)
    check_separate_symbols(stage, market, table)
    check_missing_values(stage, market, table)


def check_repeatable(stage: CausalStage, market: Market) -> pd.DataFrame:
    """Check that the market is not modified and that the same market gives the same values."""
    before = _fresh(market).content_hash
    first = stage.compute(_fresh(market))
    if _fresh(market).content_hash != before:
        raise StageError(
            f"the stage {stage.name!r} modifies the market it is given",
            remedy="Copy an array before writing to it.",
        )
    second = stage.compute(_fresh(market))
    _compare(stage, "computed twice from the same market", first, second, exact=True)
    return first


def check_columns(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check names, order, type and index of the columns, and the way through JSON and back."""
    names = stage.columns()
    bad = [c for c in names if not c.startswith(f"{stage.name}__") or c == f"{stage.name}__"]
    twice = sorted({c for c in names if names.count(c) > 1})
    if not names or bad or twice:
        raise StageError(
            f"the stage {stage.name!r} names its columns wrongly",
            got=f"without prefix: {bad[:3]}; twice: {twice[:3]}; {len(names)} in all",
            allowed=f"at least one, unique, beginning with {stage.name + '__'!r}",
        )
    if stage.columns() != names or tuple(table.columns) != names:
        raise StageError(
            f"the stage {stage.name!r} does not give the columns that it declares",
            got=f"{len(table.columns)} columns, declared {len(names)}",
            allowed="the same names in the same order, every time",
        )
    if stage.scope not in ("symbol", "cross_section") or stage.lookback < 1:
        raise StageError(
            f"the stage {stage.name!r} declares an impossible scope or lookback",
            got=f"scope {stage.scope!r}, lookback {stage.lookback!r}",
            allowed="scope symbol or cross_section, lookback of at least one bar",
        )
    if not table.index.equals(market.bars.index) or any(kind != np.float64 for kind in table.dtypes):
        raise StageError(
            f"the stage {stage.name!r} gives rows or types other than promised",
            got=f"{len(table)} rows, types {sorted({str(kind) for kind in table.dtypes})}",
            allowed=f"{len(market)} rows with the market's index, float64",
        )
    _no_infinity(stage, table)
    spec = getattr(stage, "spec", None)
    if spec is not None:
        rebuilt = type(stage).from_spec(json.loads(json.dumps(spec())))  # type: ignore[attr-defined]
        if rebuilt.lookback != stage.lookback or rebuilt.scope != stage.scope:
            raise StageError(f"the stage {stage.name!r} has another lookback or scope once rebuilt")
        _compare(stage, "rebuilt from its specification", table, rebuilt.compute(_fresh(market)), exact=True)


def check_truncation(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check that rows stay as they are when what came after them is taken away."""
    for moment in (*_early_cuts(market), *_cuts(market)):
        known = market.known_at(moment)
        _compare(
            stage,
            f"computed from what was known at {moment}",
            table.loc[known.bars.index],
            stage.compute(known),
        )


def check_perturbation(stage: CausalStage, market: Market, table: pd.DataFrame, *, seed: int = 0) -> None:
    """Check that rows stay as they are when what came after them is something else.

    Later bars and later-known side values are replaced twice at every cut, once by a collapse
    and once by a rise beyond all earlier extremes: a stage that looks at the last, the highest,
    or the mean value of its sample cannot be right in both.
    """
    generator = np.random.default_rng(seed)
    for moment in _cuts(market):
        past = np.asarray(market.decision_time <= moment)
        for direction in (1.0, -1.0):
            other = _scrambled(market, moment, direction, generator)
            _compare(
                stage,
                f"computed with another future after {moment}",
                table[past],
                stage.compute(other)[past],
            )


def check_latest(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check that the newest row from exactly ``lookback`` bars equals the row of the whole history."""
    n_checked = 0
    for moment in _cuts(market):
        known = market.known_at(moment)
        recent = known.last(stage.lookback)
        if len(recent) == len(known):
            continue
        n_checked += 1
        newest = np.flatnonzero(recent.open_time_ns == recent.open_time_ns.max())
        live = stage.compute(recent).iloc[newest]
        _compare(
            stage,
            f"computed live from {stage.lookback} bars",
            table.loc[live.index],
            live,
            scale=_scale(table, table.index.get_indexer(live.index)),
        )
    if n_checked == 0:
        raise NotEnoughDataError(
            f"the lookback of the stage {stage.name!r} cannot be checked on this market",
            got=f"{_most_bars(market)} bars",
            allowed=f"more than {stage.lookback}",
            remedy="Give a longer market.",
        )


def check_separate_symbols(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check that a symbol alone gives the same values as within the panel, unless the scope says so."""
    if stage.scope == "cross_section":
        return
    for symbol in market.symbols:
        alone = stage.compute(market.select([symbol]))
        _compare(stage, f"computed for {symbol} alone", table.loc[alone.index], alone)


def check_missing_values(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check gaps and unknown values: no infinity, no lost row, and no memory beyond the lookback.

    Five bars are turned into NaN, then taken away altogether; side values are unknown for a
    while. Rows after ``lookback`` further bars must be what they were.
    """
    for what, other, changed in _damaged(market):
        found = stage.compute(other)
        if not found.index.equals(other.bars.index):
            raise StageError(f"the stage {stage.name!r} loses or adds rows {what}")
        _no_infinity(stage, found)
        clean = _clean_rows(other, changed, stage.lookback)
        _compare(stage, what, table.loc[other.bars.index[clean]], found[clean])


@dataclass(frozen=True, eq=False)
class ContractMarket:
    """A market for the suite, with a name to tell it from others."""

    name: str
    market: Market

    def __str__(self) -> str:
        return self.name


def contract_markets(n_bars: int, *, seed: int = 0) -> Iterator[ContractMarket]:
    """Yield the markets that every stage must pass: with gaps, side series, several symbols.

    Parameters
    ----------
    n_bars
        Lookback of the stage; the markets have about 300 bars more.
    seed
        Seed of the walks.
    """
    length = n_bars + 300
    yield ContractMarket("one symbol", random_walk(length, seed=seed))
    gappy = _with_gaps(random_walk(length + 80, seed=seed + 1, volatility=0.01), seed)
    yield ContractMarket("gaps and side series", gappy.replace(series=_side_series(gappy, seed)))
    names = ("AAA/USD", "BBB/USD", "CCC/USD")
    panel = _unequal(random_walk(length + 60, seed=seed + 2, symbols=names))
    yield ContractMarket("unequal panel", panel.replace(series=_side_series(panel, seed)))
    yield ContractMarket("planted signal", planted_signal(length, seed=seed + 3))


def contract_stages(market: Market) -> Iterator[BuildableStage]:
    """Yield every causal stage, Onward's and installed, with several option sets, made for a market."""
    for name in stage_names():
        if stage_kind(name) == "causal":
            yield from stage_class(name).examples(market)


def _most_bars(market: Market) -> int:
    return max((rows.stop - rows.start for rows in market.rows.values()), default=0)


def _fresh(market: Market) -> Market:
    """Return the market without what it has cached about itself."""
    return market.replace()


def _cuts(market: Market) -> list[pd.Timestamp]:
    """Return decision times to cut at: spread over the later part, and one before the extremes.

    A leak through the final maximum leaves no trace once the maximum is in the past, so one cut
    stands right before the earlier of the highest and the lowest close. Neighbouring cuts catch
    what only a few bars around an event give away.
    """
    times = np.unique(market.decision_time_ns)
    n = len(times)
    places = {int(n * share) for share in np.linspace(0.55, 0.97, N_CUTS - 3)}
    places |= {n - 2, n - 6}
    close = market.bars["close"].to_numpy()
    for extreme in (np.nanargmax(close), np.nanargmin(close)):
        place = int(np.searchsorted(times, market.decision_time_ns[extreme])) - 1
        places.add(max(place, n // 8))
    return list(from_ns(times[sorted(places)]))


def _early_cuts(market: Market) -> list[pd.Timestamp]:
    """Return decision times near the beginning, where only what fills backwards shows itself."""
    times = np.unique(market.decision_time_ns)
    return list(from_ns(times[sorted({min(4, len(times) - 1), len(times) // 40, len(times) // 8})]))


def _scrambled(
    market: Market, moment: pd.Timestamp, direction: float, generator: np.random.Generator
) -> Market:
    """Return the market with other bars and side values from a moment on."""
    bars = market.bars.copy()
    future = np.asarray(market.decision_time > moment)
    if future.any():
        n = int(future.sum())
        values = bars.to_numpy(np.float64, copy=True)
        level = np.exp(direction * (3.0 + np.abs(generator.normal(0.0, 0.5, n))))
        shape = np.exp(generator.normal(0.0, 0.05, (n, 4)))
        prices = values[future][:, :4] * level[:, None] * shape
        values[future, :4] = prices
        values[future, 1], values[future, 2] = prices.max(axis=1), prices.min(axis=1)
        values[future, 4] *= np.exp(generator.normal(2.0 * direction, 1.0, n))
        bars = pd.DataFrame(values, index=bars.index, columns=bars.columns)
    return market.replace(
        bars=bars,
        series={
            name: _other_values(series, np.asarray(series.frame["available_at"] > moment), generator)
            for name, series in market.series.items()
        },
    )


def _other_values(series: SideSeries, rows: Any, generator: np.random.Generator) -> SideSeries:
    frame = series.frame.copy()
    for column in series.values:  # noqa: PD011
        values = frame[column].to_numpy(np.float64, copy=True)
        spread = float(np.nanstd(values)) or 1.0
        values[rows] += generator.normal(5.0, 3.0, int(rows.sum())) * spread
        frame[column] = values
    return SideSeries(series.name, frame)


def _damaged(market: Market) -> Iterator[tuple[str, Market, Any]]:
    """Yield what was done, the damaged market, and which of its rows were changed."""
    changed = np.zeros(len(market), dtype=bool)
    for rows in market.rows.values():
        middle = rows.start + (rows.stop - rows.start) // 6
        changed[middle : middle + 5] = True
    unknown = market.bars.copy()
    unknown[changed] = np.nan
    yield "with five unknown bars", market.replace(bars=unknown), changed
    volume = market.bars.copy()
    volume.loc[changed, "volume"] = np.nan
    yield "with five unknown volumes", market.replace(bars=volume), changed
    # The bar before and the one after a hole see each other: the latter counts as changed.
    hole = np.roll(changed, 1) & ~changed
    without = Market(market.bars[~changed], market.timeframe, market.series)
    yield "with five missing bars", without, hole[~changed]
    if market.series:
        series, until = _silenced(market)
        touched = np.asarray(market.decision_time < until)
        yield "with unknown side values", market.replace(series=series), touched


def _silenced(market: Market) -> tuple[dict[str, SideSeries], pd.Timestamp]:
    out: dict[str, SideSeries] = {}
    until = market.open_time.min()
    for name, series in market.series.items():
        frame = series.frame.copy()
        place = len(frame) // 6
        frame.loc[place : place + 1, list(series.values)] = np.nan
        out[name] = SideSeries(name, frame)
        later = frame["available_at"][frame["available_at"] > frame["available_at"].iloc[place + 1]]
        until = max(until, later.min() if len(later) else market.decision_time.max())
    return out, until


def _clean_rows(market: Market, changed: Any, lookback: int) -> Any:
    """Return the rows whose ``lookback`` newest bars were all left alone, in every symbol."""
    last_changed = {
        s: int(market.open_time_ns[r][changed[r]].max()) if changed[r].any() else -1
        for s, r in market.rows.items()
    }
    clean = np.zeros(len(market), dtype=bool)
    newest = max(last_changed.values())
    for rows in market.rows.values():
        times = market.open_time_ns[rows]
        reach = np.arange(len(times)) - lookback
        oldest = times[np.maximum(reach + 1, 0)]
        clean[rows] = (reach >= -1) & (oldest > newest)
    return clean


def _with_gaps(market: Market, seed: int) -> Market:
    """Return the market without some bars: single ones, runs, and one hole of two days."""
    generator = np.random.default_rng(seed + 99)
    n = len(market)
    keep = np.ones(n, dtype=bool)
    keep[generator.choice(np.arange(1, n - 1), 12, replace=False)] = False
    for start, length in ((n // 3, 3), (n // 2, 7), (3 * n // 4, 49)):
        keep[start : start + length] = False
    return Market(market.bars[keep], market.timeframe, market.series)


def _unequal(panel: Market) -> Market:
    """Return a panel of a symbol with gaps, one that is listed late, and one that ends early."""
    keep = np.ones(len(panel), dtype=bool)
    first, second, third = panel.rows.values()
    n = first.stop - first.start
    keep[first.start + n // 2 : first.start + n // 2 + 4] = False
    keep[first.start + n - 40] = False
    keep[second.start : second.start + 35] = False
    keep[third.stop - 25 : third.stop] = False
    return Market(panel.bars[keep], panel.timeframe, panel.series)


def _side_series(market: Market, seed: int) -> dict[str, SideSeries]:
    """Return funding every 8 h, hourly open interest, daily fear & greed and a custom series.

    Availability lags the timestamps of all but funding; open interest holds a zero, as feeds do.
    """
    generator = np.random.default_rng(seed + 7)
    hour = 3_600_000_000_000
    start = int(market.open_time_ns.min())
    hours = int((market.open_time_ns.max() - start) // hour) + 1

    def build(symbol: str, step: int, delay: int, values: Mapping[str, FloatArray]) -> pd.DataFrame:
        stamps = start + step * hour * np.arange(len(next(iter(values.values()))), dtype=np.int64)
        return pd.DataFrame(
            {"symbol": symbol, "timestamp": from_ns(stamps), "available_at": from_ns(stamps + delay * hour)}
            | {key: array.astype(np.float64) for key, array in values.items()}
        )

    funding, interest = [], []
    for symbol in market.symbols:
        rate = 1e-4 + 5e-5 * generator.normal(size=hours // 8 + 1)
        funding.append(build(symbol, 8, 0, {"funding_rate": rate}))
        positions = 1e5 * np.exp(np.cumsum(generator.normal(0.0, 0.01, hours)))
        positions[hours // 7] = 0.0
        interest.append(build(symbol, 1, 1, {"open_interest": positions}))
    mood = np.clip(50.0 + np.cumsum(generator.integers(-9, 10, hours // 24 + 1)), 3.0, 97.0)
    custom = {"dev activity": generator.normal(size=hours // 5 + 1).cumsum()}
    frames = {
        "funding": pd.concat(funding, ignore_index=True),
        "open_interest": pd.concat(interest, ignore_index=True),
        "fear_greed": build("", 24, 24, {"fear_greed": mood}),
        "development": build("", 5, 3, custom),
    }
    return {name: SideSeries(name, frame) for name, frame in frames.items()}


def _no_infinity(stage: CausalStage, table: pd.DataFrame) -> None:
    endless = np.isinf(table.to_numpy())
    if endless.any():
        row, column = (int(x[0]) for x in np.nonzero(endless))
        raise StageError(
            f"the stage {stage.name!r} gives an infinity",
            got=f"{table.columns[column]} at {_row_name(table, row)}",
            allowed="finite numbers, or NaN for not known",
        )


def _scale(table: pd.DataFrame, rows: Any) -> FloatArray:
    """Return each column's root mean square over the rows up to some rows, shape (rows, columns)."""
    values = table.to_numpy()
    out = np.empty((len(rows), values.shape[1]))
    for i, row in enumerate(rows):
        window = values[max(0, row - SCALE_ROWS + 1) : row + 1]
        known = np.isfinite(window)
        squares = np.square(np.where(known, window, 0.0)).sum(axis=0)
        out[i] = np.sqrt(squares / np.maximum(known.sum(axis=0), 1))
    return out


def _compare(
    stage: CausalStage,
    how: str,
    expected: pd.DataFrame,
    found: pd.DataFrame,
    *,
    exact: bool = False,
    scale: FloatArray | None = None,
) -> None:
    if not found.index.equals(expected.index) or tuple(found.columns) != tuple(expected.columns):
        raise StageError(
            f"the stage {stage.name!r} gives other rows or columns when {how}",
            got=f"{found.shape}",
            allowed=f"{expected.shape}",
        )
    a, b = expected.to_numpy(), found.to_numpy()
    with np.errstate(invalid="ignore"):
        if exact:
            wrong = a != b
        else:
            if scale is None:
                known = np.isfinite(a)
                squares = np.square(np.where(known, a, 0.0)).sum(axis=0)
                scale = np.sqrt(squares / np.maximum(known.sum(axis=0), 1))[None, :]
            wrong = np.abs(a - b) > TOLERANCE * scale
    wrong = (wrong & ~(np.isnan(a) & np.isnan(b))) | (np.isnan(a) != np.isnan(b))
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong.any(axis=1))[0])
    column = int(np.flatnonzero(wrong[row])[0])
    names = [str(c) for c in expected.columns[wrong.any(axis=0)]]
    raise StageError(
        f"a value of the stage {stage.name!r} changes when {how}",
        got=f"{expected.columns[column]} at {_row_name(expected, row)}: {b[row, column]!r}, "
        f"was {a[row, column]!r} ({_few(names)})",
        allowed="the same value: a row may know only what was known at its decision time",
        remedy="Look for a shift, a fill, a sample-wide statistic, a wrong join, or too short a lookback.",
    )


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} columns: {', '.join(names[:6])}{' ...' if len(names) > 6 else ''}"


def _row_name(table: pd.DataFrame, row: int) -> str:
    symbol, moment = table.index[row]
    return f"{symbol} {moment}"
