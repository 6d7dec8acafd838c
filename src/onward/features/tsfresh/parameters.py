"""What was asked for, checked: from a set's name or tsfresh's dictionaries to a list of features."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from onward.errors import ConfigError, nearest
from onward.features.tsfresh.calculators import SIGNATURES, Signature
from onward.features.tsfresh.functions import load_calculator
from onward.features.tsfresh.naming import feature_name
from onward.features.tsfresh.ranges import refuse_impossible
from onward.features.tsfresh.sets import SETS

__all__ = ["Feature", "plain", "resolve_parameters"]


@dataclass(frozen=True)
class Feature:
    """One feature of a window.

    Attributes
    ----------
    name
        tsfresh's name without the series, such as ``quantile__q_0.1``.
    calculator
        tsfresh's calculator, or the name of the user's function.
    parameters
        Its parameters.
    function
        A user's calculator; None for tsfresh's own.
    """

    name: str
    calculator: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    function: Callable[..., Any] | None = None

    @property
    def by_time(self) -> bool:
        """Whether the feature needs the time of each value."""
        if self.function is not None:
            return getattr(self.function, "index_type", None) is not None
        return SIGNATURES[self.calculator].by_time

    @property
    def native(self) -> bool:
        """Whether a kernel computes the feature; otherwise tsfresh does, in a child process."""
        from onward.kernels.tsfresh import family_of

        return self.function is None and family_of(self.calculator, self.parameters) is not None


def resolve_parameters(parameters: str | Mapping[Any, Any]) -> tuple[Feature, ...]:
    """Return the features of a named set or of a dictionary in tsfresh's form.

    Parameters
    ----------
    parameters
        ``minimal``, ``financial``, ``efficient`` or ``comprehensive``; or calculator to None or
        a list of parameter dictionaries, as in tsfresh's ``default_fc_parameters``; an empty list
        and the text ``none`` are None, which a TOML plan cannot write. A calculator
        may be a function of the user's, or, marked with tsfresh's ``fctype`` attribute, its
        address ``module:function``.

    Returns
    -------
    tuple of Feature
        In the order given; a feature that occurs twice is kept once.

    Raises
    ------
    ConfigError
        If a set, calculator or parameter is unknown, a parameter is missing or has a value that
        can give no number (`onward.features.tsfresh.ranges`), or nothing is asked.
    """
    if isinstance(parameters, str):
        if parameters not in SETS:
            raise ConfigError(
                "this set of features is unknown",
                got=repr(parameters),
                allowed=", ".join(SETS),
                remedy=suggestion(parameters, SETS) or "Name a set, or give tsfresh's dictionary.",
            )
        parameters = SETS[parameters]()
    if not isinstance(parameters, Mapping):
        raise ConfigError(
            "parameters are neither a set nor a dictionary",
            got=type(parameters).__name__,
            allowed="a set's name, or calculator to None or a list of parameter dictionaries",
            remedy='Write parameters="financial" or parameters={"mean": None}.',
        )
    features: dict[str, Feature] = {}
    for calculator, wanted in parameters.items():
        for feature in features_of(calculator, wanted):
            features.setdefault(feature.name, feature)
    if not features:
        raise ConfigError("no feature was asked for", remedy='Write parameters="financial".')
    return tuple(features.values())


def features_of(calculator: Any, wanted: Any) -> list[Feature]:
    """Return the features of one entry of the dictionary."""
    function = calculator if callable(calculator) else None
    if isinstance(calculator, str) and ":" in calculator:
        function = load_calculator(calculator)
    name = str(getattr(function, "__name__", calculator))
    if function is None and name not in SIGNATURES:
        raise ConfigError(
            "this calculator is unknown",
            got=repr(calculator),
            allowed="tsfresh 0.21.2's calculators, a function, or the address module:function",
            remedy=suggestion(name, SIGNATURES) or "See docs/reference/rolling-features.md.",
        )
    signature = SIGNATURES.get(name) if function is None else None
    if isinstance(wanted, str) and wanted.strip().lower() == "none":
        wanted = None  # a plan has no other word for it: TOML knows no null
    if wanted is not None and (isinstance(wanted, str | Mapping) or not isinstance(wanted, Sequence)):
        raise unreadable(name, signature, wanted)
    if not wanted:
        if signature is not None and signature.known:
            raise ConfigError(
                f"{name} needs parameters",
                got=repr(wanted),
                allowed=", ".join(signature.known),
                remedy=f'Write "{name}": [{{"{signature.known[0]}": ...}}].',
            )
        return [Feature(name, name, function=function)]
    return [feature_of(name, function, signature, entry) for entry in wanted]


def unreadable(name: str, signature: Signature | None, wanted: Any) -> ConfigError:
    """Return the refusal of parameters that are no list, with what this calculator takes."""
    listed = f'"{name}": [{{"{signature.known[0] if signature and signature.known else "parameter"}": ...}}]'
    if signature is None:  # a function of the user's takes whatever it takes
        allowed, written = "None, or a list of dictionaries", f'"{name}": None, or {listed}'
    elif signature.known:
        allowed, written = "a list of dictionaries", listed
    else:
        allowed, written = (
            "None or an empty list: it takes no parameters",
            f'"{name}": None ({name} = [] in a plan)',
        )
    return ConfigError(
        f"the parameters of {name} are no list", got=repr(wanted), allowed=allowed, remedy=f"Write {written}."
    )


def feature_of(
    name: str, function: Callable[..., Any] | None, signature: Signature | None, entry: Any
) -> Feature:
    """Return the feature of one parameter dictionary."""
    if not isinstance(entry, Mapping):
        raise ConfigError(
            f"a parameter dictionary of {name} is no dictionary",
            got=repr(entry),
            allowed="a dictionary of parameter to value",
        )
    if signature is not None:
        unknown = [key for key in entry if key not in signature.known]
        if unknown:
            raise ConfigError(
                f"{name} takes no parameter of this name",
                got=repr(unknown[0]),
                allowed=", ".join(signature.known) or "no parameters",
                remedy=suggestion(str(unknown[0]), signature.known),
            )
        missing = [key for key in signature.required if key not in entry]
        if missing:
            raise ConfigError(
                f"{name} lacks a parameter",
                got=repr(dict(entry)),
                allowed=", ".join(signature.known),
                remedy=f"Give {', '.join(missing)}.",
            )
    try:
        label = feature_name(name, entry)
        if function is None:
            refuse_impossible(name, entry)
        feature = Feature(label, name, MappingProxyType(dict(entry)), function)
        _ = feature.native
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ConfigError(
            f"a parameter of {name} has a value that cannot be read",
            got=repr(dict(entry)),
            allowed="values of the types that tsfresh takes",
            remedy=f"{error}.",
        ) from error
    return feature


def suggestion(name: str, known: Any) -> str | None:
    """Return a sentence with the nearest known name."""
    found = nearest(name, known)
    return None if found is None else f"Did you mean {found!r}?"


def plain(parameters: Any, calculator: str) -> dict[str, Any]:
    """Return a calculator's parameters as JSON values, tuples and arrays as lists.

    Raises
    ------
    ConfigError
        If a value is none that JSON knows.
    """

    def value(given: Any) -> Any:
        if isinstance(given, np.ndarray | np.generic):
            return given.tolist()
        raise TypeError(f"{type(given).__name__} is nothing that JSON knows")

    try:
        found: dict[str, Any] = json.loads(json.dumps(dict(parameters), default=value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"a parameter of {calculator} cannot be written down",
            got=str(error),
            allowed="numbers, text, true, false, null and lists of them",
            remedy="Give plain values.",
        ) from error
    return found
