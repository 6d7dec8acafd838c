"""How long one waits for a Ray cluster and for what runs on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from onward.jobs.reaper import look_seconds

if TYPE_CHECKING:
    from onward.config.jobs import JobConfig

__all__ = ["Times"]


@dataclass(frozen=True)
class Times:
    """Waiting times of a `RayBackend`, from the settings ``jobs.ray_*``.

    Attributes
    ----------
    connect
        Until a cluster has answered, or one of our own is there.
    answer
        How long an actor may take to answer before it counts as unable to, for now.
    insist
        Time after which what an actor could not kill is killed with it.
    orphan
        How long to wait until a dead owner's actors, and what was below them, are gone.
    keep
        How long sweepers are kept when nobody has expected orphans.
    """

    connect: float = 60.0
    answer: float = 1.0
    insist: float = 2.0
    orphan: float = 10.0
    keep: float = 60.0

    @classmethod
    def of(cls, config: JobConfig) -> Times:
        """Return what the settings say."""
        return cls(
            connect=config.ray_connect_seconds,
            answer=config.ray_answer_seconds,
            insist=config.ray_insist_seconds,
            orphan=look_seconds(config.ray_orphan_seconds, config.lease_seconds),
            keep=config.ray_sweeper_seconds,
        )
