"""Artifacts that several hosts share: an object store, and verified local copies of what is in it."""

from onward.storage.artifacts import Artifacts
from onward.storage.copies import LocalCopies
from onward.storage.objects import (
    MissingObjectError,
    ObjectInfo,
    ObjectStore,
    OversizedObjectError,
    StoreAwayError,
)
from onward.storage.options import StoreOptions
from onward.storage.s3 import S3Store
from onward.storage.shared_files import SharedFiles
from onward.storage.uploads import SharedUploads

__all__ = [
    "Artifacts",
    "LocalCopies",
    "MissingObjectError",
    "ObjectInfo",
    "ObjectStore",
    "OversizedObjectError",
    "S3Store",
    "SharedFiles",
    "SharedUploads",
    "StoreAwayError",
    "StoreOptions",
]
