"""Who is at work: the audit log names him without every function passing him along."""

from __future__ import annotations

import functools
import getpass
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Actor", "acting", "current_actor"]


@dataclass(frozen=True)
class Actor:
    """Who is at work.

    Attributes
    ----------
    who
        ``key:ID``, ``job:ID``, ``local`` (somebody on this machine) or ``nobody`` (no key, or a wrong one).
    name
        Name of the key, or of the login.
    address
        Network address that a request came from; empty without one.
    """

    who: str
    name: str = ""
    address: str = ""


_actor: ContextVar[Actor | None] = ContextVar("onward_actor", default=None)


class acting:  # noqa: N801 - used as a verb; a generator would cost every request three times as much
    """Within this block, and in threads that take its context along, this one is at work.

    Parameters
    ----------
    actor
        Who it is.
    """

    __slots__ = ("_actor", "_token")

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def __enter__(self) -> None:
        self._token = _actor.set(self._actor)

    def __exit__(self, *_: object) -> None:
        _actor.reset(self._token)


def current_actor() -> Actor:
    """Return who is at work; whoever did not say so is somebody on this machine."""
    return _actor.get() or _somebody_here()


@functools.cache
def _somebody_here() -> Actor:
    try:
        return Actor("local", getpass.getuser())
    except (KeyError, OSError):  # no such user in a container
        return Actor("local")
