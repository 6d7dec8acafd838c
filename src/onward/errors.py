"""The one error tree.

::

    OnwardError                     exit code 1
    ├── UserError                   exit code 2: something the user can repair
    │   ├── ConfigError             a setting or plan field: unknown name, value out of range
    │   │   └── PlanError           a plan that contradicts itself or the data
    │   ├── DataError               market data that breaks a rule of the time or price model
    │   │   ├── FormatError         a file nobody recognises, or not the format that was named
    │   │   ├── TimeframeError      a timeframe that is unknown or does not match the spacing
    │   │   ├── SeriesError         a side series that is missing or carries no availability
    │   │   ├── NotEnoughDataError  too few rows for what was asked
    │   │   ├── DataNotFoundError   nothing like this is stored
    │   │   └── DataConflictError   somebody else changes, or has changed, what is stored
    │   ├── StageError              a feature stage that breaks its contract
    │   ├── LabelError              labels that cannot be made or learnt from
    │   ├── SplitError              folds that cannot be cut
    │   ├── ModelError              a model that is unknown, not installed or cannot be fitted
    │   ├── AuditError              something that cannot be audited as it stands
    │   ├── RegistryError           a version or alias that does not exist or is not allowed
    │   │   ├── BundleError         a model bundle that is damaged or of another format
    │   │   ├── RegistryNotFoundError   no such model, version, alias or run
    │   │   └── RegistryConflictError   what there is does not allow the change
    │   ├── AccessError             an API key, session or scope that cannot be
    │   │   ├── UnauthenticatedError    nobody knows who asks: no key, or one that does not work
    │   │   ├── ForbiddenError          the key may not do that
    │   │   ├── RateLimitError          too many requests within a minute
    │   │   └── KeyNotFoundError        no API key has this id or name
    │   └── PredictionError         data that a model must not be applied to (stale, other schema)
    └── StorageError                the disk or the database refused (full, locked, unreadable)
        └── StorageRefusedError     the database is there, and will not: asking again changes nothing

Every error says what was wrong, what was got, what is allowed and how to repair it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

__all__ = [
    "AccessError",
    "AuditError",
    "BundleError",
    "ConfigError",
    "DataConflictError",
    "DataError",
    "DataNotFoundError",
    "ForbiddenError",
    "FormatError",
    "JobConflictError",
    "JobError",
    "JobNotFoundError",
    "JobStateError",
    "JobTooLargeError",
    "KeyNotFoundError",
    "LabelError",
    "ModelError",
    "NotEnoughDataError",
    "OnwardError",
    "PlanError",
    "PredictionError",
    "RateLimitError",
    "RegistryConflictError",
    "RegistryError",
    "RegistryNotFoundError",
    "SeriesError",
    "SplitError",
    "StageError",
    "StorageError",
    "StorageRefusedError",
    "TimeframeError",
    "UnauthenticatedError",
    "UserError",
    "about_setting",
    "in_section",
    "nearest",
    "told_bars",
    "told_count",
]


PARTS = ("what", "got", "allowed", "remedy")


class OnwardError(Exception):
    """Root of all errors that Onward raises on purpose.

    Parameters
    ----------
    what
        What was wrong, one sentence without a full stop.
    got
        The offending value, already shortened for display.
    allowed
        What would have been accepted.
    remedy
        What to do about it, an imperative sentence.
    settings
        Dotted names of the settings of which one has to be changed (``validation.n_splits``), the likeliest
        first. What knows of no settings names its own arguments (``n_splits``); whoever gave it those of a
        section says which section that is (`in_section`). Empty where it is about no setting.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        allowed: str | None = None,
        remedy: str | None = None,
        settings: Iterable[str] = (),
    ) -> None:
        self.what = what
        self.got = None if got is None else str(got)
        self.allowed = allowed
        self.remedy = remedy
        self.settings = tuple(settings)
        super().__init__(self._sentence())

    @property
    def setting(self) -> str | None:
        """The setting to change, if it is known: one place where a form or a reader can look."""
        return self.settings[0] if self.settings else None

    def _sentence(self) -> str:
        parts = [self.what]
        if self.got is not None:
            parts.append(f"got {self.got}")
        if self.allowed is not None:
            parts.append(f"allowed: {self.allowed}")
        text = "; ".join(parts)
        return f"{text}. {self.remedy}" if self.remedy else text

    def put(self, tell: Callable[[str], str]) -> Self:
        """Return the error with each of its parts put in other words, for other readers."""
        told = type(self).__new__(type(self))
        vars(told).update(vars(self))
        for name in PARTS:
            part = getattr(self, name)
            setattr(told, name, None if part is None else tell(part))
        told.args = (told._sentence(),)
        return told

    def to_dict(self) -> dict[str, str | None]:
        """Return the parts by name, and the setting to change, for JSON output and problem documents."""
        parts = {name: getattr(self, name) for name in PARTS}
        return {"error": type(self).__name__, **parts, "setting": self.setting}


