"""What a client can do with market data, plans and settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from onward.client.connection import Connection
from onward.client.values import FileRead, ImportReply, PlanCheck, SeriesRemoval, StoredSeries
from onward.errors import UserError
from onward.jobs.documents import job_of

__all__ = ["DataCalls"]

READ_SECONDS = 300.0
"""A server reads a file whole before it answers."""


class DataCalls:
    """Sending and checking market data, looking at plans and settings."""

    _connection: Connection

    def import_data(
        self,
        file: str | Path,
        *,
        symbol: str | None = None,
        timeframe: str | None = None,
        format: str | None = None,
        dry_run: bool = False,
        wait: bool = False,
        key: str | None = None,
    ) -> ImportReply:
        """Send a file of candles or a side series; the server checks it, and a job stores it.

        Parameters
        ----------
        file
            CSV, Parquet, feather or JSON.
        symbol, timeframe, format
            What the file does not say itself.
        dry_run
            Only say what would be read.
        wait
            Return when the job has ended, after half a minute at most.
        key
            Idempotency key; with it the request is repeated when the connection breaks.
        """
        path = Path(file)
        try:
            content = path.open("rb")
        except OSError as error:
            raise UserError(
                "the file cannot be read", got=f"{path}: {error.strerror}", remedy="Check the path."
            ) from error
        asked = {"symbol": symbol, "timeframe": timeframe, "format": format}
        fields = {name: text for name, text in asked.items() if text is not None}
        fields |= {name: "true" for name, on in (("dry_run", dry_run), ("wait", wait)) if on}
        with content:
            told = self._connection.json(
                "POST",
                "/data/import",
                files={"file": (path.name, content)},
                data=fields,
                headers={} if key is None else {"Idempotency-Key": key},
                timeout=READ_SECONDS,
                again=False,  # the file has been read to its end
            )
        return ImportReply(FileRead.of(told["read"]), job_of(told) if "id" in told else None)

    def series(self) -> tuple[StoredSeries, ...]:
        """Return what market data are stored."""
        return tuple(StoredSeries.of(one) for one in self.coverage())

    def coverage(self) -> list[dict[str, Any]]:
        """Return what market data are stored, as the server says it."""
        found: list[dict[str, Any]] = self._connection.json("GET", "/data/series")["series"]
        return found

    def remove_series(
        self,
        symbol: str,
        *,
        kind: str = "candles",
        timeframe: str | None = None,
        timerange: str | None = None,
        seen: str | None = None,
        dry_run: bool = False,
    ) -> SeriesRemoval:
        """Remove a stored series, or a time range of it, and return what went.

        Parameters
        ----------
        symbol
            As `series` tells it; empty for a series that is for every symbol.
        kind
            ``candles``, ``funding``, ``open_interest`` or ``fear_greed``.
        timeframe
            Of candles; needed where the symbol has them in several.
        timerange
            Such as ``20200101-20251231``, UTC, end excluded; None for the whole series.
        seen
            ``state`` of a dry run: rows go only while it still holds.
        dry_run
            Only say what would go.

        Raises
        ------
        DataNotFoundError
            When there is no such series.
        DataConflictError
            When it changed since it was seen, or an import stores rows of it at this moment.
        """
        part = {"timeframe": timeframe, "timerange": timerange, "seen": seen}
        return SeriesRemoval.of(self.removal(symbol, part, kind=kind, dry_run=dry_run))

    def removal(
        self, symbol: str, part: Mapping[str, str | None], *, kind: str = "candles", dry_run: bool = False
    ) -> dict[str, Any]:
        """Remove a series as `remove_series` does, and return what went as the server says it."""
        asked = {name: text for name, text in part.items() if text is not None}
        asked |= {"dry_run": "true"} if dry_run else {}
        path = f"/data/series/{quote(kind, safe='')}/{quote(symbol or '-', safe='')}"
        # Sent twice, the second time finds nothing any more.
        told: dict[str, Any] = self._connection.json("DELETE", path, params=asked, again=dry_run)
        return told

    def quality(
        self, symbol: str, *, kind: str = "candles", timeframe: str | None = None
    ) -> Mapping[str, Any]:
        """Return what a check of a stored series finds; an empty symbol: a series for every symbol."""
        path = f"/data/series/{quote(kind, safe='')}/{quote(symbol or '-', safe='')}/quality"
        asked = {} if timeframe is None else {"timeframe": timeframe}
        found: Mapping[str, Any] = self._connection.json("GET", path, params=asked)
        return found

    def validate_plan(
        self, plan: str | Mapping[str, Any] | None = None, *, columns: bool = False, **market: Any
    ) -> PlanCheck:
        """Return a plan as it would run; ``data`` and ``series`` name files that the server has."""
        body = {"plan": plan, "columns": columns, **market}
        return PlanCheck.of(self._connection.json("POST", "/plans/validate", json=body, again=True))

    def stages(self) -> tuple[Mapping[str, Any], ...]:
        """Return the feature stages that a plan may name."""
        return tuple(self._connection.json("GET", "/features/stages")["stages"])

    def presets(self) -> Mapping[str, Any]:
        """Return what each prepared plan sets."""
        found: Mapping[str, Any] = self._connection.json("GET", "/features/presets")["presets"]
        return found

    def settings(self, *, changed: bool = False) -> Mapping[str, Any]:
        """Return the server's home, settings files and settings, secrets masked."""
        asked = {"changed": str(changed).lower()}
        found: Mapping[str, Any] = self._connection.json("GET", "/settings", params=asked)
        return found

    def health(self) -> str:
        """Return ``ready``; `StorageError` when the server is not."""
        return str(self._connection.json("GET", "/health/ready")["status"])
