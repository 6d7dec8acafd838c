"""Looking up who sends a request, so that whoever guesses keys is in nobody else's way."""

from __future__ import annotations

import anyio.to_thread
from anyio import CapacityLimiter

from onward.access.authenticator import Authenticator, Credential
from onward.access.values import Caller

__all__ = ["looked_up"]


async def looked_up(
    authenticator: Authenticator, knocking: CapacityLimiter, credential: Credential, address: str
) -> Caller:
    """Return who shows a credential, asking the store in a thread.

    Strangers from an address that showed too many wrong keys are looked up one after the other, in the
    one thread of ``knocking``: a key that is right works from there too, and a flood of wrong ones
    takes neither the threads of other requests nor more than one connection of the database.

    Raises
    ------
    UnauthenticatedError, RateLimitError, StorageError
        As `Authenticator.look_up`.
    """
    limiter = knocking if authenticator.suspects(credential, address) else None
    return await anyio.to_thread.run_sync(
        authenticator.look_up, credential, address, limiter=limiter, abandon_on_cancel=True
    )
