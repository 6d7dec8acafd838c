"""What an object store answers instead of what was asked, in words that help.

Nothing of the S3 libraries is imported here: their errors are told by name and by the answer they
carry, so that a process without a remote store pays nothing for this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onward.errors import StorageError
from onward.storage.objects import MissingObjectError, StoreAwayError

__all__ = ["lost_race", "store_error"]

REFUSED = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "AuthorizationHeaderMalformed",
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
    "ProfileNotFound",
}
DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden"}
ELSEWHERE = {"PermanentRedirect", "301", "IllegalLocationConstraintException"}
LOST = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "OperationAborted"}
BUSY = {
    "SlowDown",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "XMinioServerNotInitialized",
}
AWAY = {
    "EndpointConnectionError",
    "ConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ConnectionClosedError",
    "HTTPClientError",
    "ProxyConnectionError",
    "IncompleteReadError",
    "ResponseStreamingError",
    "ResponseParserError",
    "AioReadTimeoutError",
    "ClientError_",  # aiohttp's, see _names
    "FSTimeoutError",
    "TimeoutError",
    "CancelledError",
}


def lost_race(error: BaseException) -> bool:
    """Return whether a conditional write was refused because its condition no longer held."""
    return any(_code(one) in LOST or _status(one) in (409, 412) for one in _causes(error))


def store_error(error: BaseException, *, doing: str, place: str) -> StorageError:
    """Return what an error of the S3 libraries means to a person.

    Parameters
    ----------
    error
        As raised.
    doing
        What was being done, such as ``read``.
    place
        Address of what it was done to, without credentials.
    """
    chain = list(_causes(error))
    codes = {name for one in chain for name in (_code(one), *_names(one)) if name}
    statuses = {status for one in chain if (status := _status(one)) is not None}
    got = f"{place}: {_said(chain[-1])}"
    if "NoSuchBucket" in codes:
        return StorageError(
            f"Could not {doing} an artifact: there is no such bucket",
            got=got,
            remedy="Create the bucket, or correct storage.artifacts.",
        )
    if codes & {"NoSuchKey", "404", "NoSuchUpload"} or 404 in statuses:
        return MissingObjectError(
            "There is no such artifact",
            got=place,
            remedy="It was deleted meanwhile, or never written; restore it from a backup.",
        )
    if codes & REFUSED or statuses & {401}:
        return StorageError(
            f"Could not {doing} an artifact: the store does not accept the credentials",
            got=got,
            remedy="Set storage.artifacts_key and storage.artifacts_secret, or the usual AWS_ variables.",
        )
    if codes & DENIED or 403 in statuses:
        return StorageError(
            f"Could not {doing} an artifact: the store denies access",
            got=got,
            remedy="Check the credentials, and that they may list, read, write and delete below the prefix.",
        )
    if codes & ELSEWHERE or 301 in statuses:
        return StorageError(
            f"Could not {doing} an artifact: the bucket is in another region",
            got=got,
            remedy="Set storage.artifacts_region.",
        )
    if codes & (AWAY | BUSY) or any(status >= 500 or status == 429 for status in statuses):
        return StoreAwayError(
            f"Could not {doing} an artifact: the store cannot be reached",
            got=got,
            remedy="Check storage.artifacts_endpoint and the network, then repeat; nothing was lost.",
        )
    return StorageError(
        f"Could not {doing} an artifact",
        got=got,
        remedy="Check storage.artifacts, its endpoint and the log of the store.",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _names(error: BaseException) -> Iterator[str]:
    for kind in type(error).__mro__:
        if kind.__module__.startswith("aiohttp"):
            yield "ClientError_"
        elif kind.__name__ != "ClientError":
            yield kind.__name__


def _answer(error: BaseException) -> dict[str, Any]:
    answer = getattr(error, "response", None)
    return answer if isinstance(answer, dict) else {}


def _code(error: BaseException) -> str | None:
    told = _answer(error).get("Error")
    return str(told["Code"]) if isinstance(told, dict) and told.get("Code") else None


def _status(error: BaseException) -> int | None:
    told = _answer(error).get("ResponseMetadata")
    status = told.get("HTTPStatusCode") if isinstance(told, dict) else None
    return status if isinstance(status, int) else None


def _said(error: BaseException) -> str:
    told = _answer(error).get("Error")
    if isinstance(told, dict) and told.get("Message"):
        return f"{told.get('Code', '')}: {told['Message']}"[:200]
    if {"TimeoutError", "CancelledError"} & set(_names(error)):
        return "no answer in time"
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
