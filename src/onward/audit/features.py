"""Audits a causal stage, or a plain function, on a market."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from onward.audit.adapters import FunctionStage, as_stage
from onward.audit.causality import check_availability, check_latest, check_perturbation, check_truncation
from onward.audit.conduct import (
    check_contract,
    check_determinism,
    check_mutation,
    check_provenance,
    check_symbols,
)
from onward.audit.cuts import Cut, cut_moments, event_cuts
from onward.audit.report import AuditReport, Ledger
from onward.audit.table import StageRunner
from onward.audit.windows import Bench
from onward.errors import AuditError, NotEnoughDataError
from onward.protocols import CausalStage, Progress
from onward.types import Finding, Market, ProgressEvent, SideSeries, to_ns

__all__ = ["audit_function", "audit_stage"]

FEWEST_BARS = 50
ABOUT_RUNS = 75


def audit_stage(
    stage: CausalStage,
    market: Market,
    *,
    cuts: int | Sequence[pd.Timestamp] = 12,
    seed: int = 0,
    progress: Progress | None = None,
) -> AuditReport:
    """Prove, or disprove, on a market that a stage never sees the future.

    Checks: ``contract``, ``determinism``, ``input_mutation``, ``truncation`` (recompute on what
    was known at each cut), ``perturbation`` (change everything after each cut),
    ``availability`` (change only side values that were not published yet),
    ``batch_equals_latest`` (exactly ``lookback`` bars give the batch value), ``symbol_mixing``,
    ``provenance``. Values may differ by 1e-9 of the column's rolling scale (the largest absolute
    value within 250 rows); a changed NaN always counts. The stage is run from a fresh copy each
    time and never sees the caller's own market.

    Parameters
    ----------
    stage
        The stage. A `FunctionStage` without ``lookback_bars`` is compared on whole histories only
        and not asked whether live equals batch.
    market
        At least 50 moments; the longer, the more events are met.
    cuts
        Fewest cuts, or the moments themselves (decision times).
    seed
        Chooses cuts and other futures.
    progress
        Told how far the audit has come.

    Returns
    -------
    AuditReport
        ``passed`` is True when no finding is a leak.

    Raises
    ------
    AuditError
        The stage cannot be computed on this market, or does not return one row a bar.
    NotEnoughDataError
        The market is too short to be cut.
    """
    _require_bars(market)
    ledger = Ledger()
    market = _with_availability(market, ledger)
    step = _stepper(progress)
    runner = StageRunner(stage)
    try:
        full = runner.compute(market)
    except AuditError:
        raise
    except Exception as error:
        raise AuditError(
            f"{stage.name} cannot be computed on this market",
            got=f"{type(error).__name__}: {error} ({_place(error)})",
            remedy="Make it run on the whole market first; the audit starts from there.",
        ) from error
    lookback = stage.lookback_bars if isinstance(stage, FunctionStage) else int(stage.lookback)
    bench = Bench(runner, full, lookback if lookback is None else max(1, lookback), stage.scope)
    chosen = _chosen_cuts(bench, cuts, seed)

    with ledger.check("contract"):
        check_contract(stage, full, lookback, ledger)
    with ledger.check("determinism"):
        check_determinism(bench, market, ledger)
    with ledger.check("input_mutation"):
        check_mutation(runner, market, ledger)
    if ledger.found("determinism"):
        for name in ("truncation", "perturbation", "availability", "batch_equals_latest", "symbol_mixing"):
            ledger.skip(name, "the stage gives other values on every run")
        return ledger.report(stage.name, market.content_hash)
    with ledger.check("truncation"):
        check_truncation(bench, chosen, ledger, step)
    with ledger.check("perturbation"):
        check_perturbation(bench, chosen, ledger, step)
    if market.series:
        with ledger.check("availability"):
            check_availability(bench, chosen, ledger, step)
    else:
        ledger.skip("availability", "no side series")
    if lookback is None:
        ledger.skip("batch_equals_latest", "no lookback declared")
    else:
        with ledger.check("batch_equals_latest"):
            check_latest(bench, ledger, step)
    if stage.scope == "symbol":
        with ledger.check("symbol_mixing"):
            check_symbols(bench, ledger)
    else:
        ledger.skip("symbol_mixing", "the stage compares symbols on purpose")
    with ledger.check("provenance"):
        check_provenance(bench, ledger)
    step("done", last=True)
    return ledger.report(stage.name, market.content_hash)


def audit_function(
    function: Callable[..., Any],
    market: Market,
    *,
    columns: Sequence[str] | None = None,
    lookback: int | None = None,
    cuts: int | Sequence[pd.Timestamp] = 12,
    seed: int = 0,
    progress: Progress | None = None,
    **wrapping: Any,
) -> AuditReport:
    """Audit a plain function: ``f(market)``, ``f(df)`` or ``f(df, sources)``.

    See `as_stage` for the shapes and for further keywords (``name``, ``scope``, ``takes``,
    ``sources``), and `audit_stage` for the checks.
    """
    stage = as_stage(function, columns, lookback=lookback, **wrapping)
    return audit_stage(cast(CausalStage, stage), market, cuts=cuts, seed=seed, progress=progress)


def _place(error: Exception) -> str:
    """Return file and line of the user's own code that an error came through, the deepest one."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = Path(__file__).parents[1]
    theirs = [f for f in frames if "site-packages" not in f.filename and ours not in Path(f.filename).parents]
    deepest = (theirs or frames)[-1]
    return f"{Path(deepest.filename).name}, line {deepest.lineno}"


