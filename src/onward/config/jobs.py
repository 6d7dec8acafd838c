"""How jobs are run, watched and ended. Every waiting time is a setting."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section
from onward.errors import ConfigError

__all__ = ["JobConfig"]


class JobConfig(Section):
    """How jobs are run, watched and ended.

    An owner renews its lease every `heartbeat_seconds`. Whoever could not renew for
    `fence_seconds` suspends its own workers; whoever was silent for `lease_seconds`, by the
    monotonic clock of somebody who watches, loses its jobs. The fence must close before.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_JOBS__")

    concurrency: int = Field(1, ge=1, le=1000, description="Jobs that one server runs at the same time.")
    short_places: int = Field(
        1,
        ge=0,
        le=1000,
        description="Places beside `concurrency` for imports and bulk predictions, which are soon over and "
        "need not wait behind a training.",
    )
    global_limit: int | None = Field(
        None, ge=1, le=100_000, description="Jobs that all servers of a database run at the same time."
    )
    max_attempts: int = Field(
        2, ge=1, le=100, description="Attempts in all, when the worker or its host is lost."
    )
    timeout_seconds: float | None = Field(
        None, gt=0, le=1e8, description="Time of one attempt; none = as long as it takes."
    )
    memory_limit_mb: int | None = Field(
        None, ge=64, le=100_000_000, description="Memory of one attempt with all its processes."
    )
    stall_seconds: float | None = Field(
        None, gt=0, le=1e8, description="Time without a sign of life from the worker after which it is ended."
    )
    heartbeat_seconds: float = Field(2.0, gt=0, le=600, description="Time between two heartbeats.")
    fence_seconds: float = Field(
        45.0, gt=0, le=86_400, description="Time without a renewed lease after which workers are suspended."
    )
    lease_seconds: float = Field(
        60.0, gt=0, le=86_400, description="Silence of an owner after which others take its jobs over."
    )
    poll_seconds: float = Field(
        0.25, gt=0, le=60, description="How often one looks for work and stops where nobody notifies."
    )
    retry_seconds: float = Field(
        0.5,
        gt=0,
        le=60,
        description="Time between two tries to reach a database that is away: to write how a job stands, to "
        "claim, to hear of news.",
    )
    grace_seconds: float = Field(5.0, gt=0, le=3600, description="Time between SIGTERM and SIGKILL.")
    unkillable_seconds: float = Field(
        10.0, gt=0, le=3600, description="Time after SIGKILL until an alarm says that processes remain."
    )
    orphan_seconds: float = Field(
        2.0,
        gt=0,
        le=600,
        description="Time that the processes of a dead server on the same host are given to be gone after "
        "SIGKILL, before their jobs are looked at again; a quarter of `lease_seconds` at most.",
    )
    spawn_seconds: float = Field(60.0, gt=0, le=3600, description="Time in which a worker must have started.")
    niceness: int = Field(
        10,
        ge=0,
        le=19,
        description="How far jobs step back behind servers (as in `nice`) where processors are scarce; "
        "0 = not at all.",
    )
    shutdown_seconds: float = Field(
        20.0,
        gt=0,
        le=86_400,
        description="Time that running jobs are given to finish when a server shuts down; those that "
        "have not are queued again.",
    )
    parting_seconds: float = Field(
        2.0,
        gt=0,
        le=600,
        description="Time that a server that shuts down gives attempts which wait for a database that is "
        "away; their leases run out then.",
    )
    progress_seconds: float = Field(
        1.0, gt=0, le=600, description="Shortest time between two progress events of a job."
    )
    memory_sample_seconds: float = Field(
        1.0, gt=0, le=600, description="How often the memory of a job's processes is looked at."
    )
    retention_days: float = Field(
        30.0, gt=0, le=100_000, description="Days after which ended jobs and their files are deleted."
    )
    upkeep_seconds: float = Field(
        600.0,
        gt=0,
        le=86_400,
        description="How often a server deletes what is older than `retention_days`, and mends what one "
        "that died left behind.",
    )
    upkeep_pause_seconds: float = Field(
        1.0,
        gt=0,
        le=3600,
        description="Time between two batches of deletions, in which others write to the database.",
    )
    max_request_bytes: int = Field(
        262_144, ge=1024, le=100_000_000, description="Largest request that is accepted."
    )

    backends: tuple[Literal["local", "ray"], ...] = Field(
        ("local",),
        min_length=1,
        description="Where this server runs jobs: local processes, the Ray cluster, or both; it claims no "
        "others.",
    )
    ray_address: str | None = Field(
        None,
        description="Ray cluster for jobs of the backend `ray`: `host:port`, `auto` or `ray://host:port`; "
        "none = a small one of this machine, for a try-out.",
    )
    ray_namespace: str = Field(
        "onward",
        min_length=1,
        max_length=100,
        description="Namespace of actors in the Ray cluster; one for each database.",
    )
    ray_cpus: float = Field(
        1.0, gt=0, le=10_000, description="Processors that the Ray cluster keeps for one attempt."
    )
    ray_helpers: int | None = Field(
        None,
        ge=0,
        le=256,
        description="Further places of `ray_cpus` processors over which folds and trials of one job are "
        "spread; 0 = as many as are free, none = a job stays where it is.",
    )

    ray_connect_seconds: float = Field(
        60.0, gt=0, le=3600, description="Time in which a Ray cluster must have answered."
    )
    ray_answer_seconds: float = Field(
        1.0,
        gt=0,
        le=600,
        description="Time in which an actor must answer; then it is asked again, and its own fence decides.",
    )
    ray_insist_seconds: float = Field(
        2.0,
        gt=0,
        le=600,
        description="Time after SIGKILL after which the actor above what is still there is killed as well.",
    )
    ray_orphan_seconds: float = Field(
        10.0,
        gt=0,
        le=600,
        description="Time that the actors of a dead server are given to be gone, before their jobs are "
        "looked at again; a quarter of `lease_seconds` at most.",
    )
    ray_sweeper_seconds: float = Field(
        60.0,
        gt=0,
        le=86_400,
        description="Time that the actors which look for what dead servers left are kept after the last "
        "silence of any.",
    )

    @model_validator(mode="after")
    def _fence_closes_first(self) -> JobConfig:
        if not self.heartbeat_seconds < self.fence_seconds < self.lease_seconds:
            raise ConfigError(
                "The fence of jobs must close between a missed heartbeat and the loss of the lease",
                got=f"heartbeat_seconds = {self.heartbeat_seconds:g}, fence_seconds = "
                f"{self.fence_seconds:g}, lease_seconds = {self.lease_seconds:g}",
                allowed="heartbeat_seconds < fence_seconds < lease_seconds",
                remedy="Leave them at 2, 45 and 60, or keep their order.",
            )
        return self
