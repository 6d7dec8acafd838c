"""What learns."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section

__all__ = ["LEARNERS", "ModelConfig"]

LEARNERS = (
    "lightgbm",
    "xgboost",
    "catboost",
    "random_forest",
    "extra_trees",
    "hist_gradient_boosting",
    "logistic",
    "mlp",
    "prior",
    "momentum",
    "mean_reversion",
)
"""Names of `onward.models.CATALOG`, in its order, for those who only show them: it imports pandas."""


class ModelConfig(Section):
    """What learns, and how hard it is held back.

    The defaults are strongly regularised on purpose: 4,000 bars at a horizon of 24 are about 167
    independent labels, and boosters at their libraries' defaults learn the noise in them. They
    are those of the model ``lightgbm``, and the other boosters and forests have the same for
    every parameter that they share with it: a field means the same whatever the model. A model
    that lacks one of these parameters ignores it, and the training says so. What one model alone
    knows (``depth`` of ``catboost``, ``penalty`` of ``logistic``) goes through ``extra``.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_MODEL__")

    name: str = Field(
        "lightgbm", min_length=1, description="Name of the model; an unknown one lists those there are."
    )
    n_rounds: int = Field(100, ge=1, le=100_000, description="Boosting rounds, a fixed number.")
    learning_rate: float = Field(0.03, gt=0.0, le=1.0, description="Shrinkage of each round.")
    num_leaves: int = Field(4, ge=2, le=4_096, description="Leaves of a tree.")
    bagging_fraction: float = Field(0.25, gt=0.0, le=1.0, description="Share of rows that a round sees.")
    feature_fraction: float = Field(
        0.5, gt=0.0, le=1.0, description="Share of features that a tree (in forests: a split) sees."
    )
    min_leaf_fraction: float = Field(
        0.1, ge=0.0, le=0.5, description="Least share of a round's rows that a leaf holds."
    )
    lambda_l2: float = Field(10.0, ge=0.0, le=1e6, description="L2 penalty on leaf values.")
    extra_trees: bool = Field(
        True, description="Try one random threshold a column instead of the best: less variance."
    )
    balance_directions: bool = Field(
        True,
        description="Weigh up and down rows so that both count the same in sum: the drift of the training "
        "rows says little about the next ones.",
    )
    class_weight: Literal["none", "balanced"] = Field(
        "none", description="Let all classes count the same in sum, or leave them as frequent as they are."
    )
    extra: dict[str, Any] = Field(
        default_factory=dict,
        description="Further arguments of the model's class, handed over as they are.",
    )

    def parameters(self) -> dict[str, Any]:
        """Return the arguments of the model's class: every field but the name, then ``extra``."""
        own = {name: getattr(self, name) for name in type(self).model_fields if name not in ("name", "extra")}
        return own | self.extra
