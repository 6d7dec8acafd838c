"""Several models in the place of one."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["EnsembleConfig"]


class EnsembleConfig(Section):
    """Several models in the place of one: bagged, stacked or voting.

    Every member starts from the section ``model``, as far as it has those parameters; what is its
    own goes through ``parameters``, a table a member. How many inner folds the members are judged
    on is said by ``training.inner_folds``.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_ENSEMBLE__")

    method: Literal["none", "bagging", "stacking", "voting"] = Field(
        "none",
        description="none trains the one model of the section model; bagging averages models of different "
        "samples of the rows; stacking learns from out-of-fold predictions how far to trust each "
        "member; voting averages the members.",
    )
    members: tuple[str, ...] = Field(
        (),
        description="Names of the models, each once: two or more for stacking and voting. Bagging takes "
        "them in turn; none named is model.name.",
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="A table of arguments for each member that has its own: "
        "parameters.lightgbm.num_leaves = 8.",
    )
    n_estimators: int = Field(10, ge=1, le=10_000, description="Method bagging: number of models.")
    sample_share: float = Field(
        0.5, gt=0.0, le=1.0, description="Method bagging: draws a model, as a share of the training rows."
    )
    bootstrap: Literal["block", "sequential"] = Field(
        "block",
        description="Method bagging: draw blocks of rows whose labels overlap, or row by row with odds that "
        "fall as overlapping rows are drawn. Only blocks leave rows out that no drawn label touches.",
    )
    out_of_bag: bool = Field(
        True,
        description="Method bagging: score each model on rows that no label in its bag touches, feature "
        "stages refitted for each bag. Costs as much again as the final fit; switch it off with "
        "slow stages.",
    )
    meta: str = Field(
        "logistic", min_length=1, description="Method stacking: the model that combines the members."
    )
    meta_parameters: dict[str, Any] = Field(
        default_factory=dict, description="Method stacking: arguments of the model that combines."
    )
    passthrough: bool = Field(
        False, description="Method stacking: show the features to the model that combines as well."
    )
    votes: Literal["equal", "score"] = Field(
        "equal",
        description="Method voting: all members alike, or in proportion to their log-loss skill on inner "
        "folds.",
    )
