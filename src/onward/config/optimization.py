"""What is searched, how long, and by which score the search chooses."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["Objective", "OptimizationConfig", "Pruner", "Sampler"]

Objective = Literal["log_loss_skill", "direction_auc", "range_auc", "probability_skill", "sharpe"]
Sampler = Literal["tpe", "random"]
Pruner = Literal["median", "halving", "racing", "none"]


class OptimizationConfig(Section):
    """What is searched, how long, and by which score the search chooses.

    A search is nested: every outer fold searches anew on its own training rows, where inner
    purged folds choose, and one more search on all rows finds what the final model is fitted
    with. `trials` counts the trials of each of these searches. With `trials = 0` nothing is
    searched.

    `space` names what may vary, by its dotted place in the plan: a list of choices
    (`"labels.horizon_bars" = [12, 24, 48]`) or a range (`"model.num_leaves" = { low = 2, high =
    32, log = true }`, with `step` where wanted). Without it, the space of the chosen model is
    searched.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_OPTIMIZATION__")

    trials: int = Field(0, ge=0, le=100_000, description="Trials of each search; 0 = no search.")
    seconds: float | None = Field(
        None,
        gt=0.0,
        le=1e8,
        description="Wall-clock time that all searches of a run share; none = as long as the trials take. "
        "A search that time ends is not repeatable.",
    )
    inner_splits: int = Field(4, ge=2, le=100, description="Inner purged folds by which trials are chosen.")
    objective: Objective = Field(
        "log_loss_skill",
        description="Mean over the inner folds that is to be highest: log-loss skill against the class "
        "frequencies, AUC of up against down, AUC of the range class, skill of the ranked probability "
        "score, or the Sharpe ratio a year after costs.",
    )
    sampler: Sampler = Field(
        "tpe", description="How trials are drawn: tpe learns from the trials before, random does not."
    )
    startup_trials: int = Field(
        8, ge=1, le=10_000, description="Sampler tpe: trials that are drawn at random first."
    )
    pruner: Pruner = Field(
        "racing",
        description="When a trial is stopped after an inner fold: behind the best finished trial over the "
        "same folds (racing), below the median of the finished ones (median), outside the best third of "
        "all that came as far (halving), or never (none). Racing begins when eight trials are finished, "
        "the others when four are.",
    )
    space: dict[str, Any] = Field(
        default_factory=dict,
        description="What may vary: a list of choices or a range (low, high, step, log) by dotted name.",
    )
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that work on one search; with more than one, trials are not repeatable.",
        json_schema_extra={"identity": False},
    )
    storage_url: SecretStr | None = Field(
        None,
        description="Database in which several machines share a search, such as "
        "postgresql+psycopg://user@host/studies; none = a journal in the run's directory.",
        json_schema_extra={"identity": False},
    )
