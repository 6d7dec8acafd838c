"""The page on retraining does what it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from onward.errors import OnwardError
from onward.labels import ThresholdLabeler
from onward.splits import WalkForward
from onward.testing.markets import random_walk
from onward.training.assembly import make_splitter
from onward.training.plan import TrainingPlan

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "retrain-on-a-schedule.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_plan_of_the_page_is_the_schedule_it_tells_of() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    splitter = make_splitter(TrainingPlan(**tomllib.loads(text)))
    assert splitter == WalkForward(step="14d", window="90d", min_train_rows=2_000)


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONWARD_HOME", str(tmp_path))
    (text,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(text, PAGE.name, "exec"), names)
    schedule = names["result"].schedule
    assert schedule.sentence.startswith("4 retrains, each on 720 rows, ")
    columns = re.search(r"schedule\.frame\(\) +# (.*)", TEXT)
    assert columns is not None
    assert columns[1].split(", ") == list(schedule.frame().columns)


@pytest.mark.parametrize(
    ("row", "settings", "bars"),
    [
        (1, {"step": "2w"}, 120),
        (2, {"step": "1d", "window": "12h"}, 500),
        (3, {"step": "1d", "window": "90d"}, 80 * 24),
        (4, {"step": "14d", "window": "90d", "min_train_rows": 5_000}, 9_000),
        (5, {"step": "1s"}, 500),
        (6, {"method": "purged_kfold", "step": "1d"}, 500),
    ],
)
def test_what_the_page_says_is_refused_is_refused_in_these_words(
    row: int, settings: dict[str, Any], bars: int
) -> None:
    spans = ThresholdLabeler(window_bars=24).spans(random_walk(bars))
    with pytest.raises(OnwardError) as caught:
        make_splitter(TrainingPlan(validation={"method": "walk_forward", **settings})).folds(spans)
    answers = re.findall(r"^\| .* \| (.*?)(?: \(.*\))? \|$", TEXT, flags=re.MULTILINE)
    assert len(answers) == 7  # the heading is one of them
    assert caught.value.what.startswith(answers[row])
