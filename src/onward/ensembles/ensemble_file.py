"""``ensemble.json``: what an ensemble is made of, with the hashes of all files of its parts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from onward.errors import BundleError
from onward.models.state_file import damaged

__all__ = ["ENSEMBLE_FILE", "FORMAT", "read_ensemble", "write_ensemble"]

ENSEMBLE_FILE = "ensemble.json"
FORMAT = 1


def write_ensemble(directory: Path, payload: dict[str, Any]) -> None:
    """Write a payload with the hashes of all files that lie beside it, and its own digest."""
    sealed = {**payload, "format": FORMAT, "files": _hashes(directory)}
    sealed["digest"] = _digest(sealed)
    (directory / ENSEMBLE_FILE).write_text(_canonical(sealed), encoding="utf-8", newline="\n")


def read_ensemble(directory: Path) -> dict[str, Any]:
    """Read what `write_ensemble` wrote, every byte of every part checked.

    Raises
    ------
    BundleError
        When it is missing, of another format, or any file differs, is missing or is new.
    """
    path = directory / ENSEMBLE_FILE
    if not path.is_file():
        raise BundleError(
            "there is no ensemble in this directory",
            got=directory,
            allowed=f"a directory with {ENSEMBLE_FILE}",
            remedy="Name the directory that save wrote.",
        )
    try:
        text = path.read_bytes().decode("utf-8")
        payload: dict[str, Any] = json.loads(text)
        body = {key: value for key, value in payload.items() if key != "digest"}
        intact = text == _canonical(payload) and payload["digest"] == _digest(body)
    except (UnicodeDecodeError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise damaged(path) from error
    if not intact:
        raise damaged(path)
    if payload["format"] != FORMAT:
        raise BundleError(
            "the ensemble was written in another format",
            got=payload["format"],
            allowed=str(FORMAT),
            remedy="Load it with the version of Onward that wrote it, or train again.",
        )
    found, expected = _hashes(directory), payload["files"]
    for name in sorted({*found, *expected}):
        if found.get(name) != expected.get(name):
            raise damaged(directory / name, "" if name in found else "missing")
    return payload


def _hashes(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a directory, the ensemble's own left out."""
    paths = sorted(p for p in directory.rglob("*") if p.is_file() and p != directory / ENSEMBLE_FILE)
    return {p.relative_to(directory).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def _digest(payload: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(payload).encode()).hexdigest()


def _canonical(payload: dict[str, Any]) -> str:
    return json.dumps(payload, indent=1, sort_keys=True, allow_nan=False)
