"""Importing LightGBM without the scikit-learn that it would bring along.

LightGBM imports scikit-learn when it finds it, for classes of its own that speak scikit-learn's
grammar (``LGBMClassifier``) and that Onward never uses; without it, its trees learn and predict the
same. In a server that only asks trees this is 64 MB and half a second for nothing. In a process where
somebody else may want those classes, a library or a notebook, it would be a bad surprise: so a
process has to say that it is such a server.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["hidden", "import_lean", "spares_scikit_learn"]

_spares = threading.Event()


def spares_scikit_learn() -> None:
    """Say that this process has no use for LightGBM's scikit-learn classes. There is no way back."""
    _spares.set()


@contextmanager
def import_lean(name: str) -> Iterator[None]:
    """Inside, import a library as this process wants it.

    Parameters
    ----------
    name
        Of the library. Only ``lightgbm`` is ever imported in another way than usual: without
        scikit-learn, where `spares_scikit_learn` was called and scikit-learn is not there yet.
    """
    if name == "lightgbm" and _spares.is_set() and not {"lightgbm", "sklearn"} & sys.modules.keys():
        with hidden("sklearn"):
            yield
    else:
        yield


@contextmanager
def hidden(name: str) -> Iterator[None]:
    """Inside, this thread finds no package of that name, unless it is imported already.

    Other threads find it meanwhile, and so does this one afterwards.
    """
    finder = _Hiding(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Hiding(MetaPathFinder):
    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = threading.get_ident()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the finders' signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname == self._name and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is not wanted here", name=fullname)
        return None
