"""The verbs of the Python interface: train, tune, audit, load_model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from onward.audit import AuditReport, audit_function, audit_stage
from onward.errors import AuditError, DataError, PlanError
from onward.prediction.loaded import LoadedModel
from onward.protocols import CausalStage, Progress
from onward.settings import load_settings
from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.optimization import OptimizationCoordinator, asks_for_search, with_search
from onward.training.plan import PRESETS, TrainingPlan
from onward.training.result import TrainingResult
from onward.types import Market
from onward.wiring import build_application

__all__ = ["audit", "load_model", "train", "tune"]


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
        What to do; by default ``TrainingPlan()``, whatever settings files and environment say.
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
        ``.warnings``, ``.report(path)``, ``.save(name)``.

    Raises
    ------
    OnwardError
        When data or plan do not allow a training; the message says how to repair it.

    Examples
    --------
    >>> import onward as ow
    >>> result = ow.train(ow.sample_market())  # doctest: +SKIP
    >>> print(result.verdict.direction.sentence)  # doctest: +SKIP
    """
    _require_market(market)
    _require_plan(plan)
    application = build_application(load_settings(home=home))
    return application.training.train(market, plan or TrainingPlan(), audit=audit, progress=progress)


def tune(
    market: Market,
    plan: TrainingPlan | None = None,
    *,
    trials: int | None = None,
    seconds: float | None = None,
    resume: str | None = None,
    audit: bool = True,
    home: str | Path | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Search parameters, nested, and train with the best; judge and certify what came of it.

    Every outer fold searches on its own training rows, so that scores and verdicts are those of
    the whole procedure; the final model comes from a search on all rows.

    Parameters
    ----------
    market
        From `onward.read_market` or `onward.sample_market`.
    plan
        What to do; ``[optimization]`` names the space, by default that of the plan's model.
    trials, seconds
        Budget: trials of each search, and time of all together. Without them what the plan says,
        else 40 trials.
    resume
        Id of a run that was stopped (`result.run_id`, ``onward runs list``): goes on from there.
    audit, home, progress
        As for `train`.

    Returns
    -------
    TrainingResult
        As of `train`; ``.search`` has the trials, ``.search.leaderboard()`` a table of them.

    Raises
    ------
    OnwardError
        When data, plan and space do not fit together; the message says how to repair it.
    """
    _require_market(market)
    _require_plan(plan)
    searched = with_search(plan or TrainingPlan(), trials=trials, seconds=seconds)
    application = build_application(load_settings(home=home))
    return application.training.tune(market, searched, resume=resume, audit=audit, progress=progress)


def load_model(reference: str, *, home: str | Path | None = None) -> LoadedModel:
    """Load a published model: ``models:/btc-1h@champion``, ``models:/btc-1h/3``, ``btc-1h@champion``.

    Returns
    -------
    LoadedModel
        ``.predict(market)`` for every bar, ``.latest(market)`` for the newest of each symbol,
        ``.version`` for what the registry knows.

    Raises
    ------
    RegistryError
        When there is no such model, version or alias.
    BundleError
        When a file of the bundle is not what was published.
    """
    application = build_application(load_settings(home=home))
    try:
        return application.prediction.load(reference)
    finally:
        application.close()


def audit(
    subject: CausalStage | TrainingPlan | Callable[..., Any],
    market: Market,
    *,
    progress: Progress | None = None,
) -> AuditReport:
    """Look for ways in which a stage, or everything that a plan does, sees the future.

    Parameters
    ----------
    subject
        A feature stage; a plain function of market data (see `onward.audit.as_stage`); or a
        plan: then its features and its whole learning path are audited.
    market
        Real data to try it on; a few thousand bars are enough for most leaks.
    progress
        Told how far the work has come.

    Returns
    -------
    AuditReport
        ``.passed``, ``.findings``, ``.certificate()``; printing it says what was found where.

    Raises
    ------
    AuditError
        When the subject is none of these, or cannot be computed on this market.
    """
    _require_market(market)
    if isinstance(subject, TrainingPlan):
        if asks_for_search(subject):
            searching = OptimizationCoordinator(subject, market, make_trainer=make_trainer)
            return audit_trainer(searching, market, progress=progress)
        return audit_trainer(make_trainer(subject, market), market, progress=progress)
    is_stage = hasattr(subject, "compute") and not isinstance(subject, type)
    if not is_stage and (isinstance(subject, type) or not callable(subject)):
        raise AuditError(
            "this cannot be audited",
            got=repr(subject)[:80],
            allowed="a stage, a function of market data, or a TrainingPlan",
            remedy="Build the stage first: audit(MyStage(), market)."
            if isinstance(subject, type)
            else "See onward.protocols.CausalStage for what a stage offers.",
        )
    if is_stage:
        return audit_stage(cast("CausalStage", subject), market, progress=progress)
    return audit_function(cast("Callable[..., Any]", subject), market, progress=progress)


def _require_market(market: Market) -> None:
    if not isinstance(market, Market):
        raise DataError(
            "this is not a market",
            got=type(market).__name__,
            allowed="a Market",
            remedy="Read one with onward.read_market(...), or check a DataFrame with "
            "onward.data.market.make_market(...).",
        )


def _require_plan(plan: object) -> None:
    if plan is not None and not isinstance(plan, TrainingPlan):
        raise PlanError(
            "this is not a plan",
            got=repr(plan)[:80],
            allowed="a TrainingPlan, or None for the defaults",
            remedy=f"Use TrainingPlan.from_file(path), or TrainingPlan.preset(name): {', '.join(PRESETS)}.",
        )
