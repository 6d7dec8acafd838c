"""Write manual-features.md from the families themselves: ``python docs/reference/manual_features.py``."""

from __future__ import annotations

import inspect
from pathlib import Path

import pandas as pd

from onward.features.manual.catalog import FAMILIES, GROUPS, parameters, resolve
from onward.features.manual.family import Family, PanelFamily

PAGE = Path(__file__).with_name("manual-features.md")
HOUR = pd.Timedelta("1h")
SERIES = ("funding_rate", "open_interest", "fear_greed", "driver")

HEAD = """# Manual features

*Written by `docs/reference/manual_features.py` from the families themselves; a test compares them.*

`ManualFeaturesStage` computes these families. Each is a switch: name families (or groups) in
`families`, set their parameters in `options`. A family whose inputs are absent is off, and
`stage.disabled` says why.

```python
from onward.features.manual import ManualFeaturesStage

stage = ManualFeaturesStage.for_market(market)                        # everything the market allows
stage = ManualFeaturesStage.for_market(market, ["price", "technical"],
                                       {{"oscillators": {{"rsi_windows": [14]}}}})
stage.compute(market)      # float64, one row a bar, columns manual__...
stage.lookback             # bars that the newest row needs
stage.disabled             # {{"sentiment": "needs the side series value fear_greed", ...}}
```

Windows count bars. NaN means not known yet; a window that contains NaN gives NaN. Every value at
a row is known at that row's decision time (open time + timeframe).

Groups: {groups}.

The columns below are those of hourly bars with default parameters, all side series, a custom
series with the value `driver`, and several symbols: {n_columns} columns, {lookback} bars of
lookback. Names carry the prefix `manual__`.

| family | needs | columns | lookback (bars) |
|---|---|---|---|
"""


def render() -> str:
    """Return the page."""
    timeframe = int(HOUR.value)
    found = resolve(tuple(FAMILIES), series=SERIES, panel=True, options={}, timeframe=timeframe)
    families = (*found.families, *found.panel_families)
    rows, sections = [], []
    for family in families:
        needs = ", ".join(f"`{value}`" for value in getattr(family, "requires", ())) or (
            "bars" if hasattr(family, "requires") else "two or more symbols"
        )
        if family.name == "custom_series":
            needs = "any other side value"
        rows.append(
            f"| [{family.name}](#{family.name}) | {needs} | {len(family.columns())} "
            f"| {family.lookback(timeframe)} |"
        )
        sections.append(section(family))
    head = HEAD.format(
        groups=", ".join(f"`{name}` = {' + '.join(members)}" for name, members in GROUPS.items()),
        n_columns=sum(len(family.columns()) for family in families),
        lookback=max(family.lookback(timeframe) for family in families),
    )
    return head + "\n".join(rows) + "\n\n" + "\n\n".join(sections) + "\n"


def section(family: Family | PanelFamily) -> str:
    """Return what one family is: its description, parameters and columns."""
    text = inspect.getdoc(type(family)) or ""
    text = text.split("\nAttributes\n")[0].split("\nParameters\n")[0].strip().replace("``", "`")
    options = parameters(family)
    lines = [f"## {family.name}", "", text, ""]
    if options:
        spelt = ", ".join(f"`{name} = {value}`" for name, value in options.items())
        lines += [f"Parameters: {spelt}.", ""]
    lines.append("Columns: " + ", ".join(f"`{column}`" for column in family.columns()) + ".")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