class UserError(OnwardError):
    """Something the user can repair."""

    exit_code = 2


class ConfigError(UserError):
    """A setting or plan field is unknown or out of range."""


class PlanError(ConfigError):
    """A plan contradicts itself or the data."""


class DataError(UserError):
    """Market data break a rule of the time or price model."""


class FormatError(DataError):
    """A file is of no recognised format, or not of the format that was named."""


class TimeframeError(DataError):
    """A timeframe is unknown or does not match the spacing of the bars."""


class SeriesError(DataError):
    """A side series is missing, or does not say when its values became available."""


class NotEnoughDataError(DataError):
    """There are too few rows for what was asked."""


class DataNotFoundError(DataError):
    """Nothing like this is stored."""


class DataConflictError(DataError):
    """Somebody else changes what is stored, or has changed it since it was looked at."""


class StageError(UserError):
    """A feature stage breaks its contract."""


class LabelError(UserError):
    """Labels cannot be made, or nothing can be learnt from them."""


class SplitError(UserError):
    """Folds cannot be cut."""


class ModelError(UserError):
    """A model is unknown, not installed, or cannot be fitted."""


class AuditError(UserError):
    """Something cannot be audited as it stands."""


class RegistryError(UserError):
    """A model version or alias does not exist, or the change is not allowed."""


class BundleError(RegistryError):
    """A model bundle is damaged or of another format."""


class RegistryNotFoundError(RegistryError):
    """No model, version, alias or run goes by this name."""


class RegistryConflictError(RegistryError):
    """What the registry holds does not allow the change."""


class PredictionError(UserError):
    """The data must not be fed to this model: stale, or of another schema."""


class AccessError(UserError):
    """An API key, a session or a scope cannot be as it was asked for."""


class UnauthenticatedError(AccessError):
    """Nobody knows who asks: there is no key, or one that does not work."""


class ForbiddenError(AccessError):
    """The key may not do that."""


class RateLimitError(AccessError):
    """There were too many requests within a minute.

    Parameters
    ----------
    retry_after
        Seconds after which the next one may come.
    """

    def __init__(self, what: str, *, retry_after: float = 1.0, **parts: Any) -> None:
        self.retry_after = retry_after
        super().__init__(what, **parts)


class KeyNotFoundError(AccessError):
    """No API key has this id or name."""


class JobError(UserError):
    """A job cannot be accepted, started or changed."""


class JobNotFoundError(JobError):
    """No job has this id."""


class JobConflictError(JobError):
    """The idempotency key belongs to another request."""


class JobStateError(JobError):
    """The state of a job does not allow what was asked for."""


class JobTooLargeError(JobError):
    """A request is larger than this server takes."""


class StorageError(OnwardError):
    """The disk or the database refused: full, locked or unreadable. It may be asked again."""


class StorageRefusedError(StorageError):
    """The database is there, understood, and will not: a value or statement that it never takes.

    Whoever waits for a database that is away must not wait for this one.
    """


@contextmanager
def about_setting(name: str) -> Iterator[None]:
    """Let errors that name no setting be about this one."""
    try:
        yield
    except OnwardError as error:
        error.settings = error.settings or (name,)
        raise


@contextmanager
def in_section(name: str) -> Iterator[None]:
    """Let arguments that errors name be settings of a section: ``n_splits`` that of ``validation``."""
    try:
        yield
    except OnwardError as error:
        error.settings = tuple(one if "." in one else f"{name}.{one}" for one in error.settings)
        raise


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is closest to a misspelt one, if any is close."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def told_count(number: int) -> str:
    """Return a whole number as a person reads it: ``1,234``, and ``about 2.7e299`` beyond all counting."""
    if number < 10**15:
        return f"{number:,}"
    power = math.floor(math.log10(number))
    mantissa = number // 10 ** (power - 2) / 100
    return f"about {mantissa:.1f}e{power}"


def told_bars(number: int) -> str:
    """Return a number of bars in words: ``1 bar``, ``1,200 bars``."""
    return f"{number:,} bar{'' if number == 1 else 's'}"
