"""The plan of a job: resolved and frozen at submit, so that a worker reads no settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onward.config.layers import flattened
from onward.errors import JobError, PlanError
from onward.jobs.kinds import TaskContext
from onward.settings import Settings
from onward.tasks.asking import ask
from onward.tasks.markets import told_market
from onward.training.plan import PRESETS, TrainingPlan, preset_values
from onward.types import Market

__all__ = ["frozen_plan", "plan_of", "resolved_plan", "search_address", "with_market"]

URL = "optimization.storage_url"
MASK = "**********"
"""What stands for a secret in a plan that was written down."""
ADDRESS = "search.address"


def resolved_plan(settings: Settings, asked: object) -> TrainingPlan:
    """Return the plan that a request asks for, over the settings of the server.

    Parameters
    ----------
    settings
        What counts where the request says nothing.
    asked
        None, the name of a preset, or sections and values (nested or by dotted name).

    Raises
    ------
    PlanError, ConfigError
        As for the same plan on the command line.
    """
    plan = settings.plan
    if asked is None:
        return plan
    if isinstance(asked, str):
        return plan.with_overrides(preset_values(asked))
    if not isinstance(asked, Mapping):
        raise PlanError("this is not a plan", got=repr(asked)[:80], allowed="a preset's name, or a table")
    if "preset" in asked:
        raise PlanError(
            "a preset is no setting of a plan",
            got="preset",
            allowed=f'"plan": "NAME" of {", ".join(PRESETS)}; or sections and values',
            remedy='Write the name of the preset as the plan itself: "plan": "fast".',
            settings=("preset",),
        )
    sections = {name: value for name, value in asked.items() if "." not in str(name)}
    values = flattened(sections) | {name: asked[name] for name in asked if name not in sections}
    if values.pop(URL, None) not in (None, MASK):
        raise PlanError(
            "a job's request is written down in clear, so no address with a password belongs there",
            got=URL,
            allowed="the setting of the server, or none",
            remedy=f"Set {URL} in onward.toml or the environment of the servers that run jobs.",
        )
    return plan.with_overrides(values)


def frozen_plan(plan: TrainingPlan) -> dict[str, Any]:
    """Return the fields of a request that hold a plan: every value, its hash, no secret."""
    values = plan.model_dump(mode="json")
    shared = plan.optimization.storage_url is not None
    values["optimization"]["storage_url"] = None
    return {"plan": values, "plan_hash": plan.content_hash, "shared_search": shared}


def with_market(plan: TrainingPlan, market: Market, source: Mapping[str, Any]) -> TrainingPlan:
    """Return a plan that names the stored bars it came to, where it left them open.

    Series that are stored between submit and start would be learnt from too, and nobody was told so.

    Parameters
    ----------
    plan
        Resolved.
    market
        What it came to.
    source
        From `onward.tasks.markets.frozen_source`; a file of candles holds what it holds.
    """
    if source["data"] is not None and Path(source["data"]).is_file():
        return plan
    return plan.with_overrides({f"data.{name}": value for name, value in told_market(market).items()})


def plan_of(context: TaskContext) -> TrainingPlan:
    """Return the plan of a job in its worker.

    Raises
    ------
    JobError
        When this version reads another plan out of the request than the one that was taken in.
    """
    spec = context.spec
    plan = TrainingPlan(**spec["plan"])
    if spec["shared_search"]:
        plan = plan.with_overrides({URL: ask(context, ADDRESS)})
    if plan.content_hash != spec["plan_hash"]:
        raise JobError(
            "this version of Onward reads another plan out of the request than the one that was submitted",
            got=plan.content_hash[:12],
            allowed=spec["plan_hash"][:12],
            remedy="Submit the job again.",
        )
    return plan


def search_address(settings: Settings, question: str) -> str | None:
    """Answer a worker that asks for the database of a search; None when it asked something else."""
    if question != ADDRESS:
        return None
    secret = settings.optimization.storage_url
    if secret is None:
        raise JobError(
            "the search of this job is kept in a database that this server does not know",
            allowed=f"the same {URL} on every server that runs jobs",
            remedy=f"Set {URL} here as well.",
        )
    return secret.get_secret_value()
