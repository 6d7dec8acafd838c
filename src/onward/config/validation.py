"""How data are cut into training and test rows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section
from onward.config.text import DURATION

__all__ = ["ValidationConfig"]


class ValidationConfig(Section):
    """How data are cut into training and test rows; purging always applies."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_VALIDATION__")

    method: Literal["purged_kfold", "walk_forward"] = Field(
        "purged_kfold",
        description="purged_kfold scores every row, training on both sides of it; walk_forward trains "
        "on the past alone and never scores its first block.",
    )
    n_splits: int = Field(5, ge=2, le=1_000, description="Folds.")
    embargo: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=DURATION)] | None = Field(
        None,
        description="Method purged_kfold: time after a test block from which nothing is trained on, in "
        "bars or as a length of time such as 36h; none = the longest label span.",
        json_schema_extra={"allowed": "a length of time such as 90m, 36h or 3d"},
    )
    window: Literal["expanding", "rolling"] = Field(
        "expanding", description="Method walk_forward: train on all of the past, or on its newest part."
    )
    window_bars: int | None = Field(
        None,
        ge=1,
        description="Window rolling: bars of the past to train on (only there).",
    )
