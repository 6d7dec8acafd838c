"""How an artifact store is reached, as plain values: workers in other processes are told the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from onward.errors import ConfigError
from onward.storage.address import StoreAddress, check_endpoint, parse_address

__all__ = ["StoreOptions"]


@dataclass(frozen=True)
class StoreOptions:
    """How an S3-compatible store is reached.

    Attributes
    ----------
    url
        ``s3://bucket/prefix``.
    endpoint
        Address of the service; None = ``AWS_ENDPOINT_URL_S3``, ``AWS_ENDPOINT_URL``, else Amazon's.
    region
        None = that of the environment.
    key, secret
        Credentials; None = the usual environment: variables, profile, role of the machine.
    patience_seconds
        How long an operation goes on trying while the store is out of reach.
    connect_seconds, read_seconds
        How long one attempt waits for a connection, and for the next bytes.
    """

    url: str
    endpoint: str | None = None
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    patience_seconds: float = 30.0
    connect_seconds: float = 5.0
    read_seconds: float = 20.0

    def __post_init__(self) -> None:
        parse_address(self.url)
        if self.endpoint is not None:
            object.__setattr__(self, "endpoint", check_endpoint(self.endpoint))
        if (self.key is None) != (self.secret is None):
            raise ConfigError(
                "One half of the store's credentials is missing",
                got="storage.artifacts_secret alone" if self.key is None else "storage.artifacts_key alone",
                allowed="both, or neither",
                remedy="Set both; with neither the environment's credentials are used.",
            )

    @property
    def address(self) -> StoreAddress:
        """Bucket and prefix."""
        return parse_address(self.url)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> StoreOptions:
        """Rebuild what `to_json` gave."""
        return cls(**told)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, credentials in clear: for pipes between processes, never for files."""
        return asdict(self)
