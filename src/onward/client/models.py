"""What a client can do with published models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import Any
from urllib.parse import quote

from onward.client.connection import Connection
from onward.client.moments import MomentLike, told_moment
from onward.client.values import AliasChange, ModelInfo, Predictions, VersionInfo
from onward.errors import RegistryNotFoundError
from onward.naming import LATEST, Reference, parse_reference

__all__ = ["ModelCalls"]


class ModelCalls:
    """Looking at models, moving their aliases, predicting."""

    _connection: Connection

    def models(self) -> tuple[ModelInfo, ...]:
        """Return every model, by name."""
        return tuple(ModelInfo.of(one) for one in self._pages("/models", "models"))

    def versions(self, name: str) -> tuple[VersionInfo, ...]:
        """Return the versions of a model, newest first."""
        return tuple(VersionInfo.of(one) for one in self._pages(f"/models/{_part(name)}", "versions"))

    def version(self, ref: str) -> VersionInfo:
        """Return a version with its card and manifest.

        Parameters
        ----------
        ref
            ``models:/NAME@ALIAS``, ``models:/NAME/NUMBER`` or ``models:/NAME/latest``; ``models:/``
            may be left out.
        """
        reference = parse_reference(ref)
        if reference.alias is not None:
            found = [one for one in self.versions(reference.name) if reference.alias in one.aliases]
            if not found:
                raise RegistryNotFoundError(
                    "No version goes by this alias",
                    got=ref,
                    remedy="`onward models list` shows what there is.",
                )
            reference = Reference(reference.name, version=found[0].number)
        return VersionInfo.of(self._connection.json("GET", _version_path(reference)))

    def delete_version(self, ref: str) -> VersionInfo:
        """Delete a version that no alias stands for, and return what it was."""
        found = self.version(ref)
        self._connection.request("DELETE", f"/models/{_part(found.name)}/versions/{found.number}")
        return found

    def set_alias(
        self,
        name: str,
        alias: str,
        version: int,
        *,
        actor: str = "",
        reason: str = "",
        seen: int | EllipsisType | None = ...,
    ) -> AliasChange | None:
        """Let an alias stand for a version; None when it did already.

        Parameters
        ----------
        name, alias, version
            What is to stand for what.
        actor, reason
            Who, and why, for the history.
        seen
            Version that the alias stood for when you looked, None when it was not set: it is changed
            only while that still holds. Left out: whatever it stands for.

        Raises
        ------
        RegistryConflictError
            When somebody moved it since, or the version's leak audit did not pass.
        """
        body = {"version": version, "actor": actor, "reason": reason, **_seen(seen)}
        return _change(self._connection.json("PUT", _alias(name, alias), json=body, **_once(seen)))

    def delete_alias(
        self, name: str, alias: str, *, actor: str = "", reason: str = "", seen: int | None = None
    ) -> AliasChange:
        """Take an alias away; with ``seen``, only while it stands for that version."""
        asked: dict[str, Any] = {"actor": actor, "reason": reason}
        asked |= {} if seen is None else {"seen": seen}
        told = self._connection.json("DELETE", _alias(name, alias), params=asked, again=False)
        return AliasChange.of(told["event"])

    def rollback(
        self,
        name: str,
        alias: str,
        *,
        actor: str = "",
        reason: str = "",
        seen: int | EllipsisType | None = ...,
    ) -> AliasChange:
        """Let an alias stand for its previous version again; ``seen`` as for `set_alias`."""
        body = {"actor": actor, "reason": reason, **_seen(seen)}
        told = self._connection.json("POST", f"{_alias(name, alias)}/rollback", json=body)
        return AliasChange.of(told["event"])

    def history(
        self, name: str, alias: str | None = None, *, at: MomentLike | None = None
    ) -> tuple[AliasChange, ...]:
        """Return changes of aliases, oldest first; with ``at`` the one that counted then.

        A moment is a datetime or ISO 8601 text; without a zone it is UTC.
        """
        asked = {} if alias is None else {"alias": alias}
        if at is not None:
            asked["at"] = told_moment(at, name="at")
        told = self._connection.json("GET", f"/models/{_part(name)}/history", params=asked)
        return tuple(AliasChange.of(one) for one in told["events"])

    def cleanup(
        self,
        name: str | None = None,
        *,
        max_versions: int | None = None,
        max_age_days: float | None = None,
        dry_run: bool = False,
    ) -> tuple[str, ...]:
        """Delete versions beyond the limits, else the server's; return their references."""
        body = {"name": name, "max_versions": max_versions, "max_age_days": max_age_days, "dry_run": dry_run}
        return tuple(self._connection.json("POST", "/models/cleanup", json=body)["deleted"])

    def predict(
        self,
        ref: str,
        *,
        symbols: Iterable[str] | None = None,
        bars: Mapping[str, Sequence[Sequence[float | None]]] | None = None,
        series: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        at: MomentLike | None = None,
        start: MomentLike | None = None,
    ) -> Predictions:
        """Predict with a model.

        Parameters
        ----------
        ref
            As for `version`.
        symbols
            Stored symbols; else those of training.
        bars
            Bars of one's own by symbol: rows of open time in Unix milliseconds UTC, open, high,
            low, close, volume.
        series
            Side series beside own bars, by name.
        at
            Moment as of which to predict: a datetime or ISO 8601 text; without a zone it is UTC.
        start
            Every bar that opens from here on, not only the newest one; a moment like ``at``.
        """
        reference = parse_reference(ref)
        alias = reference.alias
        path = f"/models/{_part(reference.name)}@{_part(alias)}" if alias else _version_path(reference)
        body: dict[str, Any] = {}
        if symbols is not None:
            body["symbols"] = list(symbols)
        if bars is not None:
            body["bars"] = [
                {"symbol": symbol, "rows": [list(row) for row in rows]} for symbol, rows in bars.items()
            ]
        if series:
            body["series"] = {key: [dict(row) for row in rows] for key, rows in series.items()}
        for field, moment in (("at", at), ("start", start)):
            if moment is not None:
                body[field] = told_moment(moment, name=field)
        return Predictions.of(self._connection.json("POST", f"{path}/predictions", json=body, again=True))

    def _pages(self, path: str, field: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {"limit": 500}
        while True:
            told = self._connection.json("GET", path, params=asked)
            yield from told[field]
            if told["cursor"] is None:
                return
            asked["cursor"] = told["cursor"]


def _version_path(reference: Reference) -> str:
    return f"/models/{_part(reference.name)}/versions/{reference.version or LATEST}"


def _part(text: str) -> str:
    return quote(text, safe="")


def _alias(name: str, alias: str) -> str:
    return f"/models/{_part(name)}/aliases/{_part(alias)}"


def _seen(seen: int | EllipsisType | None) -> dict[str, int | None]:
    return {} if isinstance(seen, EllipsisType) else {"seen": seen}


def _once(seen: int | EllipsisType | None) -> dict[str, bool]:
    """Return how a change is sent: twice is not the same as once where the first changes what was seen."""
    return {} if isinstance(seen, EllipsisType) else {"again": False}


def _change(told: Mapping[str, Any]) -> AliasChange | None:
    return None if told["event"] is None else AliasChange.of(told["event"])
