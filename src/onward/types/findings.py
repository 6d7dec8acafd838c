"""What an audit found, and the certificate that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Certificate", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One thing that an audit found.

    Attributes
    ----------
    check
        Name of the check: ``truncation``, ``perturbation``, ``batch_equals_latest``,
        ``availability``, ``interval_overlap``, ``duplicates``, ``test_label_perturbation``,
        ``other_test_rows``, ``noise``.
    severity
        ``leak`` fails the certificate, ``warning`` does not.
    subject
        Column, source, fold or split that it concerns.
    row
        Symbol and open time of the first offending row, as text; empty when it has none.
    detail
        One sentence with the first differing values.
    """

    check: str
    severity: Literal["leak", "warning"]
    subject: str
    row: str
    detail: str


@dataclass(frozen=True)
class Certificate:
    """Outcome of an audit, stored with the model. Only ``passed`` may be given an alias.

    Attributes
    ----------
    status
        ``passed``, ``failed`` or ``not_run``.
    checks
        Names of the checks that ran.
    findings
        Leaks first, then warnings.
    subject, data_hash, created_at
        What was audited, on which data, when (ISO 8601, UTC).
    rows_probed
        Share of the rows on which a look one bar ahead would have shown, the smallest of the checks that
        ask row by row; ``None`` where none does.
    """

    status: Literal["passed", "failed", "not_run"]
    checks: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    subject: str = ""
    data_hash: str = ""
    created_at: str = ""
    rows_probed: float | None = None
