"""Where state is kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["StorageConfig"]


class StorageConfig(Section):
    """Where state is kept. The home directory itself comes from ``--home`` or ``ONWARD_HOME``.

    With ``artifacts``, servers on several hosts share bundles, reports, outputs, market data and
    computed features (`docs/how-to/share-artifacts.md`); the home directory then holds copies.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_STORAGE__")

    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy address of the database; none = the SQLite file onward.db in the home "
        "directory. A password in it is masked wherever it is shown.",
    )
    database_idle_seconds: float = Field(
        60.0,
        ge=0.001,
        le=86_400,
        description="Time after which PostgreSQL ends a transaction in which nothing is said, as that of a "
        "server that was suspended, and frees what it had locked.",
    )
    data_directory: Path | None = Field(
        None,
        description="Directory of the market data, also beside an artifact store; none = data/ in the home "
        "directory, or the artifact store where there is one.",
    )
    artifacts: str | None = Field(
        None,
        description="Object store that several hosts share, `s3://BUCKET/PREFIX` (needs `onward[s3]`); "
        "none = directories of this host.",
    )
    artifacts_endpoint: str | None = Field(
        None,
        description="Address of an S3-compatible service, `https://HOST:PORT`; none = AWS_ENDPOINT_URL_S3 or "
        "AWS_ENDPOINT_URL of the environment, else Amazon's.",
    )
    artifacts_region: str | None = Field(
        None, description="Region of the bucket; none = that of the environment."
    )
    artifacts_key: SecretStr | None = Field(
        None,
        description="Access key of the store; none = the usual AWS variables, profile, or role of the "
        "machine.",
    )
    artifacts_secret: SecretStr | None = Field(None, description="Secret that belongs to the access key.")
    artifacts_patience_seconds: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long an operation goes on trying while the store is out of reach; publishing a "
        "finished job tries four times as long.",
    )
    artifact_cache_gb: float | None = Field(
        10.0,
        ge=0,
        description="Disk space for copies of artifacts of the store, in GB (10^9 bytes); the least recently "
        "used go first, but none of the last ten minutes. none = no limit.",
    )
    feature_cache_gb: float | None = Field(
        10.0,
        ge=0,
        description="Disk space for computed feature matrices, in GB (10^9 bytes), and room for them in the "
        "artifact store; the least recently used go first. 0 = compute them every time; none = no limit.",
    )
