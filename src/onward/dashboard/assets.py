"""Styles and scripts: read once, addressed by their content, kept by browsers for ever."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from onward.server.authorisation import PUBLIC

__all__ = ["Asset", "asset_url", "assets", "router"]

BORROWED = ("lightweight-charts.standalone.production.js", "uPlot.iife.min.js", "uPlot.min.css")
"""Chart libraries, which the standalone report embeds as well: one copy serves both."""
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
WORTH_PACKING = 1024

router = APIRouter(dependencies=[PUBLIC])


@dataclass(frozen=True, eq=False)
class Asset:
    """A file that browsers load.

    Attributes
    ----------
    content
        Its bytes.
    media_type
        Its type.
    """

    content: bytes
    media_type: str

    @cached_property
    def packed(self) -> bytes | None:
        """The bytes gzipped, if that is worth it."""
        if len(self.content) < WORTH_PACKING:
            return None
        return gzip.compress(self.content, mtime=0)


@cache
def assets() -> dict[str, Asset]:
    """Return every file by its path below ``static/``."""
    found: dict[str, Asset] = {}
    _collect(files("onward.dashboard").joinpath("static"), "", found)
    # Through the top package: naming the report's own would import it, and pandas, scipy and all.
    lent = files("onward").joinpath("evaluation", "report", "assets")
    for name in BORROWED:
        found[f"vendor/{name}"] = _asset(lent.joinpath(name))
    return found


@cache
def version() -> str:
    """Return what changes with any of the files: modules name each other by relative addresses."""
    digest = hashlib.sha256()
    for path, asset in sorted(assets().items()):
        digest.update(path.encode() + b"\0" + hashlib.sha256(asset.content).digest())
    return digest.hexdigest()[:12]


def asset_url(path: str) -> str:
    """Return the address of a file.

    Raises
    ------
    KeyError
        When there is none: a fault of the page.
    """
    if path not in assets():
        raise KeyError(path)
    return f"/static/{version()}/{path}"


@router.get("/static/{stamp}/{path:path}")
def static(stamp: str, path: str, request: Request) -> Response:
    """Return a file; its name is looked up among those there are, and never opened."""
    asset = assets().get(path)
    if asset is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": FOR_EVER if stamp == version() else ASK_AGAIN,
        "Vary": "Accept-Encoding",
        "ETag": f'"{version()}"',
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if asset.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def _collect(directory: Traversable, prefix: str, into: dict[str, Asset]) -> None:
    for entry in directory.iterdir():
        if entry.is_dir():
            _collect(entry, f"{prefix}{entry.name}/", into)
        elif not entry.name.endswith((".LICENSE", ".md")):
            into[f"{prefix}{entry.name}"] = _asset(entry)


def _asset(file: Traversable) -> Asset:
    kind = guess_type(file.name)[0] or "application/octet-stream"
    return Asset(file.read_bytes(), "text/javascript" if kind.endswith("javascript") else kind)
