"""``model.json``: a model's parameters and what it learnt, with the hashes of its other files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from onward.errors import BundleError

__all__ = ["FORMAT", "STATE_FILE", "check_files", "damaged", "file_hashes", "read_state", "write_state"]

STATE_FILE = "model.json"
FORMAT = 1


def write_state(directory: Path, payload: dict[str, Any]) -> None:
    """Write a payload with its own digest, always in the same spelling."""
    sealed = {**payload, "format": FORMAT}
    sealed["digest"] = _sha256(_canonical(sealed).encode())
    (directory / STATE_FILE).write_text(_canonical(sealed), encoding="utf-8")


def read_state(directory: Path) -> dict[str, Any]:
    """Read what `write_state` wrote.

    Raises
    ------
    BundleError
        When there is none, a byte differs, or it is of another format.
    """
    path = directory / STATE_FILE
    if not path.is_file():
        raise BundleError(
            "there is no model in this directory",
            got=directory,
            allowed=f"a directory with {STATE_FILE}",
            remedy="Name the directory that save wrote.",
        )
    try:
        text = path.read_bytes().decode("utf-8")
        payload: dict[str, Any] = json.loads(text)
        body = {key: value for key, value in payload.items() if key != "digest"}
        intact = text == _canonical(payload) and payload["digest"] == _sha256(_canonical(body).encode())
    except (UnicodeDecodeError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise damaged(path) from error
    if not intact:
        raise damaged(path)
    if payload["format"] != FORMAT:
        raise BundleError(
            "the model was written in another format",
            got=payload["format"],
            allowed=str(FORMAT),
            remedy="Load it with the version of Onward that wrote it, or train again.",
        )
    return payload


def file_hashes(directory: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the SHA-256 of files in a directory by name."""
    return {name: _sha256((directory / name).read_bytes()) for name in names}


def check_files(directory: Path, hashes: dict[str, str]) -> None:
    """Refuse files that are missing or not what was written.

    Raises
    ------
    BundleError
        Naming the file.
    """
    for name, expected in hashes.items():
        path = directory / name
        if not path.is_file() or _sha256(path.read_bytes()) != expected:
            raise damaged(path)


def damaged(path: Path, detail: str | None = None) -> BundleError:
    """Return the error for a file that is not what was written."""
    return BundleError(
        "a model file is damaged or missing",
        got=path.name if detail is None else f"{path.name}: {detail}",
        allowed="the bytes that were saved",
        remedy="Restore the bundle from its export, or train again.",
    )


def _canonical(payload: dict[str, Any]) -> str:
    return json.dumps(payload, indent=1, sort_keys=True, allow_nan=False)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
