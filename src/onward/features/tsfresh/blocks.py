"""The columns of a stage, in blocks of one series and one window, and which of them are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onward.errors import StageError, nearest, told_bars
from onward.features.tsfresh.parameters import Feature
from onward.features.tsfresh.series import Source
from onward.types import Market

__all__ = ["Block", "narrowed", "require_full_windows"]


@dataclass(frozen=True)
class Block:
    """The columns of one series and one window, which are computed together."""

    source: Source
    window: int
    features: tuple[Feature, ...]

    def columns(self) -> tuple[str, ...]:
        """Return the full column names."""
        return tuple(f"tsfresh__{self.source.name}__{self.window}__{f.name}" for f in self.features)

    @property
    def lookback(self) -> int:
        """Bars that a row needs, its own included."""
        return self.window + self.source.lookback - 1


def narrowed(blocks: tuple[Block, ...], only: Sequence[str] | None) -> tuple[Block, ...]:
    """Return the blocks of some columns, with those alone where every feature has a kernel."""
    if only is None:
        return blocks
    own = {column for block in blocks for column in block.columns()}
    strange = [column for column in only if column not in own]
    if strange or not only:
        close = nearest(strange[0], own) if strange else None
        raise StageError(
            "the stage 'tsfresh' cannot be restricted to these columns",
            got=strange[0] if strange else "no column",
            allowed=f"some of its {len(own)} columns",
            remedy=f"Did you mean {close!r}?" if close else "Take them from columns().",
        )
    wanted = frozenset(only)
    kept = [
        Block(
            block.source,
            block.window,
            tuple(f for column, f in zip(block.columns(), block.features, strict=True) if column in wanted),
        )
        for block in blocks
    ]
    kept = [block for block in kept if block.features]
    needed = {feature.name for block in kept for feature in block.features}
    union = tuple(feature for feature in blocks[0].features if feature.name in needed)
    if all(feature.native for feature in union):
        return tuple(kept)
    return tuple(Block(block.source, block.window, union) for block in kept)


def require_full_windows(blocks: Sequence[Block], market: Market) -> None:
    """Refuse windows that no symbol of a market can fill.

    Raises
    ------
    StageError
        With the longest window that the market has bars for.
    """
    longest = max(rows.stop - rows.start for rows in market.rows.values())
    beyond = [block for block in blocks if block.lookback > longest]
    if not beyond:
        return
    windows = sorted({block.window for block in beyond})
    needed = max(block.lookback for block in beyond)
    possible = longest - max(block.source.lookback for block in blocks) + 1
    raise StageError(
        "the setting tsfresh.windows names a window that no symbol has bars for: its columns would be NaN "
        "in every row",
        got=f"windows of {', '.join(map(str, windows))} bars, which need {needed}; the longest symbol has "
        f"{told_bars(longest)}",
        allowed=f"windows of 1 to {told_bars(possible)}"
        if possible > 0
        else f"more than {told_bars(longest)} of data",
        remedy="Shorten features.tsfresh.windows, or give more history.",
        settings=("windows",),
    )
