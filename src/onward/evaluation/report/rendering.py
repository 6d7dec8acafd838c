"""From content to one HTML page that needs nothing but itself."""

from __future__ import annotations

from html import escape

from onward.evaluation.report.content import ReportContent

__all__ = ["render"]


def render(content: ReportContent) -> str:
    """Return the report as one self-contained HTML page."""
    verdict = content.judgement.verdict
    table = content.judgement.scores.frame().to_html(float_format=lambda v: f"{v:.4f}")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(content.title)}</title></head><body><h1>{escape(content.title)}</h1>"
        f"<p>{escape(verdict.direction.sentence)}</p><p>{escape(verdict.range.sentence)}</p>{table}"
        "</body></html>"
    )
