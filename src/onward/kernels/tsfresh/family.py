"""What a family of calculators is: names it answers to, and columns it writes a chunk at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.sums import FloatMatrix, IntVector

__all__ = ["Calculator", "Family", "Request", "whole"]


@dataclass(frozen=True)
class Calculator:
    """One of tsfresh's calculators, as a family knows it.

    Attributes
    ----------
    code
        Number by which the family's kernel knows it.
    encode
        Turns a parameter dictionary into the kernel's numbers, or into None when these values
        are lawful in tsfresh but not computed here.
    """

    code: int
    encode: Callable[[Mapping[str, Any]], tuple[float, ...] | None] = field(default=lambda _parameters: ())


@dataclass(frozen=True)
class Request:
    """One output column: a calculator, its parameters, and the slot it is written to."""

    calculator: str
    parameters: Mapping[str, Any]
    slot: int


def whole(value: Any) -> int | None:
    """Return an integer parameter, or None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return None
    return int(value)


class Family(ABC):
    """Columns of one family, bound to a window length and ready to be written.

    Parameters
    ----------
    requests
        The columns, all of calculators in `CALCULATORS`.
    length
        Values in a window.
    """

    CALCULATORS: ClassVar[Mapping[str, Calculator]]
    WIDTH: ClassVar[int] = 4
    """Numbers that a column's parameters take at most."""

    def __init__(self, requests: Sequence[Request], length: int) -> None:
        self.length = length
        self.slots: IntVector = np.array([r.slot for r in requests], dtype=np.int64)
        self.codes: IntVector = np.array(
            [self.CALCULATORS[r.calculator].code for r in requests], dtype=np.int64
        )
        self.numbers: FloatMatrix = np.zeros((len(requests), self.WIDTH))
        for row, request in enumerate(requests):
            encoded = self.CALCULATORS[request.calculator].encode(request.parameters)
            assert encoded is not None
            self.numbers[row, : len(encoded)] = encoded
        self.prepare(requests)

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: B027 - most families need no tables
        """Build tables that depend on the columns and the window length alone."""

    @abstractmethod
    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the family's columns of every window into ``out``, shape (rows, slots)."""

    @classmethod
    def knows(cls, calculator: str, parameters: Mapping[str, Any]) -> bool:
        """Return whether a calculator with these parameters is computed here."""
        found = cls.CALCULATORS.get(calculator)
        return found is not None and found.encode(parameters) is not None


def largest(numbers: Iterable[float], default: int = 0) -> int:
    """Return the largest of some whole numbers that are held as floats."""
    return max((int(n) for n in numbers), default=default)
