"""Manifests that were read before: content that is named by its digest never has to be read again."""

from __future__ import annotations

import threading
from collections import OrderedDict

from onward.registry.manifest import Manifest

__all__ = ["KnownManifests"]

CAPACITY = 64


class KnownManifests:
    """The manifests read last, by digest. Safe to use from several threads.

    Parameters
    ----------
    capacity
        Manifests that are kept, besides those that `make_room` was asked for; the one longest unused
        makes way.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = self._spare = capacity
        self._kept: OrderedDict[str, Manifest] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def make_room(self, expected: int) -> None:
        """Keep so many more from now on: fewer than are read in turn would be as good as none.

        Parameters
        ----------
        expected
            Manifests that are asked for again and again, all of them.
        """
        with self._lock:
            self._capacity = self._spare + expected

    def get(self, digest: str) -> Manifest | None:
        """Return the manifest with a digest, if it is known."""
        with self._lock:
            found = self._kept.get(digest)
            if found is not None:
                self._kept.move_to_end(digest)
            return found

    def keep(self, digest: str, manifest: Manifest) -> None:
        """Keep a manifest for whoever asks next."""
        with self._lock:
            self._kept[digest] = manifest
            self._kept.move_to_end(digest)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
