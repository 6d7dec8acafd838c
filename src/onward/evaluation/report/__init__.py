"""The report of a run: one self-contained HTML page."""

from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.rendering import render

__all__ = ["ReportContent", "render"]
