"""Whether labels keep to their spans: what had ended by a moment may not move with what comes after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onward.audit.perturbation import perturb_future
from onward.audit.redrawn import places_in
from onward.audit.report import Ledger
from onward.audit.splits import row_name
from onward.errors import OnwardError
from onward.protocols import Labeler
from onward.types import Finding, IntArray, Labels, Market, Spans

__all__ = ["FUTURES", "check_labels"]

FUTURES = ("rise", "fall", "scramble", "mirror")
"""Styles of other futures that keep every bar, so that rows can be compared."""

SHARES = (0.35, 0.6, 0.8, 0.95)
"""Where in the history the other futures begin, as shares of the label ends."""


def check_labels(
    labeler: Labeler, market: Market, rows: IntArray, ledger: Ledger, *, subject: str = "labels"
) -> None:
    """Change everything after some moments; no label that had ended by then may change.

    A span that ends too early makes every purge too narrow, and no look at spans can tell. Rows
    that carry a label by then must be the same ones: an event that is only chosen because of
    what followed it is a look ahead as well.

    Parameters
    ----------
    labeler
        Unfitted. It is fitted on ``rows`` first; what fitting takes from them is kept.
    market
        The true market.
    rows
        Positions of rows to fit on.
    ledger
        Told what was found.
    subject
        Name of the labels in a finding.
    """
    fitted = labeler.fit(market, rows)
    true = fitted.label(market)
    for number, share in enumerate(SHARES):
        moment = int(np.quantile(true.spans.end, share, method="lower"))
        style = FUTURES[number % len(FUTURES)]
        other = perturb_future(market, moment, style, seed=number)
        try:
            seen = fitted.label(other)
        except OnwardError as error:
            ledger.note = f"another future ({style}) could not be labelled: {error.what}"
            continue
        ledger.runs += 1
        told = _difference(true, seen, moment)
        if told is not None:
            row, detail = told
            detail = f"{detail} when everything after its end was changed ({style})"
            ledger.add(Finding("label_resolution", "leak", subject, row, detail))
            return


def _difference(true: Labels, seen: Labels, moment: int) -> tuple[str, str] | None:
    """Return the first row that had ended by the moment and differs, and what differs."""
    looks: tuple[tuple[Labels, Labels, Callable[[Spans, int], str]], ...] = (
        (true, seen, lambda spans, row: f"the label that ends {_when(spans, row)} disappeared"),
        (seen, true, lambda spans, row: f"a label that ends {_when(spans, row)} appeared"),
    )
    for one, two, told in looks:
        ended = np.flatnonzero(one.spans.end <= moment)
        place = places_in(two.spans.index, one.spans.index[ended])
        late = np.where(place >= 0, two.spans.end[place], moment + 1) > moment
        if late.any():
            row = int(ended[np.flatnonzero(late)[0]])
            return row_name(one.spans, row), told(one.spans, row)
    ended = np.flatnonzero(true.spans.end <= moment)
    place = places_in(seen.spans.index, true.spans.index[ended])
    moved = (true.spans.end[ended] != seen.spans.end[place]) | (true.y[ended] != seen.y[place])
    if not moved.any():
        return None
    first = int(np.flatnonzero(moved)[0])
    row, there = int(ended[first]), int(place[first])
    detail = (
        f"{int(moved.sum())} labels changed; this one, which ends {_when(true.spans, row)}, went from "
        f"{true.y[row]:g} to {seen.y[there]:g}"
    )
    return row_name(true.spans, row), detail


def _when(spans: Spans, row: int) -> str:
    return str(np.datetime64(int(spans.end[row]), "ns").astype("datetime64[m]"))
