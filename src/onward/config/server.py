"""How the HTTP server listens, and how much it takes."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["ServerConfig"]


class ServerConfig(Section):
    """How the HTTP server listens, and how much it takes."""

    model_config = SettingsConfigDict(env_prefix="ONWARD_SERVER__")

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        max_length=253,
        description="Address to listen on; without an API key of this machine alone (loopback).",
    )
    port: int = Field(8321, ge=0, le=65_535, description="Port to listen on; 0 takes any that is free.")
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="Names besides localhost under which browsers and clients may address the server; "
        "requests with another Host header are refused.",
    )
    authentication: Literal["auto", "always"] = Field(
        "auto",
        description="Who needs an API key: with `auto` everybody once one was made, and until then nobody on "
        "this machine; with `always` everybody from the beginning.",
    )
    session_hours: float = Field(
        12.0, gt=0, le=8760, description="How long a browser stays logged in, at the longest."
    )
    certificate: Path | None = Field(
        None, description="File of the TLS certificate (PEM, with its chain); none = plain HTTP."
    )
    private_key: Path | None = Field(None, description="File of the certificate's private key (PEM).")
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Addresses or networks (10.0.0.0/8) of proxies that are believed when they say where a "
        "request comes from (X-Forwarded-For, X-Forwarded-Proto).",
    )
    limit_read_per_minute: int | None = Field(
        12_000,
        ge=1,
        le=100_000_000,
        description="Requests a minute that read, for each key; none = no limit.",
    )
    limit_run_per_minute: int | None = Field(
        600,
        ge=1,
        le=100_000_000,
        description="Requests a minute that run or stop jobs, for each key; none = no limit.",
    )
    limit_admin_per_minute: int | None = Field(
        600,
        ge=1,
        le=100_000_000,
        description="Requests a minute that need the scope admin, for each key; none = no limit.",
    )
    limit_predictions_per_minute: int | None = Field(
        12_000, ge=1, le=100_000_000, description="Predictions a minute, for each key; none = no limit."
    )
    limit_failures_per_minute: int | None = Field(
        20, ge=1, le=100_000_000, description="Wrong keys a minute that an address may send; none = no limit."
    )
    run_jobs: bool = Field(
        True, description="Whether the server runs jobs itself; without, workers have to (`onward worker`)."
    )
    data_directories: tuple[str, ...] = Field(
        (),
        description="Directories whose files requests may name, besides `inbox/` of the home directory.",
    )
    own_code: bool = Field(
        False,
        description="Whether requests may name stages of your own as module:name; that runs the module.",
    )
    max_body_bytes: int = Field(
        8_388_608, ge=1024, le=1_000_000_000, description="Largest body of a request that is read."
    )
    max_upload_bytes: int = Field(
        268_435_456,
        ge=1024,
        le=100_000_000_000,
        description="Largest upload of market data, file and form together.",
    )
    upload_seconds: float = Field(
        120.0, gt=0, le=3600, description="Time that reading an uploaded file may take."
    )
    upload_memory_mb: int = Field(
        2000, ge=256, le=1_000_000, description="Memory that reading an uploaded file may take."
    )
    max_models: int = Field(
        8, ge=1, le=1000, description="Models that are kept loaded; the one longest unused makes room."
    )
    preload: tuple[str, ...] = Field(
        (),
        description="Models (btc-1h@champion) that are loaded and have predicted once before the server says "
        "that it is ready.",
    )
    max_event_streams: int = Field(
        1000, ge=1, le=100_000, description="Clients that may follow events at the same time."
    )
    event_poll_seconds: float = Field(
        0.25, gt=0, le=60, description="How often followed jobs are looked at for new events."
    )
    event_ping_seconds: float = Field(
        15.0, gt=0, le=3600, description="Time without an event after which a comment keeps a stream open."
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                ipaddress.ip_network(value)
            except ValueError:
                raise ValueError(
                    f"{value!r} is neither an IP address nor a network such as 10.0.0.0/8"
                ) from None
        return values
