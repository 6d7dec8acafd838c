"""How far a long piece of work has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ProgressEvent"]


@dataclass(frozen=True)
class ProgressEvent:
    """How far a long piece of work has come.

    Attributes
    ----------
    stage
        What is being done: ``features``, ``fold``, ``null band``, ``audit`` ...
    done, total
        Units finished and units in all; ``total`` is 0 when it is not known.
    message
        A few words for a person.
    values
        Figures worth showing as they come, such as the scores of a finished fold.
    """

    stage: str
    done: float
    total: float
    message: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
