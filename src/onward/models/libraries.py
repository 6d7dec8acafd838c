"""Libraries that a model learns with: imported when it is used, never when models are listed."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from onward.errors import ModelError
from onward.models.lean_import import import_lean

__all__ = ["EXTRAS", "import_library", "require_library"]

EXTRAS = {"catboost": "boosters", "xgboost": "boosters"}
"""Which extra of the package brings a library that is not installed with it."""


def import_library(name: str) -> Any:
    """Return a library's module, its OpenMP threads told to sleep while they wait for each other.

    By default they spin. On a machine with anything else to do that burns the very time slices
    that the thread they wait for needs: two threads on 64,000 x 100 cells took 45 s instead of 5 s.
    OpenMP reads the policy once, when the library is loaded; one that is set already stays.

    Parameters
    ----------
    name
        Dotted module name, such as ``xgboost``.

    Raises
    ------
    ModelError
        When it is not installed, with the command that installs it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        with import_lean(name):
            return import_module(name)
    except ImportError as error:
        raise _missing(name.partition(".")[0], str(error)) from error


def require_library(name: str) -> None:
    """Refuse a library that is not installed, without importing it.

    Raises
    ------
    ModelError
        With the command that installs it.
    """
    if find_spec(name) is None:
        raise _missing(name, f"no module named {name!r}")


def _missing(name: str, found: str) -> ModelError:
    extra = EXTRAS.get(name)
    command = f'pip install "onward[{extra}]"' if extra else f"pip install {name}"
    return ModelError(
        f"the library {name} is not installed",
        got=found,
        allowed=f"an installation of Onward with the extra {extra!r}" if extra else f"{name} installed",
        remedy=f"Run {command}, or choose another model.",
    )
