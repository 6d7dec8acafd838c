"""Tables of docs/results.md from the figures of a pass; run as a module it makes them anew."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks._process import ROOT
from benchmarks._results_lines import LINES, MARKETS, VARIANTS, Material
from benchmarks._results_picture import picture

__all__ = ["BEGIN", "END", "FOUND", "PAGE", "PICTURE", "generated", "write_page"]

PAGE = ROOT / "docs" / "results.md"
PICTURE = ROOT / "docs" / "images" / "results-equity.svg"
FOUND = ROOT / "build" / "results.json"
"""Figures of the last whole pass: ``python -m benchmarks._results_page`` makes the page anew from them."""

BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"

Found = Mapping[str, Any]
SHORT = {"evidence of skill": "**evidence**", "weak evidence": "weak", "no evidence of skill": "none"}


def write_page(told: Found) -> None:
    """Replace what stands between the marks of the page, and draw its picture.

    Raises
    ------
    ValueError
        When the page does not hold both marks, in order.
    """
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} must hold {BEGIN} and, after it, {END}")
    PAGE.write_text(f"{before}{begin}\n\n{generated(told)}\n\n{end}{after}", encoding="utf-8")
    PICTURE.write_text(picture(told["lines"]), encoding="utf-8")


def generated(told: Found) -> str:
    """Return everything that is made from figures, as Markdown."""
    parts = [_section(material, told["lines"]) for material in MARKETS]
    return "\n\n".join([*parts, _commands(), _circumstances(told)])


def _section(material: Material, lines: Found) -> str:
    ran = {v.name: lines[f"{material.name}-{v.name}"] for v in VARIANTS}
    done = {name: one for name, one in ran.items() if "failed" not in one}
    lost = [f"`{name}` failed: {one['failed']}" for name, one in ran.items() if "failed" in one]
    if not done:
        return "\n\n".join([f"### {material.title}", *lost])
    some = next(iter(done.values()))
    pooled = some["scores"]["pooled"]
    about = (
        f"{some['bars']:,} bars from {some['first'][:10]} to {some['last'][:10]}, {some['columns']} columns; "
        f"{pooled['n']:,} decisions from {some['scored_from'][:10]} on are scored, worth about "
        f"{some['verdict']['direction']['band']['independent']:.0f} independent shifts of the null band."
    )
    parts = [f"### {material.title}", about, _verdicts(done), _backtests(done)]
    extra = [_information(done), _blocks(done), _searched(done.get("tuned")), _warnings(done), *lost]
    return "\n\n".join([*parts, *filter(None, extra)])


def _verdicts(done: Mapping[str, Found]) -> str:
    judged = ("p", "as one of 4")
    heads: Sequence[str] = ("", "looks", "up/down AUC", *judged, "direction", "range AUC", *judged, "range")
    heads = (*heads, "log-loss skill", "leak audit", "CPU", "clock")
    rows: list[Sequence[str]] = []
    for name, one in done.items():
        direction, in_range = one["verdict"]["direction"], one["verdict"]["range"]
        rows.append(
            (
                name,
                str(direction["n_looked_at"]),
                *_judged(direction),
                *_judged(in_range),
                f"{one['scores']['pooled']['log_loss_skill']:+.4f}",
                one["certificate"]["status"].replace("_", " "),
                f"{one['cpu_seconds']:.0f} s",
                f"{one['seconds']:.0f} s",
            )
        )
    some = next(iter(done.values()))
    rules = {"class frequencies": some["class_frequencies"], **some["scores"]["baselines"]}
    for rule, score in rules.items():
        auc = (f"{score['direction_auc']:.3f}", f"{score['range_auc']:.3f}")
        skill = f"{score['log_loss_skill']:+.4f}"
        rows.append(
            (f"rule: {rule.replace('_', ' ')}", "", auc[0], "", "", "", auc[1], "", "", "", skill, "", "", "")
        )
    return _table(heads, rows)


def _judged(verdict: Found) -> tuple[str, str, str, str]:
    """AUC, corrected p as the run gave it, p for the best of all variants, and the level."""
    best = -math.expm1(len(VARIANTS) * math.log1p(-min(verdict["p"], 1 - 1e-12)))
    return f"{verdict['auc']:.3f}", _p(verdict["corrected_p"]), _p(best), SHORT[verdict["level"]]


def _backtests(done: Mapping[str, Found]) -> str:
    heads = (
        "after costs",
        "total",
        "before costs",
        "a year",
        "Sharpe",
        "deepest fall",
        "in the market",
        "turnover a year",
        "round trips",
    )
    rows: list[Sequence[str]] = []
    for name, one in done.items():
        curves = one["equity"]
        rows.append(_earned(name, curves["Model"], _percent(curves["Model before costs"]["total_return"])))
    for name, figures in next(iter(done.values()))["equity"].items():
        if not name.startswith("Model"):
            rows.append(_earned(name.lower(), figures, ""))
    return _table(heads, rows)


def _earned(name: str, figures: Found, before: str) -> tuple[str, ...]:
    return (
        name,
        _percent(figures["total_return"]),
        before,
        _percent(figures["cagr"]),
        "-" if math.isnan(figures["sharpe"]) else f"{figures['sharpe']:+.2f}",
        _percent(figures["max_drawdown"]),
        f"{100 * figures['time_invested']:.0f} %",
        f"{figures['turnover']:.0f} x",
        f"{figures['n_trades']:,.0f}",
    )


def _blocks(done: Mapping[str, Found]) -> str:
    rows: list[Sequence[str]] = []
    for name, one in done.items():
        folds = one["scores"]["folds"].values()
        rows += [
            (f"{name}, {said}", *(f"{fold[kind]:.3f}" for fold in folds))
            for said, kind in (("up/down", "direction_auc"), ("range", "range_auc"))
        ]
    return _table(("AUC by block", *(f"{number + 1}" for number in range(len(rows[0]) - 1))), rows)


def _warnings(done: Mapping[str, Found]) -> str:
    """Return what the runs themselves warn of, as a list."""
    said: dict[str, list[str]] = {}
    for name, one in done.items():
        for warning in one["warnings"]:
            said.setdefault(warning, []).append(f"`{name}`")
    lines = [f"- {', '.join(names)}: {warning}" for warning, names in said.items()]
    return "\n".join(["What the runs warn of:", "", *lines]) if lines else ""


def _information(done: Mapping[str, Found]) -> str:
    rows = [
        (
            name,
            *(f"{one['information'][kind]['mean']:+.4f}" for kind in ("ic", "rank_ic")),
            *(f"{one['information']['ic'][t]:+.2f}" for t in ("t", "t_newey_west")),
            f"{one['information']['ic']['n_moments']:,.0f}",
            f"{one['information']['ic']['effective_n']:,.0f}",
        )
        for name, one in done.items()
        if one["information"] is not None
    ]
    return (
        _table(("across symbols", "IC", "rank IC", "t", "t (Newey-West)", "moments", "independent"), rows)
        if rows
        else ""
    )


def _searched(one: Found | None) -> str:
    if one is None or one["search"] is None:
        return ""
    found, statistics = one["search"], one["search"]["statistics"]
    inner, outer = (sum(found[side]) / len(found[side]) for side in ("inner", "outer"))
    text = (
        f"Tuned: {found['n_trials']} trials in {len(found['inner']) + 1} searches, {found['pruned']} of them "
        f"stopped early. The chosen trials' log-loss skill was {inner:+.4f} on the inner folds that chose "
        f"them and {outer:+.4f} on the outer rows that they had not seen (means of {len(found['inner'])})."
    )
    if statistics is not None:
        text += (
            f" Of the last search: Sharpe ratio {statistics['sharpe']:.2f} a year on inner predictions, "
            "where the best of so many without skill would show "
            f"{statistics['expected_maximum_per_year']:.2f}; deflated Sharpe ratio "
            f"{statistics['deflated_sharpe']:.2f}; probability of backtest overfitting "
            f"{statistics['overfitting']:.2f}."
        )
    return text


def _circumstances(told: Found) -> str:
    costs = [one for one in told["lines"].values() if "failed" not in one]
    minutes = {kind: sum(one[kind] for one in costs) / 60 for kind in ("cpu_seconds", "seconds")}
    peak = max((one["peak_gb"] for one in costs), default=0.0)
    return (
        f"Measured on {told['date']} with {told['machine']}: {minutes['cpu_seconds']:.0f} minutes of "
        f"processor time, {minutes['seconds']:.0f} by the clock, at most {peak:.1f} GB; "
        f"load average {told['load']}."
    )


def _commands() -> str:
    prepared = [m for m in MARKETS if m.prepared]
    first = [f"python -m benchmarks._results_data {m.prepared}    # splits, point in time" for m in prepared]
    shown = "\n".join(["export ONWARD_HOME=$(mktemp -d)", *first, *(line.shown for line in LINES)])
    return f"### The commands\n\n```console\n{shown}\n```"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _p(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:+,.0f} %" if abs(share) >= 0.1 else f"{100 * share:+.1f} %"


if __name__ == "__main__":
    write_page(json.loads(FOUND.read_text(encoding="utf-8")))
