"""Ray, imported when it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from onward.errors import JobError

__all__ = ["require_ray"]


def require_ray() -> Any:
    """Return the module ``ray``.

    Raises
    ------
    JobError
        When it is not installed, with the command that installs it.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise JobError(
            "jobs on a Ray cluster need Ray, which is not installed",
            got=str(error),
            allowed="an installation of Onward with the extra 'ray'",
            remedy='Run pip install "onward[ray]" here and on every node, or use the local backend.',
        ) from error
