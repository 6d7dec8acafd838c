"""What is said of files that come in: by the real reader, and about its refusals."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from onward.dashboard.views.data_import import PreviewView, outcome_view, preview_view, refusal
from onward.errors import DataError, OnwardError, StorageError, UserError
from onward.jobs.values import Job, JobRequest
from onward.server.uploads.inspection import inspect
from onward.server.uploads.staging import Staging

HEADER = "timestamp,open,high,low,close,volume\n"


def rows(n: int, prices: str = "1,2,0.5,1.5,3") -> str:
    return "".join(f"{1_577_836_800_000 + 3_600_000 * i},{prices}\n" for i in range(n))


def looked_at(
    path: Path, text: str | None = None, *, answered: bool = False, **given: str | None
) -> PreviewView:
    if text is not None:
        path.write_text(text)
    asked = {"symbol": None, "timeframe": None, "format": None, **given}
    _, read = inspect({}, {"path": str(path), "detail": "yes", **asked}, lambda *_: None)
    found = {"symbol": given.get("symbol"), "timeframe": given.get("timeframe")}
    return preview_view(read, upload="u", answered=answered, **found)


def test_a_file_says_what_it_holds(tmp_path: Path) -> None:
    view = looked_at(tmp_path / "BTC_USDT-1h.csv", HEADER + rows(5) + rows(1))
    assert (view.kind, view.names, view.timeframe, view.rows) == ("candles", ("BTC/USDT",), "1h", 5)
    assert view.columns == ("open", "high", "low", "close", "volume")
    assert (view.first, view.symbol) == (datetime(2020, 1, 1, tzinfo=UTC), "BTC/USDT")
    assert {one.name for one in view.repairs} == {"sorted", "duplicates"}
    assert not any(one.said for one in view.repairs), "each has a sentence of its own"
    assert not view.errors
    assert view.takes_symbol


def test_what_a_check_finds_is_told_before_anything_is_stored(tmp_path: Path) -> None:
    text = HEADER + rows(40, "1,1,1,1,0").replace("1577851200000,1,1,1,1,0\n", "")
    view = looked_at(tmp_path / "A_B-1h.csv", text)
    assert {one.name for one in view.findings} == {"gaps", "zero_volume", "stale"}
    assert {one.name: one.count for one in view.findings}["gaps"] == 1


@pytest.mark.parametrize(
    ("name", "n", "given", "errors"),
    [
        ("bars.csv", 5, {}, {"symbol": "symbol_missing"}),
        ("bars.csv", 1, {"symbol": "A/B"}, {"timeframe": "timeframe_missing"}),
        ("bars.csv", 5, {"symbol": "A/B", "timeframe": "fast"}, {"timeframe": "timeframe_wrong"}),
        ("bars.csv", 5, {"symbol": "A/B", "timeframe": "7h"}, {"timeframe": "timeframe_wrong"}),
        ("bars.csv", 5, {"symbol": "A" * 65}, {"symbol": "symbol_wrong"}),
        ("bars.csv", 5, {"symbol": "BTC USD !!"}, {"symbol": "symbol_wrong"}),
        ("bars.csv", 5, {"symbol": "A/B"}, {}),
    ],
)
def test_what_is_missing_or_wrong_stands_at_its_field(
    tmp_path: Path, name: str, n: int, given: dict[str, str], errors: dict[str, str]
) -> None:
    view = looked_at(tmp_path / name, HEADER + rows(n), answered=True, **given)
    assert (dict(view.errors), dict(view.asked)) == (errors, {})
    assert bool(view.details) == bool(errors)
    assert view.symbol == given.get("symbol", "")
    first = looked_at(tmp_path / name, **given)
    missing = {field: key for field, key in errors.items() if key.endswith("_missing")}
    assert dict(first.asked) == missing, "asked for first, and no error before somebody could answer"
    assert dict(first.errors) == {field: key for field, key in errors.items() if field not in missing}
    assert bool(first.details) == bool(first.errors)


def test_names_of_candles_that_are_waited_for_stand_where_the_file_says_none(tmp_path: Path) -> None:
    unnamed = looked_at(tmp_path / "bars.csv", HEADER + rows(5)).filled("ETH/USD", "4h")
    assert (unnamed.symbol, unnamed.given_timeframe, dict(unnamed.asked)) == ("ETH/USD", "1h", {})
    named = looked_at(tmp_path / "BTC_USDT-1h.csv", HEADER + rows(5)).filled("ETH/USD", "4h")
    assert (named.symbol, named.given_timeframe) == ("BTC/USDT", "1h"), "what it says counts"
    nobody_waits = looked_at(tmp_path / "bars.csv").filled("", "")
    assert dict(nobody_waits.asked) == {"symbol": "symbol_missing"}


def test_several_symbols_keep_their_names(tmp_path: Path) -> None:
    both = "symbol," + HEADER + "".join(f"{s},{line}\n" for s in ("A", "B") for line in rows(3).split())
    view = looked_at(tmp_path / "both.csv", both)
    assert (view.names, view.takes_symbol, dict(view.errors)) == (("A", "B"), False, {})
    assert looked_at(tmp_path / "both.csv", both, symbol="C").errors == {"symbol": "symbol_several"}


def test_each_finding_names_its_symbol(tmp_path: Path) -> None:
    lines = rows(40).splitlines()
    kept = {"A": lines[:9] + lines[10:], "B": lines[:20] + lines[24:]}
    text = "symbol," + HEADER + "".join(f"{symbol},{line}\n" for symbol in kept for line in kept[symbol])
    view = looked_at(tmp_path / "both.csv", text)
    assert {one.subject: one.count for one in view.findings if one.name == "gaps"} == {"A": 1, "B": 1}


def test_broken_bars_are_the_fault_of_the_file(tmp_path: Path) -> None:
    assert looked_at(tmp_path / "A_B-1h.csv", HEADER + rows(3, "1,0.4,0.5,1.5,3")).errors == {"file": "rules"}


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", HEADER.encode(), "empty"),
        ("a.txt", b"dear diary\nit rained\n", "unknown"),
        ("a.parquet", b"PAR1 and then nothing", "damaged"),
        ("a.csv.gz", b"\x1f\x8b\x08 broken", "damaged"),
        ("a.feather", b"ARROW1" + bytes(50), "damaged"),
    ],
)
def test_each_refusal_of_the_reader_has_its_words(
    tmp_path: Path, name: str, content: bytes, key: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OnwardError) as caught:
        looked_at(tmp_path / name)
    assert refusal(caught.value) == key


def test_a_file_that_was_cut_off_is_damaged(tmp_path: Path) -> None:
    pd.DataFrame({"timestamp": [1, 2], "open": [1.0, 2.0]}).to_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-20])
    with pytest.raises(OnwardError) as caught:
        looked_at(tmp_path / "cut.parquet")
    assert refusal(caught.value) == "damaged"


def test_limits_the_disk_and_the_form_have_words_as_well() -> None:
    assert refusal(DataError("the file takes longer to read than an upload may")) == "limits"
    assert refusal(StorageError("full")) == "disk"
    assert refusal(UserError("the form holds no file")) == "form"
    assert refusal(OnwardError("?")) == "other"


def test_what_came_of_an_import() -> None:
    none: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
    stored = {"kind": "candles", "symbol": "A/B", "added": 3, "unchanged": 1, "replaced": 0, "refused": 2}
    request = JobRequest("import", {"files": ["x"], "timeframe": "1h"})
    given = {"id": "j", "request": request, "state": "succeeded", "progress": {"fraction": 1.0}}
    ended = {
        "finished_at": datetime(2026, 1, 1, tzinfo=UTC),
        "result": {"stored": [stored | {"still_open": 0}]},
    }
    view = outcome_view(Job(**none | given | ended))
    assert not view.live
    assert view.stored[0].address == "/data/series?kind=candles&symbol=A%2FB&timeframe=1h"
    running = outcome_view(Job(**none | given | {"state": "running"}))
    assert (running.live, running.stored, running.fraction) == (True, (), 1.0)
    unsaid = JobRequest("import", {"files": ["x"], "timeframe": None})
    assert outcome_view(Job(**none | given | ended | {"request": unsaid})).stored[0].address == (
        "/data?search=A%2FB"
    )


def test_a_file_that_was_kept_is_found_by_its_content_alone(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    with staging.arriving(10) as arriving:
        arriving.open("a.csv").write(b"x")
        arriving.close()
        placed = staging.place(arriving)
    identity = staging.identity_of(placed)
    assert staging.find(identity) == placed
    staging.belongs(placed, "j")
    assert staging.find(identity) == placed, "beside the marks of its jobs"
    for wrong in ("", "0" * 40, "../" + identity, identity[:-1], identity.upper() + "\n"):
        assert staging.find(wrong) is None
