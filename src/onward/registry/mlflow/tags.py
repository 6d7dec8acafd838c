"""What a version says about itself in MLflow: tags of the version and its run, scores of the run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from onward.registry.manifest import Manifest

__all__ = ["CERTIFICATE", "DIGEST", "FORMAT", "JOB", "PREFIX", "scores_of", "tags_of"]

PREFIX = "onward."
FORMAT = f"{PREFIX}format"
"""Which bundle format lies in the version's artifacts; by this tag Onward's versions are found."""
DIGEST = f"{PREFIX}digest"
CERTIFICATE = f"{PREFIX}certificate"
JOB = f"{PREFIX}job_id"
LONGEST = 4000


def tags_of(manifest: Manifest) -> dict[str, str]:
    """Return the tags of a version: identity, hashes, outcome of the audit, verdicts, origin."""
    tags = {
        FORMAT: str(manifest.format_version),
        DIGEST: manifest.digest,
        CERTIFICATE: manifest.certificate.status,
        f"{PREFIX}model": manifest.model,
        f"{PREFIX}timeframe": manifest.timeframe,
        f"{PREFIX}symbols": ",".join(manifest.symbols),
        f"{PREFIX}plan_hash": manifest.plan_hash,
        f"{PREFIX}data_hash": manifest.data_hash,
        f"{PREFIX}label_family": manifest.label_family,
        f"{PREFIX}code_version": manifest.code_version,
    }
    for subject, verdict in manifest.verdicts.items():
        if isinstance(verdict, Mapping) and isinstance(verdict.get("level"), str):
            tags[f"{PREFIX}verdict.{subject}"] = str(verdict["level"])
    if manifest.run_id is not None:
        tags[f"{PREFIX}run_id"] = manifest.run_id
    if manifest.job_id is not None:
        tags[JOB] = manifest.job_id
    return {name: value[:LONGEST] for name, value in tags.items()}


def scores_of(manifest: Manifest) -> dict[str, float]:
    """Return the pooled out-of-fold scores by name (``direction/auc``); what is no number is left out."""
    return dict(_numbers("", manifest.scores))


def _numbers(path: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(f"{path}/{name}" if path else str(name), inner)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        name = "".join(letter if letter.isalnum() or letter in "_-. :/" else "_" for letter in path)
        yield name[:250], float(value)
