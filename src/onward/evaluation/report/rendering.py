"""From content to one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from onward.evaluation.report.content import ReportContent
from onward.evaluation.report.embedded import ELEMENT, embedded_page
from onward.evaluation.report.page import page

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["embedded_json", "render"]

STYLES = ("uPlot.min.css", "report.css")
SCRIPTS = ("lightweight-charts.standalone.production.js", "uPlot.iife.min.js", "report.js")
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(content: ReportContent) -> str:
    """Return the report as one self-contained HTML page.

    Styles, scripts and data are inside: the page opens offline, and its content security policy
    forbids every request and every script but its own. All times are UTC; what is not known is
    written "not known".

    Raises
    ------
    DataError
        When the scored rows do not belong to the market.
    """
    from markupsafe import Markup

    script = _script()
    view = page(content)
    # Everything marked as safe here ships with the package, but for the data, which are escaped.
    return (
        _environment()
        .get_template("report.html")
        .render(
            page=view,
            style=Markup("\n".join(_asset(name) for name in STYLES)),  # noqa: S704
            script=Markup(script),  # noqa: S704
            script_hash=_source_hash(script),
            data=Markup(embedded_json(view.charts)),  # noqa: S704
            content_id=ELEMENT,
            content=Markup(embedded_json(embedded_page(view))),  # noqa: S704
        )
    )


def embedded_json(value: Any) -> str:
    """Return JSON that may stand inside a script element: no ``<``, ``>``, ``&`` and no NaN."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for character, escape in UNSAFE.items():
        text = text.replace(character, escape)
    return text


@cache
def _script() -> str:
    # The MIT licence wants its text beside every copy; the other library names its licence itself.
    return f"/*!\n{_asset('uPlot.LICENSE')}*/\n" + "\n;\n".join(_asset(name) for name in SCRIPTS)


@cache
def _asset(name: str) -> str:
    text = files("onward.evaluation.report").joinpath("assets", name).read_text(encoding="utf-8")
    # A browser reads line ends as plain newlines, and the hash of the policy is over what it reads.
    return text.replace("\r\n", "\n").replace("\r", "\n")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("onward.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
