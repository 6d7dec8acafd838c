"""A finished training on the terminal: the verdict first, then what decided it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward.cli.output import print_note, print_table

if TYPE_CHECKING:
    from onward.training.result import TrainingResult

__all__ = ["print_training", "training_value"]

PRIORS = (
    "A naive rule's AUC strays from 0.5 to either side without knowing anything: its probabilities are class "
    "frequencies, and those of a fold's training rows lean against its test rows."
)


def training_value(result: TrainingResult) -> dict[str, Any]:
    """Return a result as plain JSON values."""
    return {
        "run": result.run_id,
        "plan_hash": result.plan.content_hash,
        "verdict": result.verdict.to_dict(),
        "scores": result.scores.to_dict(),
        "certificate": result.certificate,
        "warnings": result.warnings,
    }


def print_training(result: TrainingResult) -> None:
    """Write the verdicts with the numbers that decided them, the certificate, and the scores."""
    for sentence in result.verdict.sentences:
        print_note(sentence)
    for warning in result.warnings:
        print_note(f"Mind: {warning}")
    certificate = result.certificate
    checks = f" ({', '.join(certificate.checks)})" if certificate.checks else ""
    print_note(f"Leak audit: {certificate.status.replace('_', ' ')}{checks}.")
    for finding in certificate.findings:
        print_note(f"  {finding.severity}: {finding.check}, {finding.subject}: {finding.detail}")
    scores = {"pooled": result.scores.pooled, **result.scores.baselines}
    print_table(
        ("", "up/down AUC", "range AUC", "log-loss skill", "accuracy over majority", "rows"),
        [
            (
                name,
                f"{m.direction_auc:.3f}",
                f"{m.range_auc:.3f}",
                f"{m.log_loss_skill:+.4f}",
                f"{m.accuracy_above_majority:+.4f}",
                m.n,
            )
            for name, m in scores.items()
        ],
    )
    print_note(PRIORS)
    if result.run_id is not None:
        print_note(f"Written down as run {result.run_id}: onward runs show {result.run_id}")
