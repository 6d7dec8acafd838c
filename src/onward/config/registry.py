"""Where models are kept, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["RegistryConfig"]


class RegistryConfig(Section):
    """Where model versions are kept, and for how long; one with an alias is never removed."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_REGISTRY__")

    backend: Literal["sql", "mlflow"] = Field(
        "sql",
        description="Where versions and aliases are kept: `sql`, the database of everything else, or "
        "`mlflow`, the team's MLflow (needs `onward[mlflow]`).",
    )
    mlflow_uri: SecretStr | None = Field(
        None,
        description="Tracking URI of the team's MLflow, `https://HOST`; none = MLFLOW_TRACKING_URI of the "
        "environment. A password in it is masked wherever it is shown.",
    )
    mlflow_experiment: str = Field(
        "onward",
        min_length=1,
        max_length=200,
        description="Experiment of MLflow that the runs behind the versions belong to; made when there is "
        "none.",
    )
    directory: Path | None = Field(
        None,
        description="Directory of the bundles, also beside an artifact store; none = models/ in the home "
        "directory, or the artifact store where there is one.",
    )
    max_versions: int | None = Field(
        20, ge=1, description="Versions kept of each model by `onward models cleanup`; none = all."
    )
    max_age_days: int | None = Field(
        None, ge=1, description="Days a version is kept by `onward models cleanup`; none = for ever."
    )
