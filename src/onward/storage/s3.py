"""Artifacts in an S3-compatible store, through fsspec's s3fs.

Nothing is imported, and nobody is spoken to, before the first object is asked for.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from onward.errors import ConfigError, StorageError
from onward.storage.failures import lost_race, store_error
from onward.storage.objects import MissingObjectError, ObjectInfo, OversizedObjectError, StoreAwayError
from onward.storage.options import StoreOptions

__all__ = ["S3Store"]

PART_BYTES = 8 * 2**20
"""Larger files are uploaded in parts of this size; four of them are in memory at once."""
PARTS_AT_ONCE = 4
CHUNK_BYTES = 2**20
SLOWEST_BYTES_A_SECOND = 100_000
"""A transfer that is slower on the whole counts as one that hangs."""
LARGEST_READ_BYTES = 2**30
BATCH = 1000
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0

T = TypeVar("T")


class S3Store:
    """An `onward.storage.ObjectStore` in a bucket.

    Parameters
    ----------
    options
        Address, credentials and patience.

    Raises
    ------
    ConfigError
        On first use, when s3fs is not installed.
    """

    def __init__(self, options: StoreOptions) -> None:
        self.options = options
        self.address = options.address
        self._lock = threading.RLock()
        self._system: tuple[int, Any] | None = None
        self._conditional: bool | None = None

    def __repr__(self) -> str:
        return f"S3Store({self.address})"

    @property
    def conditional(self) -> bool:
        """Whether conditional writes are kept, tried out once on an object of its own."""
        with self._lock:
            if self._conditional is None:
                self._conditional = self._try_conditions()
            return self._conditional

    def read(self, name: str) -> tuple[bytes, str]:
        """Return content and tag."""
        return self._keep_trying("read", name, lambda system: self._get(system, name))

    def write(self, name: str, content: bytes) -> None:
        """Write an object, whatever was there."""
        self._keep_trying("write", name, lambda system: self._put(system, name, content))

    def replace(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Write an object if the one there still has this tag; see `ObjectStore.replace`."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            written = self._put_if(name, condition, content)
            if written is not None:
                return written
            # Perhaps it was our own write, tried again because its answer got lost, that was faster.
            there, found = self.read(name)
        except MissingObjectError:  # what the tag belonged to is gone
            return None
        return found if there == content else None

    def upload(self, file: Path, name: str) -> None:
        """Write an object from a file."""
        place = f"{self.address.bucket}/{self.address.key(name)}"
        sizes = {"chunksize": PART_BYTES, "max_concurrency": PARTS_AT_ONCE}
        seconds = self._seconds(file.stat().st_size)
        self._keep_trying(
            "write", name, lambda system: _within(seconds, system._put_file(str(file), place, **sizes))
        )

    def download(self, name: str, file: Path, *, max_bytes: int | None = None) -> None:
        """Write an object into a file."""
        self._keep_trying(
            "read", name, lambda system: self._get(system, name, into=file, max_bytes=max_bytes)
        )

    def list(self, prefix: str) -> list[ObjectInfo]:
        """Return the objects whose names begin with ``prefix``, by name."""
        whole = f"{self.address.prefix}/" if self.address.prefix else ""
        given = {"Bucket": self.address.bucket, "Prefix": whole + prefix, "MaxKeys": BATCH}
        found: list[ObjectInfo] = []
        more: dict[str, str] = {}
        while True:
            page = self._call("list", prefix, "list_objects_v2", **given, **more)
            for entry in page.get("Contents", ()):
                name = self.address.name(entry["Key"])
                if name is not None:  # what nobody of us can have written is nobody's business here
                    found.append(ObjectInfo(name, entry["Size"], entry["LastModified"]))
            if not page.get("IsTruncated"):
                return sorted(found, key=lambda info: info.name)
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; what is not there is no error."""
        keys = [self.address.key(name) for name in names]
        for start in range(0, len(keys), BATCH):
            batch = keys[start : start + BATCH]
            if len(batch) == 1:  # not every store takes lists
                self._call("delete", batch[0], "delete_object", Bucket=self.address.bucket, Key=batch[0])
                continue
            told = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
            answer = self._call("delete", batch[0], "delete_objects", Bucket=self.address.bucket, Delete=told)
            if failed := answer.get("Errors"):
                raise StorageError(
                    "The store did not delete every artifact",
                    got=f"{len(failed)} of {len(batch)}, {failed[0].get('Key')}: {failed[0].get('Code')}",
                    remedy="Check that the credentials may delete; what is left is swept later.",
                )

    def sweep_uploads(self, prefix: str, before: datetime) -> int:
        """Remove the parts of uploads that were begun before a moment and never finished."""
        bucket, swept = self.address.bucket, 0
        whole = f"{self.address.prefix}/" if self.address.prefix else ""
        page = self._call("list", prefix, "list_multipart_uploads", Bucket=bucket, Prefix=whole + prefix)
        for begun in page.get("Uploads") or ():  # a page of a thousand; the next sweep sees the next
            if begun["Initiated"] <= before:
                told = {"Bucket": bucket, "Key": begun["Key"], "UploadId": begun["UploadId"]}
                try:
                    self._call("delete", begun["Key"], "abort_multipart_upload", **told)
                except MissingObjectError:
                    continue
                swept += 1
        return swept

    # -- inside -------------------------------------------------------------------------------

    def _try_conditions(self) -> bool:
        probe = f"probes/{uuid4().hex}"
        attempts: list[dict[str, str]] = [{"IfNoneMatch": "*"}, {"IfNoneMatch": "*"}, {"IfMatch": '"0"'}]
        try:
            written = [self._put_if(probe, condition, b"") is not None for condition in attempts]
        except StoreAwayError:
            raise
        except StorageError as error:
            if "NotImplemented" not in str(error):
                raise
            return False
        finally:
            with suppress(StorageError):  # swept later
                self.delete([probe])
        return written == [True, False, False]

    def _put_if(self, name: str, condition: dict[str, str], content: bytes) -> str | None:
        """Write under a condition and return the new tag; None when it did not hold."""
        try:
            return self._keep_trying(
                "write", name, lambda system: self._put(system, name, content, **condition)
            )
        except _LostRaceError:
            return None

    async def _put(self, system: Any, name: str, content: bytes, **condition: str) -> str:
        told = {"Bucket": self.address.bucket, "Key": self.address.key(name), "Body": content}
        seconds = self._seconds(len(content))
        return str((await _within(seconds, system._call_s3("put_object", **told, **condition)))["ETag"])

    async def _get(
        self, system: Any, name: str, *, into: Path | None = None, max_bytes: int | None = None
    ) -> tuple[bytes, str]:
        """Read an object into memory, or into a new file; in chunks, so that no size can surprise us."""
        told = {"Bucket": self.address.bucket, "Key": self.address.key(name)}
        answer = await _within(self._seconds(0), system._call_s3("get_object", **told))
        length = int(answer["ContentLength"])
        limit = LARGEST_READ_BYTES if into is None and max_bytes is None else max_bytes
        body = answer["Body"]
        try:
            if limit is not None and length > limit:
                raise OversizedObjectError(
                    "An artifact is larger than it can be",
                    got=f"{name}: {length:,} bytes",
                    allowed=f"{limit:,} bytes",
                    remedy="Do not trust it; write it anew.",
                )
            content = await _within(self._seconds(length), _receive(body, length, into))
        finally:
            body.close()
        return content, str(answer["ETag"])

    def _call(self, doing: str, name: str, method: str, **told: Any) -> dict[str, Any]:
        seconds = self._seconds(0)
        return self._keep_trying(
            doing, name, lambda system: _within(seconds, system._call_s3(method, **told)), checked=False
        )

    def _keep_trying(
        self, doing: str, name: str, attempt: Callable[[Any], Awaitable[T]], *, checked: bool = True
    ) -> T:
        """Carry something out; while the store is away, again, until the patience is at its end."""
        if checked:
            self.address.key(name)
        deadline = time.monotonic() + self.options.patience_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._attempt(attempt)
            except StorageError:
                raise
            except Exception as error:
                if lost_race(error):
                    raise _LostRaceError(name) from error
                told = store_error(error, doing=doing, place=f"{self.address}/{name}")
                if not isinstance(told, StoreAwayError) or time.monotonic() + pause > deadline:
                    raise told from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _attempt(self, attempt: Callable[[Any], Awaitable[T]]) -> T:
        from fsspec.asyn import sync

        system = self._open()
        done: T = sync(system.loop, partial(attempt, system))
        return done

    def _open(self) -> Any:
        """Return the file system of this process: connections do not survive a fork."""
        with self._lock:
            if self._system is None or self._system[0] != os.getpid():
                from fsspec.asyn import sync

                system = _file_system(self.options)
                sync(system.loop, system.set_session)  # reads much from disk: not on the time of a request
                self._system = (os.getpid(), system)
            return self._system[1]

    def _seconds(self, size: int) -> float:
        """Return how long one attempt to move so many bytes may take."""
        options = self.options
        return options.connect_seconds + 2 * options.read_seconds + size / SLOWEST_BYTES_A_SECOND


