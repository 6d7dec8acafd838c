"""Training rows made ready once, for as many fits as share how they were made ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onward.errors import ModelError
from onward.types import FloatArray, IntArray

__all__ = ["Prepared"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What `ThreeClassModel.prepare` makes of training rows and ``fit_prepared`` learns from.

    A search fits many parameters on the same rows of a fold. Checking those rows, and for boosters
    cutting their columns into bins, is the same work each time; it is done once here. The rows are
    one fold's training rows: a subset of rows that were binned together would carry the bin edges
    of the others.

    Attributes
    ----------
    model
        Name of the model it was made for.
    data
        The rows as the model's ``_fit`` takes them: a float32 matrix, or the library's own
        binned dataset.
    codes
        0, 1, 2 for down, range, up, shape (n,).
    weight
        Shape (n,), all above zero; None is one a row. Rows of weight zero are not among the rows.
    features
        Column names; None when the rows came as an array.
    n_rows, n_features
        Shape of the rows.
    settings
        The parameters that shaped ``data``; only models that agree on them may use it.

    Notes
    -----
    Use it from one thread at a time: libraries write the weights of a fit into their dataset.
    """

    model: str
    data: Any
    codes: IntArray
    weight: FloatArray | None
    features: tuple[str, ...] | None
    n_rows: int
    n_features: int
    settings: Mapping[str, Any]

    def check(self, model: str, settings: Mapping[str, Any]) -> None:
        """Refuse a model that would have made the rows ready in another way.

        Raises
        ------
        ModelError
            Naming the first parameter that differs.
        """
        if model != self.model:
            raise ModelError(
                "the rows were prepared for another model",
                got=self.model,
                allowed=model,
                remedy="Call prepare of the model that is to be fitted.",
            )
        for name in sorted({*settings, *self.settings}):
            if settings.get(name) != self.settings.get(name):
                raise ModelError(
                    f"the rows were prepared with another {name}",
                    got=repr(self.settings.get(name)),
                    allowed=repr(settings.get(name)),
                    remedy="Call prepare again with these parameters.",
                )
