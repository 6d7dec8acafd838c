"""Progress: bars with the time left in a terminal, lines elsewhere."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time

import pytest
from rich.console import Console

from onward.cli import progress as progress_module
from onward.cli.bars import BarProgress, bars_on
from onward.cli.pace import Pace
from onward.cli.progress import LineProgress, shown_progress
from onward.types import ProgressEvent

EVENTS = [
    ProgressEvent("features", 0.0, 0.5),
    ProgressEvent("features", 0.5, 0.5, "manual, 9 of 9 columns"),
    ProgressEvent("fold", 1, 5, "fold 1", {"AUC": 0.5312}),
    ProgressEvent("fold", 5, 5, "fold 5", {"AUC": 0.52}),
    ProgressEvent("search", 3, 0),
]


def at(done: float, total: float = 10.0) -> ProgressEvent:
    return ProgressEvent("features", done, total)


def test_the_time_left_is_the_work_left_at_the_average_pace() -> None:
    pace = Pace(at(0.0), 100.0)
    assert pace.left(101.0) is None
    pace.note(at(2.0), 104.0)
    assert pace.left(104.0) == 16.0
    assert pace.left(107.0) == 13.0  # it counts down between events
    pace.note(at(4.0), 105.0)
    assert pace.left(105.0) == 7.5
    assert pace.left(200.0) == 0.0
    assert pace.elapsed(105.0) == 5.0
    pace.note(at(10.0), 110.0)
    assert pace.left(110.0) == 0.0


def test_what_was_done_before_the_first_event_does_not_count_as_pace() -> None:
    pace = Pace(at(5.0), 0.0)
    assert pace.left(1.0) is None
    pace.note(at(6.0), 2.0)
    assert pace.left(2.0) == 8.0


def test_without_a_total_no_time_is_left() -> None:
    pace = Pace(at(0.0, 0.0), 0.0)
    pace.note(at(3.0, 0.0), 1.0)
    assert pace.left(1.0) is None


def test_one_line_a_stage_outside_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(plain=False) as progress:
        for event in EVENTS:
            progress(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert [line.split(" in ")[0] for line in lines] == [
        "features: 100%",
        "fold 1: AUC 0.5312",
        "fold 5: AUC 0.52",
        "fold: 5/5",
        "search: 3",
    ]
    assert lines[0].endswith("(manual, 9 of 9 columns)")
    assert lines[3].endswith("(fold 5)")


def test_trials_are_lines_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress()
    progress(ProgressEvent("search", 0, 20, "fold 1 of 5"))
    values = {"trial": 7, "inner sharpe": 0.51234, "best inner sharpe": 0.6}
    progress(ProgressEvent("search", 8, 20, "fold 1 of 5", values))
    progress(ProgressEvent("search", 9, 20, "fold 1 of 5, pruned", {"trial": 8}))
    assert capsys.readouterr().err.splitlines() == [
        "search fold 1 of 5: trial 7, inner sharpe 0.5123, best inner sharpe 0.6",
        "search fold 1 of 5, pruned: trial 8",
    ]


def test_the_line_comes_when_the_stage_ends(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress()
    progress(EVENTS[0])
    assert capsys.readouterr().err == ""
    progress(EVENTS[1])
    assert capsys.readouterr().err.startswith("features: 100% in 0.0 s")


def test_no_stage_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    LineProgress().close()
    assert capsys.readouterr().err == ""


def test_a_long_stage_says_now_and_then_how_long_it_will_take(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    progress = LineProgress()
    for second in range(41):
        now[0] = float(second)
        progress(ProgressEvent("features", second / 40 * 7.3, 7.3, f"tsfresh: {second}"))
    assert capsys.readouterr().err.splitlines() == [
        "features: 25%, 10 s so far, about 30 s left (tsfresh: 10)",
        "features: 50%, 20 s so far, about 20 s left (tsfresh: 20)",
        "features: 75%, 30 s so far, about 10 s left (tsfresh: 30)",
        "features: 100% in 40.0 s (tsfresh: 40)",
    ]


def test_bars_follow_the_events() -> None:
    screen = io.StringIO()
    bars = bars_on(Console(file=screen))
    progress = BarProgress(bars)
    for event in EVENTS:
        progress(event)
    assert [(t.description, t.completed, t.total) for t in bars.tasks] == [
        ("features", 0.5, 0.5),
        ("fold", 5, 5),
        ("search", 3, None),
    ]
    assert bars.tasks[1].fields["message"] == "fold 5 AUC 0.52"
    assert screen.getvalue().splitlines() == ["fold 1: AUC 0.5312", "fold 5: AUC 0.52"]


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


COMPUTING = """
import sys, time
import pandas as pd
from onward.cli.progress import shown_progress
from onward.features.cache import FeatureCache
from onward.features.description import FeatureInfo
from onward.features.manual import Alpha158Stage
from onward.features.pipeline import FeaturePipeline
from onward.testing.markets import random_walk

