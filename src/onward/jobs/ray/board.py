"""Who of an attempt's processes does which piece of its work, as plain decisions.

Two ways to divide work. *Pieces* (outer folds) are each done by one: the lead takes them from the
front, helpers from the back, so that the lead waits for a helper only when no piece is left that
nobody does. *Errands* (searches) are done by all at once, who share them by other means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["LEAD", "Board"]

LEAD = 0
"""Number of the lead; helpers count from 1."""
WAIT_SECONDS = 0.2
MANY = 1 << 16


class Board:
    """What is open, in whose hands, and done. One thread at a time."""

    def __init__(self) -> None:
        self._open: list[int] = []
        self._held: dict[int, int] = {}
        self._done: dict[int, str] = {}
        self._errand: tuple[int, str] | None = None
        self._served: set[tuple[int, int]] = set()
        self._at_errand: dict[int, int] = {}
        self._closed = False

    def lay_out(self, pieces: Iterable[int]) -> None:
        """Lay out pieces of work, each to be done once."""
        self._open = sorted(pieces)

    def ask_all(self, number: int, errand: str) -> None:
        """Put up an errand that everybody takes part in; it takes the place of the one before."""
        self._errand = (number, errand)

    def withdraw(self, number: int) -> int:
        """Take an errand down, and return how many are still at it."""
        if self._errand is not None and self._errand[0] == number:
            self._errand = None
        return sum(at == number for at in self._at_errand.values())

    def close(self) -> None:
        """Let everybody go."""
        self._closed = True

    @property
    def room(self) -> int:
        """How many helpers there is work for, those that are at work included."""
        if self._closed:
            return 0
        if self._open or self._held or self._done:
            return len(self._open) + sum(who != LEAD for who in self._held.values())
        return MANY

    def next(self, who: int) -> Mapping[str, Any]:
        """Return what a helper does next: ``piece``, ``errand`` with its ``number``, ``wait``, or ``end``."""
        self._at_errand.pop(who, None)
        if self._open:
            piece = self._open.pop()
            self._held[piece] = who
            return {"piece": piece}
        if self._errand is not None and (who, self._errand[0]) not in self._served:
            number, text = self._errand
            self._served.add((who, number))
            self._at_errand[who] = number
            return {"errand": text, "number": number}
        # Without pieces the next errand may still come. A helper waits for no piece: it holds
        # processors, and should another helper be lost, the lead does what that one had.
        return {"end": True} if self._closed or self._held or self._done else {"wait": WAIT_SECONDS}

    def done(self, who: int, piece: int, digest: str) -> None:
        """Note that a helper has handed a piece over."""
        if self._held.get(piece) == who:
            del self._held[piece]
            self._done[piece] = digest

    def take(self, piece: int, *, refused: bool = False) -> Mapping[str, Any]:
        """Return what becomes of a piece that the lead wants.

        Parameters
        ----------
        piece
            Its number.
        refused
            Whether what was handed over is unusable.

        Returns
        -------
        Mapping
            ``yours`` (do it), ``digest`` (it lies there), or ``wait``.
        """
        if refused:
            self._done.pop(piece, None)
        if piece in self._done:
            return {"digest": self._done[piece]}
        if self._held.get(piece, LEAD) != LEAD:
            return {"wait": WAIT_SECONDS}
        if piece in self._open:
            self._open.remove(piece)
        self._held[piece] = LEAD
        return {"yours": True}

    def lost(self, who: int) -> list[int]:
        """Open again what a helper had in hand, and return its numbers."""
        back = [piece for piece, holder in self._held.items() if holder == who]
        for piece in back:
            del self._held[piece]
        self._open = sorted([*self._open, *back])
        self._at_errand.pop(who, None)
        return back
