"""What every selector has in common once it is fitted: chosen columns, and the ledger behind them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import pandas as pd

from onward.errors import StageError
from onward.features.selection.ledger import LedgerRecord

__all__ = ["ChosenColumns", "reading_state"]


class ChosenColumns:
    """Columns taken by name, so that a row's output cannot depend on its batch.

    Attributes
    ----------
    columns_
        Columns kept, in the order of the input; empty before the fit.
    ledger_
        One record a column of the input, in that order.
    """

    def __init__(self) -> None:
        self.columns_: tuple[str, ...] = ()
        self.ledger_: tuple[LedgerRecord, ...] = ()

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the chosen columns, rows as given.

        Raises
        ------
        StageError
            Before ``fit``, or when a chosen column is missing.
        """
        if not self.columns_:
            raise StageError("the selector was not fitted yet", remedy="Call fit first.")
        missing = [column for column in self.columns_ if column not in X.columns]
        if missing:
            raise StageError(
                "chosen columns are missing from the features",
                got=f"{len(missing)} missing, first {missing[0]!r}",
                allowed="every column chosen in fit",
                remedy="Compute the features with the plan the selector was fitted on.",
            )
        return X[list(self.columns_)]

    def required_columns(self, outputs: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the input columns that some (by default all) outputs are computed from: themselves."""
        if outputs is None:
            return self.columns_
        wanted = set(outputs)
        return tuple(column for column in self.columns_ if column in wanted)

    def restricted(self, outputs: Sequence[str]) -> Self:
        """Return a selector that gives these outputs and asks for nothing else; the ledger stays whole."""
        smaller = copy.copy(self)
        smaller.columns_ = self.required_columns(tuple(outputs))
        return smaller


@contextmanager
def reading_state(selector: str) -> Iterator[None]:
    """Turn what goes wrong while a selector's state is read into a refusal.

    Parameters
    ----------
    selector
        Name of its class.

    Raises
    ------
    StageError
        When the state is not what ``to_json`` gave.
    """
    try:
        yield
    except (KeyError, TypeError) as error:
        raise StageError(
            f"this is not the state of {selector}",
            got=f"{type(error).__name__}: {error}",
            allowed="what to_json gave",
            remedy="Train again, or take an undamaged copy of the bundle.",
        ) from error
