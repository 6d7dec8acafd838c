"""Commands within sentences: what stands between backquotes is shown as code."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

__all__ = ["marked"]

CODE = re.compile(r"`([^`]+)`")


def marked(text: str) -> Markup:
    """Return a text, escaped unless it is markup, whose backquoted parts are ``<code>``.

    A backquote without a second one stays.
    """
    return Markup(CODE.sub(r'<code translate="no">\1</code>', str(escape(text))))  # noqa: S704
