"""What a plan will make of a market, as JSON shows it. Imports training libraries: for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward.data.timeframe import format_timeframe
from onward.features.overview import Overview, overview
from onward.registry.plain import plain
from onward.tasks.markets import frozen_source, market_of
from onward.tasks.plans import frozen_plan, resolved_plan
from onward.training.stages import make_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onward.data.repositories import DataStore
    from onward.settings import Settings
    from onward.training.service import MLTrainingService

__all__ = ["plan_view", "plan_warnings"]

MUCH_MEMORY = 4 * 2**30


def plan_view(
    asked: object,
    source: Mapping[str, Any],
    *,
    settings: Settings,
    repositories: DataStore,
    training: MLTrainingService,
    columns: bool,
) -> dict[str, Any]:
    """Return a plan as it would run on a market, after everything that training would refuse.

    Parameters
    ----------
    asked
        None, a preset's name, or sections and values.
    source
        ``data`` and ``series`` of a request.
    settings, repositories, training
        Of the server.
    columns
        Whether to name every column.

    Raises
    ------
    OnwardError
        As training would, before it computes a feature.
    """
    plan = resolved_plan(settings, asked)
    market = market_of(repositories, plan.data, frozen_source(source))
    training.check(market, plan)
    found = overview(make_pipeline(plan, market), len(market))
    frozen = frozen_plan(plan)
    view = {
        "plan": frozen["plan"],
        "plan_hash": plan.content_hash,
        "symbols": list(market.symbols),
        "timeframe": format_timeframe(market.timeframe),
        "rows": found.rows,
        "columns": len(found.features),
        "lookback_bars": found.lookback_bars,
        "seconds": found.seconds,
        "columns_of_unknown_cost": found.n_unknown,
        "matrix_bytes": found.matrix_bytes,
        "families": found.families,
        "fitted": found.fits,
        "features": found.features if columns else None,
        "warnings": plan_warnings(found),
    }
    shown: dict[str, Any] = plain(view)
    return shown


def plan_warnings(found: Overview) -> list[str]:
    """Return sentences about what is off, not known, short or large."""
    warnings = [
        f"{f.stage}{f'.{f.family}' if f.family else ''} is off: {f.off}" for f in found.families if f.off
    ]
    if found.n_unknown:
        warnings.append(f"nobody measured what {found.n_unknown} columns cost")
    if found.rows < 2 * found.lookback_bars:
        warnings.append(f"{found.rows} bars are few for features that look back {found.lookback_bars} bars")
    if found.matrix_bytes > MUCH_MEMORY:
        warnings.append(f"the features take {found.matrix_bytes / 2**30:.1f} GiB of memory")
    return warnings
