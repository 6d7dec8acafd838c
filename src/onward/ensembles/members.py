"""Whether a list of members can make an ensemble."""

from __future__ import annotations

from collections.abc import Sequence

from onward.errors import ModelError

__all__ = ["require_members"]

EXAMPLE = '["lightgbm", "logistic", "extra_trees"]'


def require_members(method: str, members: Sequence[str], *, at_least: int) -> None:
    """Refuse too few members, and one member twice.

    Parameters
    ----------
    method
        Name of the ensemble, for the message.
    members
        Names of models.
    at_least
        How many it takes.

    Raises
    ------
    ModelError
        Naming the repair.
    """
    shown = ", ".join(map(repr, members)) or "no member"
    if isinstance(members, str) or len(members) < at_least:
        raise ModelError(
            f"an ensemble by {method} has too few members",
            got=shown,
            allowed=f"{at_least} different models or more" if at_least > 1 else "a list of models",
            remedy=f"Set ensemble.members to several models, such as {EXAMPLE}"
            + (", or ensemble.method to none to train the one model." if at_least > 1 else "."),
        )
    twice = sorted({name for name in members if list(members).count(name) > 1})
    if twice:
        raise ModelError(
            f"an ensemble by {method} has a member twice",
            got=shown,
            allowed="each model once",
            remedy=f"Name {twice[0]!r} once"
            + (
                "; ensemble.n_estimators says how often."
                if method == "bagging"
                else ", or use bagging for many."
            ),
        )
