"""Where state is kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["StorageConfig"]


class StorageConfig(Section):
    """Where state is kept. The home directory itself comes from ``--home`` or ``ONWARD_HOME``."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_STORAGE__")

    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy address of the database; none = the SQLite file onward.db in the home "
        "directory. A password in it is masked wherever it is shown.",
    )
    data_directory: Path | None = Field(
        None, description="Directory of the market data; none = data/ in the home directory."
    )
    feature_cache_gb: float | None = Field(
        10.0,
        ge=0,
        description="Disk space for computed feature matrices, in GB (10^9 bytes); the least recently "
        "used go first. 0 = compute them every time; none = no limit.",
    )
