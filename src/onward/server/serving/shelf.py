"""Models that are loaded: whatever an alias stands for now, checked once, kept while it is used."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from onward.server.serving.footprint import few_arenas, give_back, small_libraries

if TYPE_CHECKING:
    from onward.prediction.loaded import LoadedModel
    from onward.prediction.predictor import Predictor
    from onward.registry import ModelRegistry, Version

__all__ = ["ModelShelf"]


class ModelShelf:
    """Loaded models by content. Safe to use from several threads.

    An alias is looked up on every call, so a move of it, made by whichever server, counts from
    the next request on. Content is loaded once, every byte of it checked; the model longest
    unused makes room for a new one.

    Parameters
    ----------
    registry
        Gives the registry; asked on every call, since it may come to life late.
    capacity
        Models that are kept.
    """

    def __init__(self, registry: Callable[[], ModelRegistry], *, capacity: int) -> None:
        self._registry = registry
        self._capacity = capacity
        self._kept: OrderedDict[str, Predictor] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._keeps_small = False

    def __len__(self) -> int:
        return len(self._kept)

    def keep_small(self) -> None:
        """Keep the whole process small, from now on (`onward.server.serving.footprint`).

        For processes that do nothing but serve; others may miss what is left out.
        """
        few_arenas()
        self._keeps_small = True

    def get(self, reference: str) -> LoadedModel:
        """Return a model by reference (``name@alias``, ``models:/name/3``).

        Raises
        ------
        RegistryError
            When there is no such model, version or alias.
        BundleError
            When the bundle was changed since it was published.
        """
        if self._keeps_small:
            small_libraries()
        from onward.prediction.loaded import LoadedModel

        version = self._registry().resolve(reference)
        predictor = self._known(version.digest)
        if predictor is None:
            with self._gate(version.digest):  # others who want the same wait and find it
                predictor = self._known(version.digest) or self._load(version)
        return LoadedModel(version, predictor)

    def holds(self, version: Version) -> bool:
        """Return whether a version is loaded, so that `get` gives it at once."""
        return version.digest in self._kept

    def _known(self, digest: str) -> Predictor | None:
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
            return self._kept.get(digest)

    def _gate(self, digest: str) -> threading.Lock:
        with self._lock:
            return self._loading.setdefault(digest, threading.Lock())

    def _load(self, version: Version) -> Predictor:
        from onward.prediction.predictor import Predictor

        predictor = Predictor.load(self._registry().open(version.ref)).narrowed()
        with self._lock:
            self._kept[version.digest] = predictor
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
            self._loading.pop(version.digest, None)
        if self._keeps_small:
            give_back()
        return predictor
