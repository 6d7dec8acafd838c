"""What registries say when there is no such thing, or it may not be done: the same words everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from onward.errors import RegistryConflictError, RegistryError, RegistryNotFoundError, nearest
from onward.registry.values import Version

__all__ = [
    "moved_meanwhile",
    "nothing_earlier",
    "still_in_use",
    "target_deleted",
    "unknown_alias",
    "unknown_model",
    "unknown_version",
]


def unknown_model(name: str, names: Sequence[str]) -> RegistryError:
    """Return the error for a model that has never had a version, with the nearest name."""
    guess = nearest(name, names)
    return RegistryNotFoundError(
        "There is no such model",
        got=name,
        allowed=", ".join(names[:10]) or "none has been published yet",
        remedy=f"Did you mean {guess}?" if guess else "`onward models list` shows what there is.",
    )


def unknown_version(name: str, reference: object, numbers: Iterable[int]) -> RegistryError:
    """Return the error for a version that does not exist; ``numbers`` are those that do, newest first."""
    there = list(numbers)
    shown = ", ".join(str(number) for number in there[:10]) + (" ..." if len(there) > 10 else "")
    return RegistryNotFoundError(
        f"Model {name} has no such version",
        got=str(reference),
        allowed=shown or "none is left, all were deleted",
        remedy=f"`onward models list {name}` shows all.",
    )


def unknown_alias(name: str, alias: str, known: Mapping[str, int]) -> RegistryError:
    """Return the error for an alias that is not set; ``known`` are those that are."""
    guess = nearest(alias, known)
    return RegistryNotFoundError(
        f"Model {name} has no such alias",
        got=alias,
        allowed=", ".join(known) or "none is set",
        remedy=f"Did you mean {guess}?" if guess else f"`onward models history {name}` shows the past.",
    )


def moved_meanwhile(name: str, alias: str, seen: int | None, current: int | None) -> RegistryError:
    """Return the error for a change that was decided on while the alias stood for something else."""
    return RegistryConflictError(
        f"Somebody has moved {name}@{alias} meanwhile",
        got=f"version {seen}" if seen is not None else "not set",
        allowed=f"version {current}" if current is not None else "not set",
        remedy="Look at the history and decide again.",
    )


def nothing_earlier(name: str, alias: str, n_changes: int) -> RegistryError:
    """Return the error for a rollback of an alias that never stood for anything else."""
    return RegistryConflictError(
        f"{name}@{alias} has no earlier target to return to",
        got=f"{n_changes} change{'' if n_changes == 1 else 's'} so far",
        remedy=_explicitly(name, alias),
    )


def target_deleted(name: str, alias: str, number: int) -> RegistryError:
    """Return the error for a rollback to a version that is gone."""
    return RegistryConflictError(
        f"The previous target of {name}@{alias} has been deleted",
        got=f"models:/{name}/{number}",
        remedy=_explicitly(name, alias),
    )


def still_in_use(version: Version) -> RegistryError:
    """Return the error for deleting a version that an alias stands for."""
    return RegistryConflictError(
        "A version that an alias stands for cannot be deleted",
        got=f"{version.ref} is {', '.join(version.aliases)}",
        allowed="versions without an alias",
        remedy=f"Move the alias, or take it away: `onward models alias {version.name} {version.aliases[0]} "
        "--remove`.",
    )


def _explicitly(name: str, alias: str) -> str:
    return f"Set it explicitly: `onward models alias {name} {alias} VERSION`."
