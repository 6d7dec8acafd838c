"""A request with a file, taken in: to disk piece by piece, however slow or unfaithful its client."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from email.message import Message
from typing import BinaryIO, cast

import anyio
import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from onward.errors import StorageError, UserError
from onward.server.uploads.form import FormReader
from onward.server.uploads.staging import Arriving

__all__ = ["FIELDS", "receive"]

FIELDS = frozenset({"symbol", "timeframe", "format", "dry_run", "wait"})
FORM = "multipart/form-data"
SILENCE_SECONDS = 60.0
"""After which a client that sends nothing counts as gone."""


async def receive(request: Request, arriving: Arriving) -> Mapping[str, str]:
    """Write the file of a form to its place, and return the other fields.

    Raises
    ------
    HTTPException
        415 when the body is no form; 400 when the client left or fell silent.
    UserError
        When it is not as it must be, or ends too early.
    StorageError
        When the disk is full.
    """
    reader = FormReader(_boundary(request), lambda name: cast("BinaryIO", arriving.open(name)), FIELDS)
    stream = aiter(request.stream())
    try:
        while True:
            with anyio.fail_after(SILENCE_SECONDS):
                piece = await anext(stream, None)
            if piece is None:
                break
            await anyio.to_thread.run_sync(reader.feed, piece)
        await anyio.to_thread.run_sync(arriving.close)
    except ClientDisconnect as error:
        raise HTTPException(400, "the client left before the file was whole") from error
    except TimeoutError as error:
        raise HTTPException(400, f"nothing came for {SILENCE_SECONDS:g} s") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StorageError(
            "the server's disk is full" if full else "the server cannot keep the file",
            got=error.strerror,
            remedy="Free some space on the server, then send it again.",
        ) from error
    return reader.finish()


def _boundary(request: Request) -> bytes:
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    if message.get_content_type() != FORM:
        got = ascii(request.headers.get("content-type", "nothing"))[:80]
        raise HTTPException(415, f"the body is no form: Content-Type must be {FORM}, got {got}")
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not boundary.isascii() or not 1 <= len(boundary) <= 70:
        raise UserError(
            "the content type names no boundary that can be used", allowed="1 to 70 ASCII characters"
        )
    return boundary.encode()
