"""A finished training on the terminal: the verdict first, then what decided it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from onward.cli.output import print_note, print_table
from onward.cli.retrains import print_retrains

if TYPE_CHECKING:
    from onward.evaluation.diagnosis import Diagnosis
    from onward.evaluation.learning import LearningRecord
    from onward.evaluation.paths import PathScores
    from onward.training.result import TrainingResult

__all__ = ["print_diagnosis", "print_learning", "print_paths", "print_training", "training_value"]

FINDINGS_SHOWN = 8
PRIORS = (
    "A naive rule's AUC strays from 0.5 to either side without knowing anything: its probabilities are class "
    "frequencies, and those of a fold's training rows lean against its test rows."
)


def training_value(result: TrainingResult) -> dict[str, Any]:
    """Return a result as plain JSON values."""
    from onward.evaluation.strategies import strategies_to_dict

    return {
        "run": result.run_id,
        "plan_hash": result.plan.content_hash,
        "verdict": result.verdict.to_dict(),
        "scores": result.scores.to_dict(),
        "backtest": strategies_to_dict(result.backtests),
        "schedule": None if result.schedule is None else result.schedule.to_dict(),
        "paths": None if result.training.paths is None else result.training.paths.to_dict(),
        "learning": None if result.learning is None else result.learning.to_dict(),
        "diagnosis": result.diagnosis.to_dict(),
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
    probed = certificate.rows_probed
    share = (
        "" if probed is None else f"; {probed:.1%} of the rows also asked one by one, each in another future"
    )
    print_note(f"Leak audit: {certificate.status.replace('_', ' ')}{checks}{share}.")
    for finding in certificate.findings[:FINDINGS_SHOWN]:
        print_note(f"  {finding.severity}: {finding.check}, {finding.subject}: {finding.detail}")
    if (left := len(certificate.findings) - FINDINGS_SHOWN) > 0:
        print_note(f"  and {left} more; they all stand in the report")
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
    print_diagnosis(result.diagnosis)
    if result.training.paths is not None:
        print_paths(result.training.paths)
    if result.schedule is not None:
        print_retrains(result.schedule, result.scores)
    if result.learning is not None:
        print_learning(result.learning)
    if result.run_id is not None:
        print_note(f"Written down as run {result.run_id}: onward runs show {result.run_id}")


def print_paths(paths: PathScores) -> None:
    """Write what each backtest path scored."""
    print_table(
        ("backtest path", "up/down AUC", "range AUC", "log-loss skill"),
        [
            (number, f"{m.direction_auc:.3f}", f"{m.range_auc:.3f}", f"{m.log_loss_skill:+.4f}")
            for number, m in enumerate(paths.paths)
        ],
    )


def print_diagnosis(found: Diagnosis) -> None:
    """Write in a few sentences what counts, what drifted and how symbols were ordered."""
    from onward.evaluation.report.drift import drift_view
    from onward.evaluation.report.importance import importance_view

    importance, drift = importance_view(found), drift_view(found)
    sentences = [] if importance is None else [importance.summary]
    sentences += [] if drift is None else drift.summary
    for sentence in filter(None, sentences):
        print_note(sentence)
    if found.information is not None:
        ic, rank = (found.information.summary.loc[name] for name in ("ic", "rank_ic"))
        print_note(
            f"Across symbols: information coefficient {ic['mean']:+.4f} (t {ic['t']:+.2f}), rank IC "
            f"{rank['mean']:+.4f} (t {rank['t']:+.2f})."
        )


def print_learning(record: LearningRecord) -> None:
    """Write the members of an ensemble with what they were worth inside the training rows."""
    if record.members:
        scored = (
            f"scored on {record.n_scored} of {record.n_rows} training rows ({record.scored_on})"
            if record.n_scored
            else "not scored inside the training rows"
        )
        print_note(f"The final fit is an ensemble by {record.method}, {scored}: no evidence of skill.")
        print_table(
            ("", "share", "up/down AUC", "range AUC", "log-loss skill"),
            [
                (
                    name,
                    f"{row['share']:.2f}",
                    *(
                        "" if math.isnan(row[score]) else f"{row[score]:.3f}"
                        for score in ("direction_auc", "range_auc", "log_loss_skill")
                    ),
                )
                for name, row in record.frame().iterrows()
            ],
        )
    if record.calibration is not None:
        found = record.calibration
        print_note(
            f"Probabilities are calibrated ({found.method}) on {found.n_rows} out-of-fold predictions, "
            f"about {found.effective_n:.0f} independent outcomes."
        )
