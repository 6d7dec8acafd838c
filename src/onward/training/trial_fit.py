"""Whether a model can learn with the parameters that a plan hands over: it is asked to, on a few rows.

What values a parameter may have is known to the library that learns, and to nobody else: a list of
ours would be another than theirs with every release. So the model is fitted, which takes
milliseconds, before a job is started that would fail after its features were computed.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, cast, get_type_hints

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from onward.ensembles import accepted_parameters
from onward.errors import OnwardError, PlanError
from onward.types import CLASSES

__all__ = ["check_values"]

Refusal = tuple[str, str | None]
"""Why a model cannot learn, and what it takes where it says so."""

SECONDS = 10.0
"""Longest wait; a model that is not done by then is taken to be able to learn."""
ROWS, COLUMNS = 60, 4
EFFORT = ("n_rounds", "n_trees", "n_epochs", "max_passes")
FEW = 3
"""Most rounds, trees and passes of a trial: what is too much or wrong shows in the first."""


def check_values(chosen: type[Any], values: Mapping[str, Any], own: Mapping[str, Any], place: str) -> None:
    """Refuse parameters that a model cannot learn with; without any nothing is computed.

    Parameters
    ----------
    chosen
        Class of the model.
    values
        Arguments of the class: those of shared settings, and ``own``.
    own
        Those that are handed over as they are, whose values nobody has looked at.
    place
        Setting that holds ``own``, such as ``model.extra``.

    Raises
    ------
    PlanError
        Naming the parameter. A model that cannot learn without ``own`` either is not refused:
        then a few rows are too few for it, or its fault is another.
    """
    if not own:
        return
    refusal = _refusal(chosen, values, own)
    shared = {name: value for name, value in values.items() if name not in own}
    if refusal is None or _refusal(chosen, shared, {}) is not None:
        return
    alone = {name: _refusal(chosen, shared | {name: value}, {name: value}) for name, value in own.items()}
    blamed = next(([name] for name, told in alone.items() if told is not None), list(own))
    said = ", ".join(f"{place}.{name} = {own[name]!r}" for name in blamed)
    reason, allowed = alone[blamed[0]] or refusal
    parameters = inspect.signature(chosen).parameters
    usual = ", ".join(repr(parameters[name].default) for name in blamed if name in parameters)
    raise PlanError(
        f"the model {getattr(chosen, 'name', chosen.__name__)!r} cannot learn with {said}",
        got=reason,
        allowed=allowed or (f"a value like the default, {usual}" if usual else None),
        remedy=f"Change or remove {', '.join(f'{place}.{name}' for name in blamed)}.",
        settings=(place,),
    )


def _refusal(chosen: type[Any], values: Mapping[str, Any], own: Mapping[str, Any]) -> Refusal | None:
    """Return why a model cannot learn with parameters and what it takes, None when it can learn."""
    try:
        return _tried(cast(Hashable, chosen), json.dumps(dict(values), sort_keys=True), tuple(sorted(own)))
    except TypeError:  # a value that no file holds: the model alone knows what to do with it
        return None


@lru_cache(maxsize=1_024)
def _tried(chosen: Any, values: str, own: tuple[str, ...]) -> Refusal | None:
    told: list[Refusal] = []

    def fit() -> None:
        try:
            parameters = json.loads(values)
            _check_types(chosen, {name: parameters[name] for name in own})
            _fit(chosen, parameters)
        except OnwardError as error:
            told.append((_line(error.got or error.what), error.allowed))
        except ValidationError as error:
            told.append((_line("; ".join(dict.fromkeys(one["msg"] for one in error.errors()))), None))
        except Exception as error:  # libraries refuse with whatever they please
            told.append((_line(f"{type(error).__name__}: {error}"), None))

    trial = threading.Thread(target=fit, name="onward-trial-fit", daemon=True)
    trial.start()
    trial.join(SECONDS)
    return told[0] if told else None


def _line(said: Any) -> str:
    return " ".join(str(said).split())


def _check_types(chosen: type[Any], own: Mapping[str, Any]) -> None:
    """Hold what is declared: a library that takes None for "as usual" would hide what a plan says."""
    try:
        hints = get_type_hints(chosen.__init__)
    except (NameError, TypeError, AttributeError):  # a package whose annotations cannot be read
        return
    for name, value in own.items():
        if name in hints:
            TypeAdapter(hints[name]).validate_python(value, strict=True)


def _fit(chosen: type[Any], parameters: dict[str, Any]) -> None:
    accepted = accepted_parameters(chosen)
    little = {
        name: FEW
        for name in EFFORT
        if isinstance(value := parameters.get(name), int) and not isinstance(value, bool) and value > FEW
    }
    own = {k: v for k, v in {"seed": 0, "n_threads": 1}.items() if accepted is None or k in accepted}
    # A text may be the name of a column, which is not known before there are features.
    texts = [value for value in parameters.values() if isinstance(value, str)]
    names = list(dict.fromkeys([*texts, *(f"column {number}" for number in range(COLUMNS))]))
    generator = np.random.default_rng(0)
    rows = pd.DataFrame(generator.normal(size=(ROWS, len(names))).astype(np.float32), columns=names)
    classes = np.resize(np.array(CLASSES, dtype=np.int64), ROWS)
    probability = chosen(**(parameters | little | own)).fit(rows, classes).predict_proba(rows)
    if not np.isfinite(probability).all():
        raise ValueError("its probabilities are no numbers")
