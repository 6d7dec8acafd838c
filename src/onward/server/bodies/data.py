"""Uploads of market data, and what is said about stored data."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, field_validator

from onward.server.bodies.base import Answer, Body
from onward.server.bodies.jobs import JobView

__all__ = [
    "UPLOAD",
    "DryAnswer",
    "FileRead",
    "QualityAnswer",
    "RemovalAnswer",
    "UploadAnswer",
    "UploadFields",
]


class UploadFields(Body):
    """What a form says beside its file."""

    symbol: str | None = Field(None, min_length=1, max_length=100)
    timeframe: str | None = Field(None, min_length=1, max_length=20)
    format: str | None = Field(None, min_length=1, max_length=50)
    dry_run: bool = False
    wait: bool = False

    @field_validator("symbol", "timeframe", "format", mode="before")
    @classmethod
    def _nothing_is_none(cls, value: object) -> object:
        return None if value == "" else value


class FileRead(Answer):
    """What a file holds, as an import of it reads it."""

    file: str = Field(description="The part of the client's file name that was kept.")
    kind: Literal["candles", "funding", "open_interest", "fear_greed"]
    symbols: list[str]
    timeframe: str | None
    rows: int
    first: datetime
    last: datetime
    format: str
    evidence: str
    recognised: str
    repairs: list[dict[str, Any]]
    strays: list[dict[str, Any]] = Field(
        description="Rows that lie far from all others, as one wrong stamp does: `symbol`, `first`, `last`, "
        "`rows`, and the `timerange` by which they can be removed once they are stored."
    )


class DryAnswer(Answer):
    """What an upload would bring; nothing is stored."""

    read: FileRead


class UploadAnswer(JobView):
    """The job that stores the file, and what the file holds."""

    created: bool
    read: FileRead


class QualityAnswer(Answer):
    """What a check of stored data found: ``passed`` is false when a rule of the price model is broken."""

    passed: bool
    symbols: list[dict[str, Any]]
    series: list[dict[str, Any]]
    problems: list[dict[str, Any]]


class DependentModel(Answer):
    """A model that was trained on the market: of the newest version and those that an alias stands for."""

    name: str
    versions: list[int]
    aliases: list[str]


class RemovalAnswer(Answer):
    """Rows that went from a series (that would go, with `dry_run`), and what depends on it."""

    kind: Literal["candles", "funding", "open_interest", "fear_greed"]
    symbol: str = Field(description="Empty: for every symbol.")
    timeframe: str = Field(description="Empty: not candles.")
    rows: int
    first: datetime | None
    last: datetime | None
    left: int = Field(description="Rows that stay; 0: the series goes as a whole.")
    unreadable: int = Field(description="Damaged files, which go with the whole.")
    state: str = Field(description="Stands for what was stored; `seen` of a removal that is to hold to it.")
    models: list[DependentModel]
    imports: list[str] = Field(description="Jobs at work that may bring rows of it back.")


_TEXT: dict[str, Any] = {"type": "string", "maxLength": 100}
_YES_NO: dict[str, Any] = {"type": "string", "enum": ["true", "false"]}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "Candles or a side series as CSV, Parquet, feather or JSON. "
                            "Its name helps to recognise format, symbol and timeframe.",
                        },
                        "symbol": _TEXT | {"description": "Where the file does not say it."},
                        "timeframe": _TEXT | {"description": "Length of a bar, such as 1h."},
                        "format": _TEXT | {"description": "Name of a format; recognised when left out."},
                        "dry_run": _YES_NO | {"description": "Only say what would be read."},
                        "wait": _YES_NO
                        | {"description": "Answer when the job has ended, after 30 s at most."},
                    },
                },
                "examples": {
                    "candles": {
                        "summary": "Candles as CSV",
                        "value": {
                            "file": "timestamp,open,high,low,close,volume\n"
                            "2026-01-01T00:00:00Z,88000,88420.5,87910,88300,412.5\n"
                            "2026-01-01T01:00:00Z,88300,88350,88010,88100,288.1\n",
                            "symbol": "BTC/USDT",
                            "timeframe": "1h",
                        },
                    }
                },
            }
        },
    }
}
"""The form of an upload, for the OpenAPI document: it is read piece by piece, not by FastAPI."""
