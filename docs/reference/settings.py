"""Writes settings.md from the config classes: ``python docs/reference/settings.py``."""

from __future__ import annotations

from pathlib import Path

from onward.config import Section, Sections
from onward.config.describe import allowed, default_text
from onward.training.plan import PRESETS

HEAD = """\
# Settings

Every setting, made from the classes in `onward.config` by `python docs/reference/settings.py`; a test fails
when this page falls behind. [How to configure](../how-to/configure.md) says where to write them.

A setting is named `section.name`. In a TOML file that is `name = value` under `[section]`; as an environment
variable `ONWARD_SECTION__NAME` (two underscores between the levels); on the command line
`--set section.name=value`. Where a setting may be `none`, the word `"none"` empties it in TOML too.
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for name, section in Sections.sections().items():
        parts += _section(name, section)
    parts += _presets()
    return "\n".join(parts) + "\n"


def _section(path: str, section: type[Section]) -> list[str]:
    about = "\n\n".join(" ".join(p.split()) for p in (section.__doc__ or "").split("\n\n"))
    rows = ["| setting | default | takes | what it is for |", "|---|---|---|---|"]
    nested: list[str] = []
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            nested += _section(f"{path}.{name}", field.annotation)
            continue
        default = default_text(field.get_default(call_default_factory=True))
        cells = (f"`{path}.{name}`", f"`{default}`", allowed(field), field.description or "")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines = [f"\n## [{path}]\n", f"Class `{section.__name__}`. {about.strip()}\n"]
    return [*lines, *(rows if len(rows) > 2 else []), *nested]


def _presets() -> list[str]:
    lines = ["\n## Presets\n", '`onward train fast`, `TrainingPlan.preset("fast")`: what each changes.\n']
    lines += ["| preset | changes |", "|---|---|"]
    for name, values in PRESETS.items():
        changes = ", ".join(f"`{k} = {default_text(v)}`" for k, v in values.items())
        lines.append(f"| `{name}` | {changes or 'nothing: the defaults'} |")
    return lines


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
