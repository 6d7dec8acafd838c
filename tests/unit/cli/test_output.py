"""Tables, JSON and how figures are written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from onward.cli.output import as_cell, plain, print_json, print_table
from onward.cli.texts import duration, size


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


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0 s"),
        (0.0002, "1 ms"),
        (0.0734, "73 ms"),
        (0.2712, "270 ms"),
        (0.97, "0.97 s"),
        (12.34, "12 s"),
        (59.7, "1 min"),
        (130.2, "2 min 10 s"),
        (3_600.0, "1 h"),
        (7_500.0, "2 h 5 min"),
    ],
)
def test_durations_have_two_digits(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("n_bytes", "expected"),
    [(0, "0 bytes"), (999, "999 bytes"), (17_777_000, "17.8 MB"), (999_600, "1 MB"), (2.5e12, "2,500.0 GB")],
)
def test_sizes_are_decimal(n_bytes: float, expected: str) -> None:
    assert size(n_bytes) == expected
