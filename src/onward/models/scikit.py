"""What the models made with scikit-learn share: the estimator, and how it is kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from onward.errors import ModelError
from onward.models.contrast import ContrastModel
from onward.models.estimator_file import read_estimator, write_estimator
from onward.models.state_file import damaged

__all__ = ["ScikitModel", "refusals"]

MODEL_FILE = "model.skops"


class ScikitModel(ContrastModel):
    """Base of the models that wrap a scikit-learn estimator.

    Attributes
    ----------
    estimator_
        The fitted estimator; its classes are the codes 0, 1, 2 of the classes that are present.
    """

    native_files = (MODEL_FILE,)
    estimator_type: ClassVar[str]
    """Full name of the estimator's class."""
    part_types: ClassVar[tuple[str, ...]] = ()
    """Full names of what else may lie in its file."""

    def _check_estimator(self) -> str | None:
        """Return what is wrong with an estimator that was read, None when nothing is."""
        return None

    def _write_native(self, directory: Path) -> None:
        write_estimator(directory / MODEL_FILE, self.estimator_)

    def _read_native(self, directory: Path) -> None:
        path = directory / MODEL_FILE
        estimator = read_estimator(path, frozenset({self.estimator_type, *self.part_types}))
        found = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
        if found != self.estimator_type:
            raise damaged(path, f"a {found}")
        self.estimator_: Any = estimator
        try:
            wrong = self._check_estimator()
        except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            raise damaged(path, wrong)


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Turn scikit-learn's refusals (a parameter out of range) into a `ModelError`."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"scikit-learn refused to train the {name} model",
            got=str(error),
            remedy="Check the model's parameters.",
        ) from error
