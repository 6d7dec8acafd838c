"""What a plan warns of before it runs."""

from __future__ import annotations

from onward.features.overview import FamilyInfo, Overview
from onward.server.views.plans import plan_warnings


def overview(**changes: object) -> Overview:
    usual: dict[str, object] = {
        "rows": 1000,
        "families": (FamilyInfo("manual", "returns"),),
        "features": (),
        "fits": (),
        "lookback_bars": 50,
        "seconds": 1.0,
        "n_unknown": 0,
        "matrix_bytes": 1000,
    }
    return Overview(**{**usual, **changes})  # type: ignore[arg-type]


def test_a_usual_plan_warns_of_nothing() -> None:
    assert plan_warnings(overview()) == []


def test_what_is_off_unknown_short_or_large_is_said() -> None:
    off = (FamilyInfo("manual", "sentiment", off="no series"), FamilyInfo("odd", "", off="no use"))
    said = plan_warnings(overview(families=off, n_unknown=3, rows=99, matrix_bytes=5 * 2**30))
    assert said == [
        "manual.sentiment is off: no series",
        "odd is off: no use",
        "nobody measured what 3 columns cost",
        "99 bars are few for features that look back 50 bars",
        "the features take 5.0 GiB of memory",
    ]
