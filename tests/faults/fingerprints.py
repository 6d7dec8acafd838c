"""What exactly was run: short hashes of the product's jobs and of these tests, and the commit."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["fingerprints"]

ROOT = Path(__file__).resolve().parents[2]
LENGTH = 10


@cache
def fingerprints() -> Mapping[str, str]:
    """Return ``product`` (src/onward/jobs), ``suite`` (tests/faults) and ``commit`` (empty without git)."""
    return {
        "product": _hash(ROOT / "src" / "onward" / "jobs"),
        "suite": _hash(ROOT / "tests" / "faults"),
        "commit": _commit(),
    }


def _hash(directory: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(directory.rglob("*.py")):
        found.update(file.relative_to(directory).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()[:LENGTH]


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
