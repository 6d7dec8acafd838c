"""The model card: the manifest's facts for a person, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onward.registry.manifest import BundleFacts
from onward.registry.plain import canonical
from onward.types import Certificate

__all__ = ["render_card"]

COLUMNS_SHOWN = 40
FINDINGS_SHOWN = 8


def render_card(facts: BundleFacts) -> str:
    """Return ``card.md``: verdict and certificate first, then everything that made the model."""
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: BundleFacts) -> Iterator[str]:
    yield f"# {facts.name}"
    yield ""
    symbols = ", ".join(facts.symbols)
    trained = f"{facts.created_at:%Y-%m-%d %H:%M} UTC"
    yield f"`{facts.model}` on {symbols}, {facts.timeframe} bars, trained {trained}."
    yield ""
    yield "## Is there skill?"
    yield ""
    yield from _verdicts(facts.verdicts)
    yield ""
    yield "## Leak certificate"
    yield ""
    yield from _certificate(facts.certificate)
    yield ""
    yield "## Scores (pooled, out of fold)"
    yield ""
    yield from _table(facts.scores, "No scores were recorded.")
    yield ""
    yield "## Features"
    yield ""
    yield from _features(facts)
    yield ""
    yield "## Data"
    yield ""
    yield from _table(
        {**facts.data, "data hash": facts.data_hash, "label family": facts.label_family}, "Not described."
    )
    yield ""
    yield "## Made with"
    yield ""
    versions = {"onward": facts.code_version, **facts.libraries, **facts.packages}
    origin = {"plan hash": facts.plan_hash, "run": facts.run_id, "job": facts.job_id}
    yield from _table({**origin, **versions}, "")
    yield ""
    yield "## Plan"
    yield ""
    yield "```json"
    yield canonical(facts.plan).decode().rstrip("\n")
    yield "```"


def _verdicts(verdicts: Mapping[str, Any]) -> Iterator[str]:
    """Sentences first, then the figures; those of the null band are left to ``manifest.json``."""
    figures: dict[str, Any] = {}
    for name, verdict in verdicts.items():
        if not isinstance(verdict, Mapping):
            figures[name] = verdict
            continue
        if verdict.get("sentence"):
            yield _cell(str(verdict["sentence"]))
            yield ""
        figures[name] = {k: v for k, v in verdict.items() if k not in ("sentence", "subject", "band")}
    yield from _table(figures, "No verdict was reached.")


def _certificate(certificate: Certificate) -> Iterator[str]:
    words = {
        "passed": "**Passed.** Nothing was found to see the future.",
        "failed": "**Failed.** This model must not be used.",
        "not_run": "**Not run.** Nobody has checked this model for leaks; it cannot be given an alias.",
    }
    yield words[certificate.status]
    if certificate.checks:
        yield ""
        yield f"Checks: {', '.join(certificate.checks)}."
    if certificate.rows_probed is not None:
        yield ""
        yield f"Rows probed for a look one bar ahead: {certificate.rows_probed:.1%}."
    if certificate.findings:
        yield ""
    for finding in certificate.findings[:FINDINGS_SHOWN]:
        row = f" at {finding.row}" if finding.row else ""
        yield f"- {finding.severity}: {finding.check}, {_cell(finding.subject)}{row}: {_cell(finding.detail)}"
    left = len(certificate.findings) - FINDINGS_SHOWN
    if left > 0:
        yield f"- and {left} more, see `manifest.json`"


def _features(facts: BundleFacts) -> Iterator[str]:
    schema = facts.features
    series = f" Side series: {', '.join(schema.series)}." if schema.series else ""
    yield f"{len(schema.columns)} columns, {schema.dtype}; {schema.lookback_bars} bars of history.{series}"
    yield ""
    yield from (f"- `{column}`" for column in schema.columns[:COLUMNS_SHOWN])
    left = len(schema.columns) - COLUMNS_SHOWN
    if left > 0:
        yield f"- and {left} more, see `manifest.json`"


def _table(values: Mapping[str, Any], empty: str) -> Iterator[str]:
    rows = [(name, value) for name, value in _flat(values) if value is not None and value != ""]
    if not rows:
        if empty:
            yield empty
        return
    yield "| | |"
    yield "|---|---|"
    for name, value in rows:
        yield f"| {_cell(name)} | {_cell(_shown(value))} |"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    return str(value)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
