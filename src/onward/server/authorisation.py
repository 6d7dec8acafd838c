"""``requires``: which scope a route needs. Every route declares exactly one; a test sees to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

from fastapi import Depends, Request

from onward.access.scopes import Scope
from onward.access.values import NOBODY, Caller
from onward.errors import ForbiddenError, UnauthenticatedError
from onward.server.csrf import check_csrf
from onward.server.state import state_of

__all__ = [
    "ANONYMOUS",
    "CALLER",
    "HOW_TO_SHOW",
    "PUBLIC",
    "STILL",
    "RateClass",
    "Requires",
    "caller",
    "caller_of",
    "declared",
    "require",
    "requires",
]

CALLER = "onward.caller"
"""Where a request carries who sent it."""
STILL = "onward.still"
"""Where a request carries how to look again, later, whether its sender is still let in."""
HOW_TO_SHOW = (
    "Send one as `Authorization: Bearer KEY` or `X-API-Key: KEY`; `onward keys create NAME` makes one."
)
RateClass: TypeAlias = Literal["read", "run", "admin", "predictions"]


def caller_of(request: Request) -> Caller:
    """Return who sent a request."""
    found: Caller = request.scope.get(CALLER, NOBODY)
    return found


def require(caller: Caller, scope: Scope, *, what: str = "this address") -> None:
    """Refuse a caller whose scope is too small.

    Raises
    ------
    UnauthenticatedError
        When nobody knows who asks.
    ForbiddenError
        Names the scope that is needed.
    """
    if caller.scope is None:
        raise UnauthenticatedError(f"{what} needs a key", remedy=HOW_TO_SHOW)
    if not caller.may(scope):
        raise ForbiddenError(
            f"the key may not do that: {what} needs the scope {scope}",
            got=f"{caller.name} with the scope {caller.scope}",
            allowed=f"keys with the scope {scope} or above",
            remedy=f"Use such a key: `onward keys create NAME --scope {scope}` makes one.",
        )


async def caller(request: Request) -> Caller:
    """Return who sent a request; a test may put somebody else in place."""
    return caller_of(request)


class Requires:
    """A dependency of a route: the scope that it needs, and the rate limit that it counts towards.

    Parameters
    ----------
    scope
        None lets everybody in, without any key.
    rate
        Class of rate limits; default is that of the scope.
    stream
        Whether the route takes the body in as a stream: a session then shows its token in the header.
    anonymous
        Whether nobody is even looked up who asks: the answer is the same for all.
    enduring
        Whether there is an answer while the database that knows the keys is away: for those who
        were let in before.
    """

    def __init__(
        self,
        scope: Scope | None,
        rate: RateClass | None = None,
        *,
        stream: bool = False,
        anonymous: bool = False,
        enduring: bool = False,
    ) -> None:
        self.scope = scope
        self.stream = stream
        self.anonymous = anonymous
        self.enduring = enduring
        self.rate: RateClass | None = rate or scope

    async def __call__(self, request: Request) -> None:
        """Count the request, and let it through or refuse it."""
        # Not by a dependency of its own, which would cost every request seven microseconds.
        overrides = request.app.dependency_overrides
        asking = await _overridden(overrides[caller]) if caller in overrides else caller_of(request)
        if self.rate is not None:
            state_of(request).limits.charge(asking, self.rate)
        if self.scope is not None:
            require(asking, self.scope)
            if asking.session is not None:
                await check_csrf(request, asking.session, stream=self.stream)


async def _overridden(override: Callable[[], Any]) -> Caller:
    found = override()
    told: Caller = await found if inspect.isawaitable(found) else found
    return told


def requires(
    scope: Scope | None, *, rate: RateClass | None = None, stream: bool = False, enduring: bool = False
) -> Any:
    """Return what goes into ``dependencies`` of a router whose routes need one scope, or of a route.

    ``APIRouter(dependencies=[requires("read")])``; a router with routes of several scopes leaves it
    to each of them.
    """
    return Depends(Requires(scope, rate, stream=stream, enduring=enduring))


PUBLIC = requires(None)
"""For routes that are open to everybody: whether the server is ready, and logging in."""
ANONYMOUS = Depends(Requires(None, anonymous=True))
"""For routes that answer everybody alike, also while the database that knows the keys is away."""


def declared(dependencies: Iterable[Any]) -> list[Requires]:
    """Return what is required by the dependencies of a route."""
    found = [getattr(one, "dependency", None) for one in dependencies]
    return [one for one in found if isinstance(one, Requires)]
