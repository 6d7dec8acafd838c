"""Tables, JSON and progress."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress as RichProgress

from onward.cli.output import as_cell, plain, print_json, print_table
from onward.cli.progress import BarProgress, LineProgress, shown_progress
from onward.types import ProgressEvent


@dataclass(frozen=True)
class Thing:
    name: str
    value: float


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (np.float64(1.5), 1.5),
        (np.array([1.0, np.nan]), [1.0, None]),
        (Thing("a", float("nan")), {"name": "a", "value": None}),
        ({1: (1, 2)}, {"1": [1, 2]}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Path("x"), "x"),
        (True, True),
    ],
)
def test_everything_has_a_json_form(value: object, expected: object) -> None:
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": float("nan"), "text": "é"})
    assert json.loads(capsys.readouterr().out) == {"a": None, "text": "é"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (True, "yes"),
        (0.123456, "0.1235"),
        (1234567.0, "1,234,567"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02 03:04"),
        (("a", 1), "a, 1"),
        ({"a": 1.5}, "a=1.5"),
    ],
)
def test_cells(value: object, expected: str) -> None:
    assert as_cell(value) == expected


def test_a_table_shows_values_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "value"), [("[bold]not markup[/bold]", 1.5), ("x" * 150, None)])
    shown = capsys.readouterr().out
    assert "[bold]not markup[/bold]" in shown
    assert "x" * 150 in shown  # nothing is cut when it goes into a pipe


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name",), [], empty="Nothing here.")
    assert capsys.readouterr().out == "Nothing here.\n"


EVENTS = [
    ProgressEvent("features", 0, 2),
    ProgressEvent("features", 2, 2),
    ProgressEvent("fold", 1, 5, "fold 1", {"AUC": 0.5312}),
    ProgressEvent("fold", 5, 5, "fold 5", {"AUC": 0.52}),
    ProgressEvent("search", 3, 0),
]


def test_one_line_a_stage_outside_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(plain=False) as progress:
        for event in EVENTS:
            progress(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert [line.split(" in ")[0] for line in lines] == ["features: 2/2", "fold: 5/5", "search: 3"]
    assert "(fold 5 AUC 0.52)" in lines[1]


def test_the_line_comes_when_the_stage_ends(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress()
    progress(EVENTS[0])
    assert capsys.readouterr().err == ""
    progress(EVENTS[1])
    assert capsys.readouterr().err.startswith("features: 2/2")


def test_no_stage_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    LineProgress().close()
    assert capsys.readouterr().err == ""


def test_bars_follow_the_events() -> None:
    bars = RichProgress(console=Console(file=io.StringIO()))
    progress = BarProgress(bars)
    for event in EVENTS:
        progress(event)
    assert [(t.description, t.completed, t.total) for t in bars.tasks] == [
        ("features", 2, 2),
        ("fold", 5, 5),
        ("search", 3, None),
    ]
    assert bars.tasks[1].fields["message"] == "fold 5 AUC 0.52"


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", terminal)
    with shown_progress(plain=False) as progress:
        assert isinstance(progress, BarProgress)
        progress(EVENTS[1])
    assert "features" in terminal.getvalue()
    with shown_progress(plain=True) as progress:
        assert isinstance(progress, LineProgress)
