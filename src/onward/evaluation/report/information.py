"""How predictions order the symbols of a panel, moment by moment."""

from __future__ import annotations

from onward.evaluation.information import InformationCoefficient
from onward.evaluation.report import words
from onward.evaluation.report.tables import Cell, Row, Table, records, table

__all__ = ["information_table"]

NAMES = {"ic": "Information coefficient", "rank_ic": "Rank IC"}


def information_table(found: InformationCoefficient | None) -> Table | None:
    """Return both coefficients and how sure they are; None for a single symbol."""
    if found is None:
        return None
    summary = found.summary.reset_index(names="figure")
    rows: list[Row] = [
        [
            NAMES[str(one["figure"])],
            Cell(words.signed(one["mean"], 4), "strong"),
            words.number(one["deviation"], 3),
            words.signed(one["icir"], 3),
            words.signed(one["t"], 2),
            words.percent(one["share_positive"], 0),
            words.count(one["n_moments"]),
            words.count(one["effective_n"]),
        ]
        for one in records(summary)
    ]
    headings = ("", "Mean", "Deviation", "Mean / deviation", "t", "Above 0", "Moments", "Independent ones")
    return table("Up minus down against the realised return, across symbols", headings, rows)
