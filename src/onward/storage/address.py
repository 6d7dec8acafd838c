"""Addresses of artifact stores and names of what lies in them: nothing climbs out of its prefix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from onward.errors import ConfigError, StorageError

__all__ = ["StoreAddress", "check_endpoint", "check_key", "parse_address"]

SCHEME = "s3"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
ALLOWED = "s3://BUCKET or s3://BUCKET/PREFIX"
LONGEST_KEY_BYTES = 1024
LONGEST_PART_BYTES = 255


@dataclass(frozen=True)
class StoreAddress:
    """Where the artifacts of an installation lie.

    Attributes
    ----------
    bucket
        Must exist; it is never created.
    prefix
        What every key begins with, without slashes at its ends; may be empty.
    """

    bucket: str
    prefix: str = ""

    def key(self, name: str) -> str:
        """Return the key of an object.

        Raises
        ------
        StorageError
            When the name could mean something outside of the prefix, or is too long.
        """
        check_key(name)
        key = f"{self.prefix}/{name}" if self.prefix else name
        if len(key.encode()) > LONGEST_KEY_BYTES:
            raise _refused(name)
        return key

    def name(self, key: str) -> str | None:
        """Return the name of an object by its key; None when it is not one of ours."""
        name = key.removeprefix(f"{self.prefix}/") if self.prefix else key
        if self.prefix and name == key:
            return None
        try:
            check_key(name)
        except StorageError:
            return None
        return name

    def __str__(self) -> str:
        return f"{SCHEME}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")


def parse_address(text: str) -> StoreAddress:
    """Return the parts of ``s3://bucket/prefix``.

    Raises
    ------
    ConfigError
        For another scheme, a bucket that cannot be one, credentials inside, or a prefix with ``..``.
    """
    parts = _split(text, "storage.artifacts", ALLOWED)
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "storage.artifacts holds credentials",
            got=f"{SCHEME}://***@{parts.hostname}",
            allowed=ALLOWED,
            remedy="Put them into storage.artifacts_key and storage.artifacts_secret, or the environment.",
        )
    prefix = parts.path.strip("/")
    bad_prefix = prefix and not all(_is_part(part) for part in prefix.split("/"))
    if (
        parts.scheme != SCHEME
        or not BUCKET.fullmatch(parts.netloc)
        or parts.query
        or parts.fragment
        or bad_prefix
        or len(prefix.encode()) > LONGEST_KEY_BYTES // 2
    ):
        raise ConfigError(
            "storage.artifacts is no address of an object store",
            got=repr(text)[:200],
            allowed=ALLOWED,
            remedy="For a directory use storage.data_directory and registry.directory."
            if parts.scheme in ("", "file")
            else "Correct the address; another host goes into storage.artifacts_endpoint.",
        )
    return StoreAddress(parts.netloc, prefix)


def check_endpoint(text: str) -> str:
    """Return the address of an S3-compatible service after looking at it.

    Raises
    ------
    ConfigError
        When it is not ``http(s)://host[:port]``, or holds credentials.
    """
    parts = _split(text, "storage.artifacts_endpoint", "https://host or https://host:port")
    try:
        bad_port = parts.port == 0
    except ValueError:
        bad_port = True
    plain = parts.scheme in ("http", "https") and parts.hostname and not bad_port
    if not plain or parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            "storage.artifacts_endpoint is no address of a service",
            got=repr(f"{parts.scheme}://***" if parts.username is not None else text)[:200],
            allowed="https://host or https://host:port",
            remedy="Write the address alone; credentials have settings of their own.",
        )
    return text.rstrip("/")


def check_key(name: str) -> None:
    """Refuse names that could mean another place, as a key or as a path.

    Raises
    ------
    StorageError
        For empty parts, ``.``, ``..``, backslashes, control characters, and names that are too long.
    """
    if not name or not all(_is_part(part) for part in name.split("/")):
        raise _refused(name)


def _is_part(part: str) -> bool:
    return (
        part not in ("", ".", "..")
        and "\\" not in part
        and part.isprintable()
        and len(part.encode(errors="replace")) <= LONGEST_PART_BYTES
    )


def _refused(name: str) -> StorageError:
    return StorageError(
        "This cannot be the name of an artifact",
        got=ascii(name)[:200],
        allowed=f"parts of printable characters joined by /, without .. and \\, {LONGEST_KEY_BYTES} bytes",
        remedy="Do not trust whatever named it.",
    )


def _split(text: str, setting: str, allowed: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        raise ConfigError(f"{setting} is not understood", got=repr(text)[:200], allowed=allowed) from error
