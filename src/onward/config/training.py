"""How a run is carried out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["TrainingConfig"]


class TrainingConfig(Section):
    """How a run is carried out."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_TRAINING__")

    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of everything random.")
    n_threads: int | None = Field(
        None,
        ge=1,
        le=1_024,
        description="Threads a fit may use; none = all cores. Not part of a plan's identity.",
        json_schema_extra={"identity": False},
    )
    calibration: Literal["none", "sigmoid", "temperature", "isotonic"] = Field(
        "none",
        description="Correct probabilities, of one model or of an ensemble, by how they came true on purged "
        "folds inside the training rows. Everything is refitted for each of these folds. isotonic "
        "needs 1,000 effective labels.",
    )
    inner_folds: int = Field(
        4,
        ge=2,
        le=100,
        description="Purged folds inside the training rows: for calibration, stacking and votes by score.",
    )
