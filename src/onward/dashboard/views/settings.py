"""What the settings page shows: every setting as it counts, and who holds a key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from onward.access.scopes import SCOPES, Scope
from onward.config.describe import default_text
from onward.dashboard.i18n.texts import Texts

if TYPE_CHECKING:
    from onward.access.values import ApiKey
    from onward.settings import ResolvedSettings

__all__ = [
    "LASTS_DAYS",
    "KeyLine",
    "KeysView",
    "SettingLine",
    "SettingsSection",
    "SettingsView",
    "keys_view",
    "settings_view",
]

LASTS_DAYS = (0, 30, 90, 365)
"""Days that a key may last; 0 is without an end."""


@dataclass(frozen=True)
class SettingLine:
    """One setting.

    Attributes
    ----------
    name
        Dotted.
    value
        As a settings file writes it, secrets masked.
    source, detail
        Where it came from: ``default``, ``onward.toml``, ``environment`` ..., and which file or variable.
    help, help_language
        What it is for, and the language of that.
    """

    name: str
    value: str
    source: str
    detail: str
    help: str
    help_language: str

    @property
    def is_changed(self) -> bool:
        """Whether it is not the default."""
        return self.source != "default"


@dataclass(frozen=True)
class SettingsSection:
    """Settings that belong together; ``name`` is dotted."""

    name: str
    lines: tuple[SettingLine, ...]

    @property
    def key(self) -> str:
        """Its name in the catalogue of texts."""
        return self.name.replace(".", "_")

    @property
    def n_changed(self) -> int:
        """How many are not at their default."""
        return sum(line.is_changed for line in self.lines)


@dataclass(frozen=True)
class SettingsView:
    """All settings that are to be shown.

    Attributes
    ----------
    sections
        By section.
    home, files
        The home directory, and the settings files that were read.
    wanted, only_changed
        What the list was narrowed to.
    n_changed
        How many settings are not at their default, shown or not.
    """

    sections: tuple[SettingsSection, ...]
    home: str
    files: tuple[str, ...]
    wanted: str
    only_changed: bool
    n_changed: int

    @property
    def n_shown(self) -> int:
        """How many settings are shown."""
        return sum(len(section.lines) for section in self.sections)


@dataclass(frozen=True)
class KeyLine:
    """A key, as far as it is known: the key itself is kept nowhere."""

    id: str
    name: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    state: Literal["works", "expired", "revoked"]
    is_own: bool


@dataclass(frozen=True)
class KeysView:
    """Who holds a key.

    Attributes
    ----------
    keys
        Those that work first, then the others; newest first.
    is_open
        Whether there never was a key, so that this machine needs none.
    n_working
        Keys that open something.
    secret
        A key that was just made, shown this once; empty else.
    made
        Its name.
    values, errors
        What stands in the form for a new one, and what is wrong there (in words).
    """

    keys: tuple[KeyLine, ...]
    is_open: bool
    n_working: int
    secret: str = ""
    made: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def scopes(self) -> Sequence[Scope]:
        """Scopes that a new key may have, the one that fits first: nobody could make another without."""
        return tuple(reversed(SCOPES)) if self.n_working == 0 else SCOPES

    @property
    def lasts(self) -> Sequence[int]:
        """Days that a new key may last; 0 is without an end."""
        return LASTS_DAYS


def settings_view(
    resolved: ResolvedSettings, texts: Texts, *, wanted: str = "", only_changed: bool = False
) -> SettingsView:
    """Return the settings by section.

    Parameters
    ----------
    resolved
        Settings with their origins.
    texts
        Of the reader's language; helps that it does not know stay English.
    wanted
        Words that name, value, origin or help of a setting must hold.
    only_changed
        Whether to leave out defaults.
    """
    lines = [
        SettingLine(
            name=row.name,
            value=default_text(row.value),
            source=row.origin.source,
            detail=row.origin.detail,
            help=texts.get(f"settings_help.{row.name}", row.description),
            help_language=texts.language if f"settings_help.{row.name}" in texts else "en",
        )
        for row in resolved.rows()
    ]
    words = wanted.lower().split()
    sections: dict[str, list[SettingLine]] = {}
    for line in lines:
        whole = f"{line.name} {line.value} {line.source} {line.detail} {line.help}".lower()
        if (line.is_changed or not only_changed) and all(word in whole for word in words):
            sections.setdefault(line.name.rpartition(".")[0], []).append(line)
    return SettingsView(
        sections=tuple(SettingsSection(name, tuple(sections[name])) for name in _parents_first(sections)),
        home=str(resolved.home.root),
        files=tuple(str(file) for file in resolved.files),
        wanted=wanted,
        only_changed=only_changed,
        n_changed=sum(line.is_changed for line in lines),
    )


def _parents_first(names: Collection[str]) -> list[str]:
    """Return names of sections in their order, ``features`` before ``features.tsfresh``."""
    first: dict[str, int] = {}
    for name in names:
        first.setdefault(name.partition(".")[0], len(first))
    return sorted(names, key=lambda name: (first[name.partition(".")[0]], name.count(".")))


def keys_view(
    keys: Iterable[ApiKey],
    now: datetime,
    *,
    is_open: bool,
    own_id: str = "",
    secret: str = "",
    made: str = "",
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> KeysView:
    """Return who holds a key at a moment (UTC).

    Parameters
    ----------
    keys
        All of them, newest first.
    now
        This moment.
    is_open
        Whether there never was one.
    own_id
        The reader's own key; empty without one.
    secret, made, values, errors
        As of `KeysView`.
    """
    lines = [_line(key, now, own_id) for key in keys]
    working = [line for line in lines if line.state == "works"]
    return KeysView(
        keys=(*working, *(line for line in lines if line.state != "works")),
        is_open=is_open,
        n_working=len(working),
        secret=secret,
        made=made,
        values=values or {},
        errors=errors or {},
    )


def _line(key: ApiKey, now: datetime, own_id: str) -> KeyLine:
    state: Literal["works", "expired", "revoked"] = "works"
    if not key.works(now):
        state = "expired" if key.revoked_at is None else "revoked"
    return KeyLine(
        id=key.id,
        name=key.name,
        scope=key.scope,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        state=state,
        is_own=bool(own_id) and key.id == own_id,
    )
