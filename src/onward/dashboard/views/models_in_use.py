"""The versions that aliases stand for, a line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onward.dashboard.views.freshness import Freshness, freshness
from onward.naming.sample import is_sample

if TYPE_CHECKING:
    from onward.registry import Version
    from onward.server.coverage import Reach

__all__ = ["ModelInUse", "models_in_use"]


@dataclass(frozen=True)
class ModelInUse:
    """A version that an alias stands for.

    Attributes
    ----------
    missing
        The first of its symbols that no candles are stored of.
    of_sample
        Whether it learnt from the bundled bars.
    """

    name: str
    alias: str
    number: int
    symbols: tuple[str, ...]
    timeframe: str
    published_at: datetime
    direction: str | None
    range: str | None
    freshness: Freshness
    missing: str | None = None
    of_sample: bool = False


def models_in_use(
    in_use: Iterable[Version],
    reach: Mapping[tuple[str, str], Reach],
    now: datetime,
    most_missed: int | None,
) -> tuple[ModelInUse, ...]:
    """Return a line for each alias, those named champion first."""
    lines = []
    for version in in_use:
        manifest = version.manifest
        stored = [reach.get((symbol, manifest.timeframe)) for symbol in manifest.symbols]
        fresh = freshness(stored, now, most_missed)
        absent = (symbol for symbol, one in zip(manifest.symbols, stored, strict=True) if one is None)
        missing = next(absent, None)
        lines += [_model(alias, version, fresh, missing) for alias in version.aliases]
    return tuple(sorted(lines, key=lambda line: (line.alias != "champion", line.name)))


def _model(alias: str, version: Version, fresh: Freshness, missing: str | None) -> ModelInUse:
    manifest = version.manifest
    levels = {name: _level(manifest.verdicts.get(name)) for name in ("direction", "range")}
    return ModelInUse(
        name=version.name,
        alias=alias,
        number=version.number,
        symbols=tuple(manifest.symbols),
        timeframe=manifest.timeframe,
        published_at=version.published_at,
        direction=levels["direction"],
        range=levels["range"],
        freshness=fresh,
        missing=missing,
        of_sample=is_sample(manifest.symbols, manifest.timeframe, manifest.data_hash),
    )


def _level(verdict: Any) -> str | None:
    return verdict.get("level") if isinstance(verdict, Mapping) else None
