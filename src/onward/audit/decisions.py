"""What a labeler says of bars before any outcome: the primary signal, and which bars are events.

Labels look ahead, and may. The signal that meta-labels are verdicts on may not: it is traded, so a
glance at the next bar in it is profit in every report, and the learning path around it stays clean.
The same holds for the events on which labels are sampled: they say when to act. So both are audited
as if they were columns of a stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from onward.audit.features import audit_function
from onward.audit.report import Ledger
from onward.labels.meta import MetaLabeler
from onward.labels.signals import signal_address, signal_function
from onward.protocols import Labeler
from onward.types import Finding, Market

__all__ = ["check_decisions", "decisions"]


def check_decisions(labeler: Labeler, market: Market, ledger: Ledger) -> None:
    """Put every primary signal and event filter of a labeler through the checks of a stage.

    Each is a check of its own, ``primary_signal`` or ``event_sampling``; labels without either
    have none. A finding names the stage's check that made it (truncation, perturbation ...).

    Parameters
    ----------
    labeler
        Unfitted; those that it holds as ``labeler`` are looked at too.
    market
        The true market.
    ledger
        Told what was found.

    Raises
    ------
    AuditError
        A signal cannot be computed, or does not give one value a bar.
    NotEnoughDataError
        The market is too short to be audited.
    """
    for check, subject, function in decisions(labeler):
        with ledger.check(check):
            # They may compare symbols, and do not say how many bars they need.
            report = audit_function(
                function, market, columns=["value"], name=check, scope="cross_section", takes="market"
            )
            ledger.runs += sum(run.runs for run in report.checks)
            ledger.rows_probed = next(
                (r.rows_probed for r in report.checks if r.rows_probed is not None), None
            )
            for finding in report.findings:
                detail = f"{finding.check}: {finding.detail}"
                ledger.add(Finding(check, finding.severity, subject, finding.row, detail))


def decisions(labeler: Any) -> Iterator[tuple[str, str, Callable[[Market], Any]]]:
    """Yield check, subject and function of a market for whatever a labeler says of bars.

    Known by name: ``signals(market)`` and ``events(market)``, as `onward.testing.labelers` knows
    them, of the labeler and of those it holds as ``labeler``.
    """
    seen: set[int] = set()
    while labeler is not None and id(labeler) not in seen:
        seen.add(id(labeler))
        if isinstance(labeler, MetaLabeler) and type(labeler).signals is MetaLabeler.signals:
            yield (
                "primary_signal",
                signal_address(labeler.signal),
                signal_function(labeler.signal, labeler.signal_bars),
            )
        elif callable(getattr(labeler, "signals", None)):
            yield "primary_signal", f"{type(labeler).__name__}.signals", labeler.signals
        if callable(getattr(labeler, "events", None)):
            yield "event_sampling", f"{type(labeler).__name__}.events", labeler.events
        labeler = getattr(labeler, "labeler", None)
