"""What the page of predictions shows: what a model says of the newest bar, how fresh it is, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from onward.dashboard.views.data import import_address
from onward.dashboard.views.freshness import is_late
from onward.errors import (
    BundleError,
    DataError,
    ModelError,
    NotEnoughDataError,
    OnwardError,
    PredictionError,
    RegistryError,
    SeriesError,
    StageError,
)
from onward.naming.sample import SAMPLE_SYMBOL, is_sample

if TYPE_CHECKING:
    from onward.registry import ModelSummary, Version

__all__ = [
    "Choice",
    "Forecast",
    "Part",
    "PredictView",
    "choices",
    "default_choice",
    "markets",
    "predict_view",
    "problem_of",
]

CLASS_NAMES = ("down", "range", "up")
SHOWN_BARS = 120
LEAST_BAR = 0.6


@dataclass(frozen=True)
class Choice:
    """A model that may be asked: its reference and how it is called in the list."""

    reference: str
    label: str


@dataclass(frozen=True)
class Part:
    """What a feature adds to the log of the probability of the class that the model finds most probable.

    Against the mean of the logs over all classes: with the others and the base, parts sum to that difference.

    Attributes
    ----------
    name
        Of the feature's column.
    kind
        ``feature``; ``others`` for all those that are not shown; ``base`` for the model before it looks.
    value
        Of the feature; None when it is not known, or no feature.
    adds
        Natural-log units.
    left, width
        Of its bar on an axis whose middle is 50, in percent.
    """

    name: str
    kind: Literal["feature", "others", "base"]
    value: float | None
    adds: float
    left: float = 50.0
    width: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """What a model says of the newest bar.

    Attributes
    ----------
    opened, decided
        When the bar opened, and from when it could be known, UTC.
    probability
        By class: ``down``, ``range``, ``up``.
    signal
        Side to trade: -1, 0, 1.
    top
        The most probable class.
    bars_missed
        Bars that have closed since and are not stored.
    bar_seconds
        Length of a bar.
    stranger
        Whether the symbol was not among those of training.
    late
        Side series that are late, with the moment of their newest value.
    parts
        What features add; None when the model cannot say.
    key
        Changes when there is something new to say.
    """

    opened: datetime
    decided: datetime
    probability: Mapping[str, float]
    signal: int
    top: str
    bars_missed: int
    bar_seconds: float
    stranger: bool
    late: Sequence[tuple[str, datetime | None]]
    parts: Sequence[Part] | None
    key: str


@dataclass(frozen=True)
class PredictView:
    """Everything on the page.

    Attributes
    ----------
    choices, markets
        What may be chosen: references, and symbols (those of training first).
    reference, symbol
        What was chosen; empty when there is nothing to choose from.
    version
        The model.
    timeframe
        Of its bars.
    forecast
        None when it cannot be asked.
    problem, details
        Why not (``predict.problem.<name>``), and the parts of the error.
    most_missed
        Bars that may be missing before the API refuses; None: it never does.
    meta
        Whether its classes say what following a primary signal comes to.
    pending
        Whether the model is not loaded yet, so that what it says comes after the page.
    unusable
        Numbers of the versions of a model that was named without saying which, where none may be used.
    """

    choices: Sequence[Choice]
    markets: Sequence[str]
    reference: str
    symbol: str
    version: Version | None = None
    timeframe: str = ""
    forecast: Forecast | None = None
    problem: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    most_missed: int | None = None
    meta: bool = False
    pending: bool = False
    unusable: Sequence[int] = ()

    @property
    def classes(self) -> tuple[tuple[str, float], ...]:
        """Classes with their probabilities."""
        said = {} if self.forecast is None else self.forecast.probability
        return tuple((name, said[name]) for name in CLASS_NAMES if name in said)

    @property
    def is_stale(self) -> bool:
        """Whether more bars are missing than the API takes."""
        return self.forecast is not None and is_late(self.forecast.bars_missed, self.most_missed)

    @property
    def lacks_sample(self) -> bool:
        """Whether the bars that are missing are the bundled ones, which can be stored at once."""
        if self.problem != "no_candles" or self.version is None or self.symbol != SAMPLE_SYMBOL:
            return False
        manifest = self.version.manifest
        return is_sample(manifest.symbols, manifest.timeframe, manifest.data_hash)

    @property
    def import_address(self) -> str:
        """Where a file of the candles that are missing is taken in."""
        return import_address(self.symbol, self.timeframe)

    @property
    def query(self) -> str:
        """The choice as part of an address."""
        return urlencode({"model": self.reference, "symbol": self.symbol})

    @property
    def refresh(self) -> str:
        """What has a browser without scripts ask for the page that waits for the answer."""
        return f"0; url=/predict?{self.query}&wait=true"

    @property
    def source(self) -> str:
        """Where the candles of the chart come from."""
        return "/ui/series/candles?" + urlencode({"symbol": self.symbol, "timeframe": self.timeframe})

    @property
    def chart(self) -> dict[str, Any]:
        """What the script needs to know."""
        assert self.forecast is not None
        end = self.forecast.decided.timestamp()
        first = end - SHOWN_BARS * self.forecast.bar_seconds
        return {
            "query": self.query,
            "from": first,
            "to": end,
            "bar": self.forecast.bar_seconds,
            "key": self.forecast.key,
        }

    def level(self, subject: str) -> str | None:
        """Return the level of a verdict on the model; None when it was not judged."""
        verdict = None if self.version is None else self.version.manifest.verdicts.get(subject)
        return verdict.get("level") if isinstance(verdict, Mapping) else None  # type: ignore[return-value]


def choices(summaries: Iterable[ModelSummary], others: Sequence[Version] = ()) -> tuple[Choice, ...]:
    """Return what may be asked: what aliases stand for, else the newest version; and more of one model.

    Parameters
    ----------
    summaries
        All models.
    others
        Versions of the model that is looked at.
    """
    aliased, bare = [], []
    for one in summaries:
        for alias, number in sorted(one.aliases, key=lambda pair: (pair[0] != "champion", pair[0])):
            aliased.append(Choice(f"{one.name}@{alias}", f"{one.name} @{alias} · v{number}"))
        if not one.aliases and one.latest is not None:
            bare.append(Choice(f"{one.name}/{one.latest}", f"{one.name} · v{one.latest}"))
    more = [Choice(f"{v.name}/{v.number}", f"{v.name} · v{v.number}") for v in others]
    known: dict[str, Choice] = {}
    for choice in (*aliased, *bare, *more):
        known.setdefault(choice.reference, choice)
    return tuple(known.values())


def default_choice(summaries: Iterable[ModelSummary]) -> str:
    """Return the reference to begin with: the first champion, else the first of all; empty without models."""
    found = choices(summaries)
    champions = [one.reference for one in found if one.reference.endswith("@champion")]
    return (champions or [one.reference for one in found] or [""])[0]


def meant(model: ModelSummary, versions: Sequence[Version]) -> str:
    """Return which version of a model is meant where none is named; empty where none may be used.

    Parameters
    ----------
    model
        Its champion is meant, if it has one.
    versions
        Newest first; else the first whose leak audit was passed.
    """
    if any(alias == "champion" for alias, _ in model.aliases):
        return f"{model.name}@champion"
    passed = (one for one in versions if one.manifest.certificate.status == "passed")
    return next((f"{one.name}/{one.number}" for one in passed), "")


def markets(trained: Sequence[str], stored: Iterable[str], *, only_trained: bool) -> tuple[str, ...]:
    """Return the symbols that may be chosen: those of training first, then what else is stored."""
    more = () if only_trained else sorted(set(stored) - set(trained))
    return (*trained, *more)


def predict_view(base: PredictView, forecast: Forecast) -> PredictView:
    """Return the page with what the model says; bars of features get their places."""
    parts = forecast.parts
    if parts is not None:
        largest = max((abs(p.adds) for p in parts if p.kind != "base"), default=0.0) or 1.0
        parts = tuple(_placed(part, largest) for part in parts)
    return replace(base, forecast=replace(forecast, parts=parts))


def problem_of(error: OnwardError) -> str:
    """Return which sentences tell why a model cannot be asked, and how to mend that."""
    kinds: tuple[tuple[type[OnwardError], str], ...] = (
        (BundleError, "damaged"),
        (RegistryError, "gone"),  # also names that none can have
        (NotEnoughDataError, "short"),
        (SeriesError, "series"),
        (DataError, "no_candles"),
        (PredictionError, "unfit"),
        (StageError, "code"),
        (ModelError, "code"),
    )
    return next((name for kind, name in kinds if isinstance(error, kind)), "other")


def _placed(part: Part, largest: float) -> Part:
    if part.kind == "base":
        return part
    width = max(LEAST_BAR, 50 * min(1.0, abs(part.adds) / largest))
    left = 50.0 if part.adds >= 0 else 50.0 - width
    return replace(part, left=round(left, 2), width=round(width, 2))
