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
from collections.abc import Iterator

import numpy as np
import pandas as pd

from onward.errors import NotEnoughDataError, StageError, told_bars
from onward.features.catalog import BuildableStage, stage_class, stage_kind, stage_names
from onward.features.declarations import require_declared
from onward.protocols import CausalStage
from onward.testing.changed_markets import (
    N_CUTS,
    clean_rows,
    cuts,
    damaged,
    early_cuts,
    fresh,
    most_bars,
    scrambled,
)
from onward.testing.comparing import require_equal, require_finite, rolling_scale
from onward.testing.contract_markets import ContractMarket, contract_markets
from onward.types import Market

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
    require_declared(stage)
    if most_bars(market) <= stage.lookback + N_CUTS:
        raise NotEnoughDataError(
            f"the market is too short to check the stage {stage.name!r}",
            got=f"{told_bars(most_bars(market))} of the longest symbol",
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
    before = fresh(market).content_hash
    first = stage.compute(fresh(market))
    if fresh(market).content_hash != before:
        raise StageError(
            f"the stage {stage.name!r} modifies the market it is given",
            remedy="Copy an array before writing to it.",
        )
    second = stage.compute(fresh(market))
    require_equal(stage, "computed twice from the same market", first, second, exact=True)
    return first


def check_columns(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check names, order, type and index of the columns, and the way through JSON and back."""
    require_declared(stage)
    names = stage.columns()
    if stage.columns() != names or tuple(table.columns) != names:
        raise StageError(
            f"the stage {stage.name!r} does not give the columns that it declares",
            got=f"{len(table.columns)} columns, declared {len(names)}",
            allowed="the same names in the same order, every time",
        )
    if not table.index.equals(market.bars.index) or any(kind != np.float64 for kind in table.dtypes):
        raise StageError(
            f"the stage {stage.name!r} gives rows or types other than promised",
            got=f"{len(table)} rows, types {sorted({str(kind) for kind in table.dtypes})}",
            allowed=f"{len(market)} rows with the market's index, float64",
        )
    require_finite(stage, table)
    spec = getattr(stage, "spec", None)
    if spec is not None:
        rebuilt = type(stage).from_spec(json.loads(json.dumps(spec())))  # type: ignore[attr-defined]
        if rebuilt.lookback != stage.lookback or rebuilt.scope != stage.scope:
            raise StageError(f"the stage {stage.name!r} has another lookback or scope once rebuilt")
        require_equal(
            stage, "rebuilt from its specification", table, rebuilt.compute(fresh(market)), exact=True
        )


def check_truncation(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check that rows stay as they are when what came after them is taken away."""
    for moment in (*early_cuts(market), *cuts(market)):
        known = market.known_at(moment)
        require_equal(
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
    for moment in cuts(market):
        past = np.asarray(market.decision_time <= moment)
        for direction in (1.0, -1.0):
            other = scrambled(market, moment, direction, generator)
            require_equal(
                stage,
                f"computed with another future after {moment}",
                table[past],
                stage.compute(other)[past],
            )


def check_latest(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check that the newest row from exactly ``lookback`` bars equals the row of the whole history."""
    n_checked = 0
    for moment in cuts(market):
        known = market.known_at(moment)
        recent = known.last(stage.lookback)
        if len(recent) == len(known):
            continue
        n_checked += 1
        newest = np.flatnonzero(recent.open_time_ns == recent.open_time_ns.max())
        live = stage.compute(recent).iloc[newest]
        require_equal(
            stage,
            f"computed live from {stage.lookback} bars",
            table.loc[live.index],
            live,
            scale=rolling_scale(table, table.index.get_indexer(live.index)),
        )
    if n_checked == 0:
        raise NotEnoughDataError(
            f"the lookback of the stage {stage.name!r} cannot be checked on this market",
            got=f"{most_bars(market)} bars",
            allowed=f"more than {stage.lookback}",
            remedy="Give a longer market.",
        )


def check_separate_symbols(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check that a symbol alone gives the same values as within the panel, unless the scope says so."""
    if stage.scope == "cross_section":
        return
    for symbol in market.symbols:
        alone = stage.compute(market.select([symbol]))
        require_equal(stage, f"computed for {symbol} alone", table.loc[alone.index], alone)


def check_missing_values(stage: CausalStage, market: Market, table: pd.DataFrame) -> None:
    """Check gaps and unknown values: no infinity, no lost row, and no memory beyond the lookback.

    Five bars are turned into NaN, then taken away altogether; side values are unknown for a
    while. Rows after ``lookback`` further bars must be what they were.
    """
    for what, other, changed in damaged(market):
        found = stage.compute(other)
        if not found.index.equals(other.bars.index):
            raise StageError(f"the stage {stage.name!r} loses or adds rows {what}")
        require_finite(stage, found)
        clean = clean_rows(other, changed, stage.lookback)
        require_equal(stage, what, table.loc[other.bars.index[clean]], found[clean])


def contract_stages(market: Market) -> Iterator[BuildableStage]:
    """Yield every causal stage, Onward's and installed, with several option sets, made for a market."""
    for name in stage_names():
        if stage_kind(name) == "causal":
            yield from stage_class(name).examples(market)
