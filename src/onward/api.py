"""The three verbs of the Python interface: train, audit, load_model."""

from __future__ import annotations

from pathlib import Path

from onward.audit import AuditReport, audit_stage
from onward.prediction.loaded import LoadedModel
from onward.protocols import CausalStage, Progress
from onward.settings import load_settings
from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.plan import TrainingPlan
from onward.training.result import TrainingResult
from onward.types import Market
from onward.wiring import build_application

__all__ = ["audit", "load_model", "train"]


def train(
    market: Market,
    plan: TrainingPlan | None = None,
    *,
    audit: bool = True,
    home: str | Path | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train on a market, judge what came of it, and certify that nothing leaked.

    The run is written into the table ``runs`` of the home directory, because a verdict has to
    know how many configurations were tried on the same data before it.

    Parameters
    ----------
    market
        From `onward.read_market` or `onward.sample_market`.
    plan
        What to do; by default ``TrainingPlan()``.
    audit
        Audit features and learning path; without it the model can be given no alias.
    home
        Home directory; by default ``ONWARD_HOME`` or the platform's data directory.
    progress
        Told how far the work has come.

    Returns
    -------
    TrainingResult
        ``.oof``, ``.scores``, ``.verdict.direction``, ``.verdict.range``, ``.certificate``,
        ``.report(path)``, ``.save(name)``.

    Raises
    ------
    OnwardError
        When data or plan do not allow a training; the message says how to repair it.
    """
    application = build_application(load_settings(home=home))
    return application.training.train(market, plan or TrainingPlan(), audit=audit, progress=progress)


def load_model(reference: str, *, home: str | Path | None = None) -> LoadedModel:
    """Load a published model: ``models:/btc-1h@champion``, ``models:/btc-1h/3``, ``btc-1h@champion``.

    Raises
    ------
    RegistryError
        When there is no such model, version or alias.
    BundleError
        When a file of the bundle is not what was published.
    """
    return build_application(load_settings(home=home)).prediction.load(reference)


def audit(
    subject: CausalStage | TrainingPlan, market: Market, *, progress: Progress | None = None
) -> AuditReport:
    """Look for ways in which a stage, or everything that a plan does, sees the future.

    Parameters
    ----------
    subject
        A feature stage, or a plan: then its features and its whole learning path are audited.
    market
        Real data to try it on; a few thousand bars are enough for most leaks.
    progress
        Told how far the work has come.
    """
    if isinstance(subject, TrainingPlan):
        return audit_trainer(make_trainer(subject, market), market, progress=progress)
    return audit_stage(subject, market, progress=progress)