def _require_bars(market: Market) -> None:
    n_moments = len(np.unique(market.decision_time_ns))
    if n_moments < FEWEST_BARS:
        raise NotEnoughDataError(
            "The market is too short to be audited",
            got=f"{n_moments} moments",
            allowed=f"at least {FEWEST_BARS}",
            remedy="Give more bars; a few thousand meet most events.",
        )


def _with_availability(market: Market, ledger: Ledger) -> Market:
    """Report sources that do not say when they were known, and go on as if at their stamp."""
    series = {}
    for name, side in market.series.items():
        frame = side.frame
        if "available_at" not in frame:
            detail = "the source does not say when its values became available (no available_at column)"
            ledger.add(Finding("availability", "leak", name, "", detail))
            frame = frame.assign(available_at=frame["timestamp"])
        series[name] = SideSeries(name, frame)
    return market.replace(series=series)


def _chosen_cuts(bench: Bench, cuts: int | Sequence[pd.Timestamp], seed: int) -> list[Cut]:
    if isinstance(cuts, int):
        if cuts < 1:
            raise AuditError("Too few cuts", got=cuts, allowed="at least 1")
        chosen = cut_moments(bench.market, count=cuts, seed=seed) + event_cuts(bench.full, seed=seed)
    else:
        times = pd.DatetimeIndex(pd.to_datetime(list(cuts), utc=True))
        chosen = [Cut(int(moment), "given", whole=True) for moment in to_ns(times)]
    unique = {cut.moment: cut for cut in reversed(chosen)}
    first, last = int(bench.market.decision_time_ns.min()), int(bench.market.decision_time_ns.max())
    inside = [replace(unique[moment]) for moment in sorted(unique) if first <= moment < last]
    if not inside:
        raise AuditError(
            "No cut falls inside the market",
            got=f"{len(chosen)} cuts",
            allowed=f"decision times from {bench.market.decision_time.min()} to before "
            f"{bench.market.decision_time.max()}",
        )
    return inside


def _stepper(progress: Progress | None) -> Callable[..., None]:
    done = 0

    def step(message: str, *, last: bool = False) -> None:
        nonlocal done
        done = ABOUT_RUNS if last else min(done + 1, ABOUT_RUNS - 1)
        if progress is not None:
            progress(ProgressEvent("audit", done, ABOUT_RUNS, message))

    return step
