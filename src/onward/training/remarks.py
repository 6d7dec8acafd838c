"""What could not be measured, and why: sentences, the same one of several folds said once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from onward.errors import UserError

__all__ = ["Remarks", "named_folds"]


class Remarks:
    """Gathers sentences."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._failed: dict[tuple[str, str], tuple[str, list[int]]] = {}

    def add(self, sentence: str) -> None:
        """Say something, once."""
        if sentence not in self._said:
            self._said.append(sentence)

    @contextmanager
    def unless_measured(self, what: str, fold: int | None = None) -> Iterator[None]:
        """Turn a refusal (too few rows, say) into a remark, so that the rest goes on."""
        try:
            yield
        except UserError as error:
            # Folds differ in their figures, not in what is wrong: those of the first one stand for all.
            _, folds = self._failed.setdefault((what, error.what), (str(error), []))
            folds += [] if fold is None else [fold]

    def sentences(self) -> tuple[str, ...]:
        """Return everything that was said and everything that failed."""
        failed = (_failure(what, why, folds) for (what, _), (why, folds) in self._failed.items())
        return (*self._said, *failed)


def named_folds(numbers: Sequence[int]) -> str:
    """Return folds as people count them: ``fold 1``, ``folds 1, 3``."""
    return f"fold{'s' if len(numbers) > 1 else ''} {', '.join(str(n + 1) for n in numbers)}"


def _failure(what: str, why: str, folds: Sequence[int]) -> str:
    where = f" in {named_folds(folds)}" if folds else ""
    return f"{what} could not be measured{where}: {why}"
