"""What the pages of models show: all of them at a glance, one with its versions, one version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from onward.dashboard.views.freshness import Freshness, freshness
from onward.dashboard.views.report import cut

if TYPE_CHECKING:
    from onward.registry import AliasEvent, ModelSummary, Version
    from onward.server.coverage import Reach
    from onward.types import Finding

__all__ = [
    "AliasLine",
    "ModelLine",
    "ModelView",
    "VersionLine",
    "VersionView",
    "alias_lines",
    "matching",
    "model_line",
    "model_view",
    "number_shown",
    "version_line",
    "version_view",
]

SHOWN_FINDINGS = 5
FIRST = "champion"
"""The alias by which a model is judged at a glance, where it is set."""

Barrier: TypeAlias = Literal["failed", "not_run"]
"""Why a version cannot be promoted: its leak audit failed, or was not run."""


@dataclass(frozen=True)
class VersionLine:
    """A version in one line.

    Attributes
    ----------
    direction, range
        Levels of its verdicts; None where nobody judged.
    barrier
        Why it cannot be promoted; None when it can.
    run_id
        The run that made it, if any.
    """

    name: str
    number: int
    aliases: tuple[str, ...]
    learner: str
    symbols: tuple[str, ...]
    timeframe: str
    published_at: datetime
    direction: str | None
    range: str | None
    certificate: str
    barrier: Barrier | None
    run_id: str | None


@dataclass(frozen=True)
class ModelLine:
    """A model at a glance: what its champion, else its newest version, is worth."""

    name: str
    n_versions: int
    aliases: tuple[tuple[str, int], ...]
    shown: VersionLine
    freshness: Freshness


@dataclass(frozen=True)
class AliasLine:
    """An alias, what it stands for, and since when and by whom.

    Attributes
    ----------
    back_to
        What rolling it back would restore; None when there is nothing to return to.
    """

    alias: str
    number: int
    back_to: int | None
    since: datetime | None
    actor: str


@dataclass(frozen=True)
class ModelView:
    """A model with its versions, newest first, its aliases, and every change of them, newest first."""

    name: str
    aliases: tuple[AliasLine, ...]
    versions: tuple[VersionLine, ...]
    n_versions: int
    events: tuple[AliasEvent, ...]
    n_events: int


@dataclass(frozen=True)
class VersionView:
    """A version with everything that its bundle says.

    Attributes
    ----------
    line
        At a glance.
    manifest
        What the bundle says.
    verdicts
        Those that were reached, as plain values.
    findings, more_findings
        The first few findings of the audit, and the others.
    first_leak
        The first leak, if the audit failed.
    size
        Bytes of all files.
    scores
        Pooled scores by dotted name, as the bundle has them.
    report
        What the report of its run says; None when there is none any more.
    """

    line: VersionLine
    manifest: Any
    verdicts: tuple[Mapping[str, Any], ...]
    findings: tuple[Finding, ...]
    more_findings: tuple[Finding, ...]
    first_leak: Finding | None
    size: int
    scores: tuple[tuple[str, float], ...]
    report: Mapping[str, Any] | None
    importance: Mapping[str, Any] | None
    more_importance: Mapping[str, Any] | None


def matching(summaries: Sequence[ModelSummary], asked: str) -> list[ModelSummary]:
    """Return the models whose name or alias holds what was asked for; models in use first."""
    words = asked.casefold().split()
    found = [
        one
        for one in summaries
        if one.latest is not None
        and all(word in " ".join((one.name, *(a for a, _ in one.aliases))).casefold() for word in words)
    ]
    return sorted(found, key=lambda one: (not one.aliases, one.name.casefold()))


def number_shown(summary: ModelSummary) -> int:
    """Return the version by which a model is judged: its champion, else what is in use, else the newest."""
    aliases = dict(summary.aliases)
    return aliases.get(FIRST) or max(aliases.values(), default=summary.latest or 0)


def model_line(
    summary: ModelSummary,
    shown: Version,
    reach: Mapping[tuple[str, str], Reach],
    now: datetime,
    most_missed: int | None = None,
) -> ModelLine:
    """Return a model at a glance.

    Parameters
    ----------
    summary
        From the registry.
    shown
        The version that `number_shown` names.
    reach
        Coverage of the stored candles by symbol and timeframe.
    now
        This moment, UTC.
    most_missed
        Bars that may be missing (`prediction.max_staleness_bars`).
    """
    line = version_line(shown)
    return ModelLine(
        name=summary.name,
        n_versions=summary.n_versions,
        aliases=summary.aliases,
        shown=line,
        freshness=freshness(
            [reach.get((symbol, line.timeframe)) for symbol in line.symbols], now, most_missed
        ),
    )


def version_line(version: Version) -> VersionLine:
    """Return a version in one line."""
    manifest = version.manifest
    status = manifest.certificate.status
    return VersionLine(
        name=version.name,
        number=version.number,
        aliases=version.aliases,
        learner=manifest.model,
        symbols=manifest.symbols,
        timeframe=manifest.timeframe,
        published_at=version.published_at,
        direction=_level(manifest.verdicts.get("direction")),
        range=_level(manifest.verdicts.get("range")),
        certificate=status,
        barrier=None if status == "passed" else status,
        run_id=manifest.run_id,
    )


def model_view(
    name: str, versions: Sequence[Version], events: Sequence[AliasEvent], *, most: int, most_events: int
) -> ModelView:
    """Return a model with its versions and history; ``events`` are oldest first."""
    return ModelView(
        name=name,
        aliases=alias_lines(versions, events),
        versions=tuple(version_line(one) for one in versions[:most]),
        n_versions=len(versions),
        events=tuple(reversed(events))[:most_events],
        n_events=len(events),
    )


def alias_lines(versions: Sequence[Version], events: Sequence[AliasEvent]) -> tuple[AliasLine, ...]:
    """Return the aliases that are set, the champion first."""
    from onward.registry.aliases import previous_targets

    there = {one.number for one in versions}
    standing = {alias: one.number for one in versions for alias in one.aliases}
    lines = []
    for alias in sorted(standing, key=lambda name: (name != FIRST, name)):
        own = [event for event in events if event.alias == alias]
        back = previous_targets(own)[:1]
        lines.append(
            AliasLine(
                alias=alias,
                number=standing[alias],
                back_to=back[0] if back and back[0] in there else None,
                since=own[-1].at if own else None,
                actor=own[-1].actor if own else "",
            )
        )
    return tuple(lines)


def version_view(version: Version, report: Mapping[str, Any] | None) -> VersionView:
    """Return a version with everything that is known of it."""
    manifest = version.manifest
    findings = manifest.certificate.findings
    table = None if report is None else report["features"]["importance"]
    importance, more = cut(table, 10)
    verdicts = [manifest.verdicts.get(name) for name in ("direction", "range")]
    return VersionView(
        line=version_line(version),
        manifest=manifest,
        verdicts=tuple(one for one in verdicts if isinstance(one, Mapping) and "subject" in one),
        findings=findings[:SHOWN_FINDINGS],
        more_findings=findings[SHOWN_FINDINGS:],
        first_leak=next((one for one in findings if one.severity == "leak"), None),
        size=sum(file.size for file in manifest.files),
        scores=tuple(_numbers(manifest.scores.get("pooled") or manifest.scores)),
        report=report,
        importance=importance,
        more_importance=more,
    )


def _numbers(values: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Give the figures in nested scores, each by its dotted name."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from _numbers(value, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(values, int | float):
        yield prefix, values


def _level(verdict: Any) -> str | None:
    return verdict.get("level") if isinstance(verdict, Mapping) else None
