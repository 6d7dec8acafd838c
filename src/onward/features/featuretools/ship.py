"""Write the definitions that ship with the package: ``python -m onward.features.featuretools.ship``.

To be run after a change of `onward.features.featuretools.synthesis.SHIPPED` or of the rules in
`onward.features.featuretools.comparable`; needs the extra ``onward[automl]``.
"""

from __future__ import annotations

import json
from pathlib import Path

from onward.features.featuretools.synthesis import synthesise_templates

__all__ = ["as_text"]


def as_text() -> str:
    """Return the content of ``definitions.json``, one definition a line."""
    parts = []
    for kind, expressions in synthesise_templates().items():
        lines = ",\n".join(json.dumps(expression.to_json()) for expression in expressions)
        parts.append(f'"{kind}": [\n{lines}\n]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    Path(__file__).with_name("definitions.json").write_text(as_text(), encoding="utf-8")
