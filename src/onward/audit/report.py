"""What an audit says: the checks that ran, what they found, and the certificate that follows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from onward.audit.table import Difference
from onward.types import Certificate, Finding

__all__ = ["AuditReport", "CheckRun", "Ledger"]


@dataclass(frozen=True)
class CheckRun:
    """One check of an audit.

    Attributes
    ----------
    name
        Name of the check, as in `onward.types.Finding.check`.
    status
        ``passed``, ``failed`` (it found a leak), ``warned`` or ``not_run``.
    runs
        Recomputations that were compared.
    seconds
        Wall-clock time that it took.
    note
        Why it did not run, or what could not be compared; empty when there is nothing to say.
    rows_probed
        Share of the rows on which a look one bar ahead would have shown; ``None`` where the check
        does not ask row by row.
    """

    name: str
    status: Literal["passed", "failed", "warned", "not_run"]
    runs: int
    seconds: float
    note: str = ""
    rows_probed: float | None = None

    @property
    def says(self) -> str:
        """The note, and the share of rows that were asked, as text."""
        probed = self.rows_probed
        asked = "" if probed is None else f"rows probed for a look one bar ahead: {_percent(probed)}"
        return "; ".join(part for part in (asked, self.note) if part)


@dataclass(frozen=True)
class AuditReport:
    """Outcome of an audit.

    Attributes
    ----------
    subject
        What was audited.
    checks
        The checks in the order in which they ran.
    findings
        Leaks first, then warnings.
    data_hash
        Content hash of the market or world that was audited.
    created_at
        ISO 8601, UTC.
    """

    subject: str
    checks: tuple[CheckRun, ...]
    findings: tuple[Finding, ...]
    data_hash: str
    created_at: str

    @property
    def passed(self) -> bool:
        """Whether at least one check ran and none found a leak."""
        return any(check.status != "not_run" for check in self.checks) and not self.leaks

    @property
    def rows_probed(self) -> float | None:
        """Smallest share of rows that a check asked for a look one bar ahead; None where none asked."""
        return min((c.rows_probed for c in self.checks if c.rows_probed is not None), default=None)

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings that fail the certificate."""
        return tuple(f for f in self.findings if f.severity == "leak")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that deserve a look and fail nothing."""
        return tuple(f for f in self.findings if f.severity == "warning")

    def certificate(self) -> Certificate:
        """Return the certificate that is stored with a model."""
        ran = tuple(check.name for check in self.checks if check.status != "not_run")
        status: Literal["passed", "failed", "not_run"] = "passed" if self.passed else "failed"
        if not ran:
            status = "not_run"
        return Certificate(
            status, ran, self.findings, self.subject, self.data_hash, self.created_at, self.rows_probed
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "subject": self.subject,
            "passed": self.passed,
            "data_hash": self.data_hash,
            "created_at": self.created_at,
            "rows_probed": self.rows_probed,
            "checks": [asdict(check) for check in self.checks],
            "findings": [asdict(finding) for finding in self.findings],
        }

    @classmethod
    def combine(cls, reports: Iterable[AuditReport], *, subject: str) -> AuditReport:
        """Return one report over the parts of a pipeline; checks of the same name are added up."""
        parts = list(reports)
        hashes = list(dict.fromkeys(part.data_hash for part in parts))
        return cls(
            subject,
            tuple(_added([check for part in parts for check in part.checks])),
            _ordered([finding for part in parts for finding in part.findings]),
            hashes[0] if len(hashes) == 1 else "|".join(hashes),
            max((part.created_at for part in parts), default=""),
        )

    def __str__(self) -> str:
        verdict = (
            "passed" if self.passed else "FAILED" if self.certificate().status == "failed" else "not run"
        )
        n_runs = sum(check.runs for check in self.checks)
        seconds = sum(check.seconds for check in self.checks)
        lines = [f"Audit of {self.subject}: {verdict} ({n_runs} runs compared in {seconds:.1f} s)"]
        for check in self.checks:
            note = f"  {check.says}" if check.says else ""
            status = check.status.replace("_", " ")
            lines.append(f"  {check.name:<26}{status:<9}{check.runs:>4} runs {check.seconds:>6.2f} s{note}")
        for finding in self.findings:
            where = f" at {finding.row}" if finding.row else ""
            lines.append(f"{finding.severity.upper()} [{finding.check}] {finding.subject}{where}")
            lines.append(f"    {finding.detail}")
        return "\n".join(lines)


@dataclass
class Ledger:
    """Collects what an audit meets on its way: one finding a check and subject.

    Attributes
    ----------
    findings
        By check and subject.
    short
        Columns for which the declared lookback was seen to be too short, with the difference.
    checks
        Checks that are done.
    runs, note, rows_probed
        Of the check that is going on.
    """

    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    short: dict[str, Difference] = field(default_factory=dict)
    checks: list[CheckRun] = field(default_factory=list)
    runs: int = 0
    note: str = ""
    rows_probed: float | None = None

    def add(self, finding: Finding) -> None:
        """Keep a finding unless the same check has one on the same subject."""
        self.findings.setdefault((finding.check, finding.subject), finding)

    def found(self, check: str) -> set[str]:
        """Return the subjects on which a check has a leak."""
        return {s for (c, s), f in self.findings.items() if c == check and f.severity == "leak"}

    def skip(self, name: str, note: str) -> None:
        """Record that a check did not run, and why."""
        self.checks.append(CheckRun(name, "not_run", 0, 0.0, note))

    @contextmanager
    def check(self, name: str) -> Iterator[None]:
        """Time a check; runs and notes made inside belong to it."""
        self.runs, self.note, self.rows_probed = 0, "", None
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        severities = {f.severity for (c, _), f in self.findings.items() if c == name}
        status: Literal["passed", "failed", "warned", "not_run"] = "passed"
        if severities:
            status = "failed" if "leak" in severities else "warned"
        elif self.runs == 0:
            status = "not_run"
        self.checks.append(CheckRun(name, status, self.runs, seconds, self.note, self.rows_probed))

    def report(self, subject: str, data_hash: str) -> AuditReport:
        """Close the ledger."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return AuditReport(subject, tuple(self.checks), _ordered(self.findings.values()), data_hash, now)


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda f: f.severity != "leak"))


def _added(checks: list[CheckRun]) -> list[CheckRun]:
    by_name: dict[str, CheckRun] = {}
    worst = ("not_run", "passed", "warned", "failed")
    for check in checks:
        known = by_name.get(check.name)
        if known is None:
            by_name[check.name] = check
            continue
        by_name[check.name] = CheckRun(
            check.name,
            max(known.status, check.status, key=worst.index),
            known.runs + check.runs,
            known.seconds + check.seconds,
            known.note or check.note,
            min((c.rows_probed for c in (known, check) if c.rows_probed is not None), default=None),
        )
    return list(by_name.values())


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %" if share >= 0.1 else f"{100.0 * share:.1f} %"