class _LostRaceError(Exception):
    """The condition of a write no longer held."""


async def _within(seconds: float, work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, seconds)


async def _receive(body: Any, length: int, into: Path | None) -> bytes:
    received, chunks = 0, []
    if into is not None:
        _append(into, b"", fresh=True)
    while chunk := await body.read(CHUNK_BYTES):
        received += len(chunk)
        if into is None:
            chunks.append(chunk)
        else:
            _append(into, chunk)
    if received != length:
        raise ConnectionError(f"{received} of {length} bytes arrived")
    return b"".join(chunks)


def _append(file: Path, chunk: bytes, *, fresh: bool = False) -> None:
    try:
        with file.open("wb" if fresh else "ab") as sink:
            sink.write(chunk)
    except OSError as error:  # ours, not the store's: trying again would not help
        raise StorageError(
            "A copy of an artifact cannot be written",
            got=f"{file} ({error.strerror or error})",
            remedy="Free some space, make the directory writable, or lower storage.artifact_cache_gb.",
        ) from error


def _file_system(options: StoreOptions) -> Any:
    try:
        import s3fs
    except ImportError as error:
        raise ConfigError(
            "storage.artifacts names an S3 store, and s3fs is not installed",
            got=options.url,
            remedy="Install it: pip install 'onward[s3]'.",
        ) from error
    client = {} if options.region is None else {"region_name": options.region}
    system = s3fs.S3FileSystem(
        key=options.key,
        secret=options.secret,
        endpoint_url=options.endpoint,
        client_kwargs=client,
        config_kwargs={
            "connect_timeout": options.connect_seconds,
            "read_timeout": options.read_seconds,
            "retries": {"total_max_attempts": 1, "mode": "standard"},  # we try again ourselves, with a limit
            # Older S3-compatible stores refuse the checksums that Amazon's clients add by themselves.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        },
        use_listings_cache=False,
    )
    system.retries = 1
    return system
