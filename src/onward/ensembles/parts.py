"""The models that an ensemble is made of: made by name, and found again by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from onward.errors import ModelError
from onward.models import model_class
from onward.protocols import Model

__all__ = ["accepted_parameters", "new_part", "saved_model_class", "share_of_gain"]


def accepted_parameters(chosen: type[Any]) -> frozenset[str] | None:
    """Return the parameters of a model's constructor; None when it takes any."""
    parameters = list(inspect.signature(chosen).parameters.values())
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    return frozenset(p.name for p in parameters)


def new_part(name: str, parameters: Mapping[str, Any], *, seed: int, n_threads: int) -> Model:
    """Return an unfitted model.

    Parameters
    ----------
    name
        Name in the catalogue of models, or of ensembles.
    parameters
        Arguments of its class; ``seed`` and ``n_threads`` are not among them.
    seed, n_threads
        Handed over to models that take them.

    Raises
    ------
    ModelError
        When there is no such model, or it has no parameter of a given name.
    """
    chosen: Any = saved_model_class(name)
    accepted = accepted_parameters(chosen)
    own = {"seed": seed, "n_threads": n_threads}
    unknown = [] if accepted is None else sorted(set(parameters) - (accepted - set(own)))
    if unknown:
        raise ModelError(
            f"the model {name!r} has no parameter {unknown[0]!r}",
            got=", ".join(unknown),
            allowed=", ".join(sorted((accepted or frozenset()) - set(own))) or "no parameter",
            remedy="Remove it from the parameters of this member.",
        )
    given = {key: value for key, value in own.items() if accepted is None or key in accepted}
    model: Model = chosen(**parameters, **given)
    return model


def saved_model_class(name: str) -> type[Model]:
    """Return the class that a bundle names: a model, or an ensemble of models.

    Raises
    ------
    ModelError
        When there is none of this name, or its library is not installed.
    """
    from onward.ensembles.catalog import CATALOG  # the catalogue lists classes that need this module

    return CATALOG[name] if name in CATALOG else model_class(name)


def share_of_gain(model: Model) -> Any:
    """Return a model's gain scaled to sum to 1, so that gains of different units can be averaged."""
    gain = model.gain()
    total = gain.sum()
    return gain / total if total > 0 else gain
