"""Calculators of users' own: named by address, so that other processes and saved models find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from onward.addresses import load_address
from onward.errors import ConfigError, StageError
from onward.features.sources import source_hash

__all__ = [
    "address_of",
    "load_calculator",
    "load_function",
    "require_calculator",
    "require_sources",
    "sources",
]


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
    found = load_address(address, "a calculator", ConfigError)
    if not callable(found):
        raise ConfigError(
            "a calculator of this address is no function",
            got=f"{address!r}, a {type(found).__name__}",
            allowed="module:function",
            remedy="Name a function that takes a window.",
        )
    return found  # type: ignore[no-any-return]


def load_calculator(address: str) -> Callable[..., Any]:
    """Return the calculator of an address that a plan or a saved model names.

    Such an address decides what runs, so it must be a function that was made to be a calculator:
    one with the mark ``fctype`` that tsfresh's ``set_property`` leaves.

    Raises
    ------
    ConfigError
        If it cannot be loaded, or is a function without the mark.
    """
    return require_calculator(load_function(address), address)


def require_calculator(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function that is marked as a calculator; refuse others."""
    if getattr(function, "fctype", None) not in ("simple", "combiner"):
        raise ConfigError(
            "this function is not marked as a calculator",
            got=name,
            allowed="functions with tsfresh's mark: fctype, simple or combiner",
            remedy='Write `function.fctype = "simple"` below it in its module.',
        )
    return function


def sources(addresses: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the source of each module that addresses name."""
    return {module: source_hash(module) for module in sorted({a.partition(":")[0] for a in addresses})}


def require_sources(addresses: Iterable[str], known: Mapping[str, str]) -> None:
    """Refuse modules that are not as they were, before any of them is imported.

    Raises
    ------
    StageError
        If a module is missing or its source has another SHA-256.
    """
    for module, found in sources(addresses).items():
        if known.get(module) != found:
            raise StageError(
                f"the module {module} of a calculator is not the one that the model was trained with",
                got=f"SHA-256 {found[:16]}",
                allowed=f"SHA-256 {str(known.get(module))[:16]}",
                remedy="Bring back the module as it was, or train again.",
            )
