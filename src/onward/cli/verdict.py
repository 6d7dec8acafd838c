"""A finished training on the terminal: the verdict first, then what decided it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onward.cli.output import as_cell, print_note, print_table

if TYPE_CHECKING:
    from onward.training.result import TrainingResult

__all__ = ["print_training", "training_value"]


def training_value(result: TrainingResult) -> dict[str, Any]:
    """Return a result as plain JSON values."""
    return {
        "run": result.run_id,
        "plan_hash": result.plan.content_hash,
        "verdict": result.verdict.to_dict(),
        "scores": result.scores.to_dict(),
        "certificate": result.certificate,
    }


def print_training(result: TrainingResult) -> None:
    """Write verdicts with the numbers that decided them, the scores, and the leak certificate."""
    for name in ("direction", "range"):
        print_note(f"{name.capitalize():<10} {_sentence(getattr(result.verdict, name))}")
    certificate = result.certificate
    checks = f" ({', '.join(certificate.checks)})" if certificate.checks else ""
    print_note(f"{'Leaks':<10} audit {certificate.status.replace('_', ' ')}{checks}")
    for finding in certificate.findings:
        print_note(f"  {finding.severity}: {finding.check}, {finding.subject}: {finding.detail}")
    print_table(("score", "value"), list(_figures(result.scores.to_dict())))
    if result.run_id is not None:
        print_note(f"Written down as run {result.run_id} (onward runs show {result.run_id}).")


def _sentence(verdict: Any) -> str:
    return str(verdict)


def _figures(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return the pooled figures; per-fold lists stay in the report."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += _figures(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            rows.append((f"{prefix}{name}", as_cell(value)))
    return rows
