"""What came of a job: verdicts and certificate of a training, what went wrong, figures of the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.jobs.values import Job

__all__ = ["Fact", "Failure", "Trained", "facts_of", "failure_of", "model_page", "trained_of"]

LAST_LINES = 20
SHOWN_FINDINGS = 8
PARTS = ("what", "got", "allowed", "remedy")
OWN_WORDS = ("oom", "timeout", "stalled")
"""Reasons for which the page says itself what happened and what helps, in the reader's language."""
REFERENCE = re.compile(r"^models:/([^/@]+)/(\d+)$")
FACTS = ("rows", "columns", "cold_rows", "nan_share", "model", "written", "report")
"""Fields of results that are shown as they are, of those that there are."""

TAKEN = ("added", "unchanged", "replaced")
"""Rows of a file that the store holds now, of what it says of each symbol."""

Fact = tuple[str, Any]
"""Name of a figure (``job.fact.<name>``) and its value."""


@dataclass(frozen=True)
class Trained:
    """What a training or search came to.

    Attributes
    ----------
    verdicts
        Of direction and range, as ``ClassVerdict.to_dict()`` tells them.
    certificate
        ``passed``, ``failed`` or ``not_run``.
    findings
        Leaks first: check, subject and detail of each; those that fit.
    n_findings
        How many there are.
    run, model, alias
        What it is known by: a run always, a version (``models:/name/3``) when it was published.
    n_trials
        Of its search; 0 without one.
    warnings
        In English, as the code says them.
    """

    verdicts: tuple[Mapping[str, Any], ...]
    certificate: str
    findings: tuple[Mapping[str, Any], ...]
    n_findings: int
    run: str | None
    model: str | None
    alias: str | None
    n_trials: int
    warnings: tuple[str, ...]

    @property
    def leaks(self) -> bool:
        """Whether a look into the future was found."""
        return self.certificate == "failed"

    @property
    def model_page(self) -> str | None:
        """Where the published version is shown."""
        return model_page(self.model)


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    Attributes
    ----------
    reason
        Kind of failure (``error``, ``oom`` ...).
    parts
        ``what``, ``got``, ``allowed`` and ``remedy`` of the error, of those that there are; neither
        ``what`` nor ``remedy`` where the supervisor said them in general words (`OWN_WORDS`).
    traceback
        For whoever wrote the code; empty when there is none.
    log
        Last lines.
    """

    reason: str
    parts: Mapping[str, str]
    traceback: str
    log: tuple[str, ...]


def model_page(reference: str | None) -> str | None:
    """Return the address of the page of ``models:/name/3``; None for anything else."""
    found = REFERENCE.match(reference or "")
    return None if found is None else f"/models/{found[1]}/{found[2]}"


def trained_of(kind: str, result: Mapping[str, Any]) -> Trained | None:
    """Return what a result says of a training; None when it is of something else."""
    verdict = result.get("verdict")
    if kind not in ("train", "tune") or not isinstance(verdict, Mapping):
        return None
    certificate = _mapping(result.get("certificate"))
    findings = _findings(certificate.get("findings"))
    judged = (verdict.get(subject) for subject in ("direction", "range"))
    return Trained(
        verdicts=tuple(one for one in judged if isinstance(one, Mapping) and "level" in one),
        certificate=str(certificate.get("status") or "not_run"),
        findings=findings[:SHOWN_FINDINGS],
        n_findings=len(findings),
        run=result.get("run"),
        model=result.get("model"),
        alias=result.get("alias"),
        n_trials=int(_mapping(result.get("search")).get("n_trials") or 0),
        warnings=tuple(map(str, result.get("warnings") or ())),
    )


def failure_of(job: Job) -> Failure:
    """Return what a failed job says of its failure."""
    error = job.error or {}
    supervised = error.get("error") == "JobError" and job.reason in OWN_WORDS
    shown = ("got", "allowed") if supervised else PARTS
    return Failure(
        reason=job.reason or "error",
        parts={name: str(error[name]) for name in shown if error.get(name)},
        traceback=str(error.get("traceback") or ""),
        log=tuple(str(error.get("log") or "").splitlines()[-LAST_LINES:]),
    )


def facts_of(kind: str, result: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return what a result says that has no verdict: figures, files, what an audit found."""
    facts: list[Fact] = []
    if kind == "audit" and "passed" in result:
        facts.append(("passed", bool(result["passed"])))
        facts += [("finding", one) for one in _findings(result.get("findings"))[:SHOWN_FINDINGS]]
    facts += [("imported", one) for one in _imported(result)]
    facts += [(name, result[name]) for name in FACTS if result.get(name) is not None]
    return tuple(facts)


def _imported(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return kind, symbols and rows of what was stored: a file may name no symbol, or another one."""
    stored = [one for one in result.get("stored") or () if isinstance(one, Mapping)]
    if not stored:
        return [one for one in result.get("imported") or () if isinstance(one, Mapping)]
    by_kind: dict[str, list[Mapping[str, Any]]] = {}
    for one in stored:
        by_kind.setdefault(str(one.get("kind") or ""), []).append(one)
    return [
        {
            "kind": kind,
            "symbols": list(dict.fromkeys(str(one["symbol"]) for one in some if one.get("symbol"))),
            "rows": sum(int(one.get(name) or 0) for one in some for name in TAKEN),
        }
        for kind, some in by_kind.items()
    ]


def _findings(found: Any) -> tuple[Mapping[str, Any], ...]:
    listed = [one for one in found if isinstance(one, Mapping)] if isinstance(found, Sequence) else []
    blank = {"check": "", "subject": "", "row": "", "detail": "", "severity": "leak"}
    return tuple(blank | dict(one) for one in sorted(listed, key=lambda one: one.get("severity") != "leak"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
