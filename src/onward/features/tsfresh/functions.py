"""Calculators of users' own: named by address, so that other processes and saved models find them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from onward.errors import ConfigError

__all__ = ["address_of", "load_function"]


def address_of(function: Callable[..., Any]) -> str:
    """Return the ``module:function`` under which a function can be imported.

    Raises
    ------
    ConfigError
        If it cannot: a lambda, a function within a function, or one of the running script.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    address = f"{module}:{name}"
    if module and module != "__main__" and name:
        try:
            if load_function(address) is function:
                return address
        except ConfigError:
            pass  # said below, with what to do about a function
    raise ConfigError(
        "a calculator cannot be found by another process",
        got=f"{name or function!r} of {module or 'no module'}",
        allowed="functions of an importable module; no lambda, no function inside another, none of a script",
        remedy="Move the function into a module of its own and import it from there.",
    )


def load_function(address: str) -> Callable[..., Any]:
    """Return the function of an address.

    Raises
    ------
    ConfigError
        If the module cannot be imported, or has no such function.
    """
    module, _, name = address.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            "a calculator of this address cannot be loaded",
            got=f"{address!r} ({error})",
            allowed="module:function of an importable module",
            remedy="Correct the address, or put its module where Python looks (PYTHONPATH).",
        ) from error
    if not callable(found):
        raise ConfigError(
            "a calculator of this address is no function",
            got=f"{address!r}, a {type(found).__name__}",
            allowed="module:function",
            remedy="Name a function that takes a window.",
        )
    return found  # type: ignore[no-any-return]
