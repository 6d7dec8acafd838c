"""How the HTTP server listens, and how much it takes."""

from __future__ import annotations

from pydantic import Field
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
        description="Address to listen on; of this machine alone (loopback), since whoever reaches the "
        "server may use it.",
    )
    port: int = Field(8321, ge=0, le=65_535, description="Port to listen on; 0 takes any that is free.")
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="Names besides localhost under which browsers and clients may address the server; "
        "requests with another Host header are refused.",
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
