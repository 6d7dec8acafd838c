"""How long what is timed may take: the targets, and whether figures met them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["TARGETS", "Miss", "Target", "misses", "statistics"]

FEW = 200
"""Of so few values the 99th percentile is one of the largest: a single standstill may explain it."""


@dataclass(frozen=True)
class Target:
    """What was aimed at.

    Attributes
    ----------
    which
        ``p50``, ``p99`` or ``largest``.
    seconds
        At the waiting times of production.
    waits
        How much of that are waiting times, which shrink with the scale of a run.
    """

    which: str
    seconds: float
    waits: float = 0.0

    def bound(self, scale: float) -> float:
        """Return the seconds that are allowed at a scale."""
        return self.seconds - self.waits * (1.0 - scale)


TARGETS: Mapping[str, Target] = {
    "stop, same instance": Target("p99", 0.5),
    "stop, other instance": Target("p99", 1.0),
    "stop, notification lost": Target("p99", 3.0, 1.8),
    "stop, deaf worker": Target("p99", 9.0, 5.0),
    "stop, owner dead": Target("p99", 65.0, 60.0),
    "submit to running": Target("p50", 0.15),
    "claim under load": Target("p99", 0.05),
    "server dead, processes gone": Target("largest", 1.0),
    "worker killed, queued again": Target("largest", 3.0),
    "child killed, failed": Target("largest", 3.0),
    "warden killed, queued again": Target("largest", 3.0),
    "network back, stopped": Target("largest", 3.0),
    "stop from another instance": Target("largest", 1.0),
    "stop without notification": Target("largest", 3.0, 1.8),
    "stop of a deaf worker": Target("largest", 9.0, 5.0),
    # I9: nobody stays without an owner.
    "server dead, job queued again": Target("largest", 65.0, 60.0),
    "owner dead, stopped": Target("largest", 65.0, 60.0),
    "load, server dead, job queued again": Target("largest", 65.0, 60.0),
    # What Ray needs to start a process that looks for remains does not shrink with the scale.
    "Ray server dead, job queued again": Target("largest", 65.0),
    "Ray actor killed, queued again": Target("largest", 65.0),
    "Ray node lost, queued again": Target("largest", 65.0),
}
"""By the name of the figure; those of I9 end with ``queued again`` or tell of a dead owner."""


@dataclass(frozen=True)
class Miss:
    """A target that was missed; ``excused`` when the machine, as busy as it was measured, explains it."""

    name: str
    which: str
    value: float
    bound: float
    excused: bool

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.name}: {self.which} {self.value:.3f} s, {self.bound:g} s are allowed"


def statistics(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p99 and the largest of some seconds."""
    ordered = sorted(values)
    return {
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[int(0.99 * len(ordered))],
        "largest": ordered[-1],
    }


def misses(
    figures: Mapping[str, Sequence[float]], scale: float, *, once: float, always: float
) -> Iterator[Miss]:
    """Judge what one run has timed.

    Parameters
    ----------
    once
        Seconds by which the machine may have held one of the values up.
    always
        Seconds by which it held up each of them.
    """
    for name, values in figures.items():
        target = TARGETS.get(name)
        if target is None or not values:
            continue
        value, bound = statistics(values)[target.which], target.bound(scale)
        single = target.which == "largest" or (target.which == "p99" and len(values) <= FEW)
        if value > bound:
            slack = max(once, always) if single else always
            yield Miss(name, target.which, value, bound, excused=value <= bound + slack)