class Slow:
    scope, lookback = "symbol", 1

    def __init__(self, name, seconds):
        self.name, self.seconds = name, seconds

    def columns(self):
        return tuple(f"{self.name}__{number}" for number in range(10))

    def describe(self):
        return tuple(FeatureInfo(c, self.name, "", 1, self.seconds * 1e6) for c in self.columns())

    def compute(self, market):
        raise AssertionError

    def compute_into(self, market, out, done=None):
        for number, column in enumerate(self.columns()):
            time.sleep(self.seconds)
            out[:, number] = 0.0
            done(number + 1, column)

market = random_walk(400)
cache = FeatureCache(sys.argv[1])
alpha = Alpha158Stage(timeframe=pd.Timedelta("1h"))
FeaturePipeline([alpha], cache=cache).compute(market)
pipeline = FeaturePipeline([alpha, Slow("quick", 0.01), Slow("slow", 0.3)], cache=cache)
with shown_progress(plain=False) as progress:
    pipeline.compute(market, progress)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of POSIX")
def test_in_a_terminal_the_bar_shows_an_honest_time_left(tmp_path) -> None:
    shown, took = in_a_terminal([sys.executable, "-c", COMPUTING, str(tmp_path)])
    assert 3.0 < took < 30.0
    frames = re.findall(r"(\d+)%\s+(\d:\d\d:\d\d)\s+left\s+(-:--:--|\d:\d\d:\d\d)\s*([^\n]*)", shown)
    assert any("slow__4" in message for *_, message in frames)
    assert any(re.search(r"\d+ of 178 columns", message) for *_, message in frames)
    assert (frames[-1][0], frames[-1][2]) == ("100", "0:00:00")
    # 158 of 178 columns were cached and 10 more were quick: by columns, the end would seem near.
    early = [seconds(left) for share, _, left, _ in frames if 5 <= int(share) <= 40 and left != "-:--:--"]
    assert early
    assert 1 <= min(early) <= max(early) <= 8  # three seconds on a machine that is not overloaded


def seconds(text: str) -> int:
    hours, minutes, rest = map(int, text.split(":"))
    return 3_600 * hours + 60 * minutes + rest


def in_a_terminal(command: list[str], columns: int = 110) -> tuple[str, float]:
    """Run a command whose standard error is a pseudo-terminal; return what it showed, and how long."""
    import pty

    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    started = time.monotonic()
    with subprocess.Popen(command, stderr=slave, stdout=subprocess.PIPE, env=environment) as process:
        os.close(slave)
        parts = []
        while True:
            try:
                part = os.read(master, 65_536)
            except OSError:  # the other end was closed
                break
            if not part:
                break
            parts.append(part)
        took = time.monotonic() - started
    os.close(master)
    assert process.returncode == 0, b"".join(parts).decode()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(parts).decode()).replace("\r", "\n"), took
