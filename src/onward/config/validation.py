"""How data are cut into training and test rows."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section
from onward.config.text import DURATION

__all__ = ["ValidationConfig"]

Bars: TypeAlias = Annotated[int, Field(ge=1)]
Duration: TypeAlias = Annotated[str, Field(pattern=DURATION)]


class ValidationConfig(Section):
    """How data are cut into training and test rows; purging always applies."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_VALIDATION__")

    method: Literal["purged_kfold", "walk_forward", "combinatorial"] = Field(
        "purged_kfold",
        description="purged_kfold scores every row, training on both sides of it; walk_forward trains "
        "on the past alone and never scores its first block; combinatorial tests every choice of groups, "
        "so that each row is scored several times.",
    )
    n_splits: int = Field(
        5,
        ge=2,
        le=1_000,
        description="Methods purged_kfold, walk_forward: folds; with step their number follows from the data "
        "and this one is passed over.",
    )
    embargo: Annotated[int, Field(ge=0)] | Duration | None = Field(
        None,
        description="Methods purged_kfold, combinatorial: time after a test block from which nothing is "
        "trained on, in bars or as a length of time such as 36h; none = the longest label span.",
        json_schema_extra={"allowed": "a length of time such as 90m, 36h or 3d"},
    )
    window: Literal["expanding", "rolling"] | Bars | Duration = Field(
        "expanding",
        description="Method walk_forward: train on all of the past, or on its newest part: so many bars or "
        "a length of time such as 90d (rolling: window_bars).",
        json_schema_extra={"allowed": "a length of time such as 90m, 36h or 3d"},
    )
    window_bars: int | None = Field(
        None,
        ge=1,
        description="Window rolling: bars of the past to train on (only there).",
    )
    step: Bars | Duration | None = Field(
        None,
        description="Method walk_forward: from one retrain to the next, in bars or as a length of time such "
        "as 14d; none = n_splits equal blocks.",
        json_schema_extra={"allowed": "a length of time such as 90m, 36h or 3d"},
    )
    initial: Bars | Duration | None = Field(
        None,
        description="Method walk_forward: what is never scored, in bars or as a length of time; none = with "
        "step until the window is full (expanding: one step), else one of the equal blocks.",
        json_schema_extra={"allowed": "a length of time such as 90m, 36h or 3d"},
    )
    min_train_rows: int = Field(
        1, ge=1, description="Method walk_forward: rows that every retrain must be able to learn from."
    )

    n_groups: int = Field(
        6, ge=2, le=1_000, description="Method combinatorial: groups of equal numbers of decision times."
    )
    n_test_groups: int = Field(
        2,
        ge=1,
        le=999,
        description="Method combinatorial: groups that are tested at a time; 2 of 6 are 15 folds, whose "
        "predictions make 5 backtest paths.",
    )

    @property
    def rolling_window(self) -> int | str | None:
        """Length of the rolling window, bars or time; None when it expands."""
        if self.window == "expanding":
            return None
        return self.window_bars if self.window == "rolling" else self.window
