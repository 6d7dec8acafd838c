"""Plans of jobs: resolved at submit, read back in the worker as they were, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onward.errors import ConfigError, JobError, PlanError, UserError
from onward.settings import Settings, load_settings
from onward.tasks.markets import told_market
from onward.tasks.plans import frozen_plan, plan_of, resolved_plan, search_address, with_market
from onward.testing.markets import planted_signal
from onward.training.plan import PRESETS, TrainingPlan

ADDRESS = "postgresql+psycopg://me:secret@host/studies"


def settings(tmp_path: Path, **values: Any) -> Settings:
    overrides = {name.replace("__", "."): value for name, value in values.items()}
    return load_settings(home=tmp_path, cwd=tmp_path, environ={}, overrides=overrides).settings


class Context:
    """As much of a `TaskContext` as a plan needs."""

    def __init__(self, spec: dict[str, Any], of: Settings | None = None) -> None:
        self.spec = json.loads(json.dumps(spec))
        self._settings = of
        self.asked: list[str] = []

    def ask(self, question: str, **_: Any) -> Any:
        self.asked.append(question)
        assert self._settings is not None
        return {"answer": search_address(self._settings, question)}


@pytest.mark.parametrize("is_file", [False, True])
def test_a_plan_that_names_no_series_names_those_it_came_to(tmp_path: Path, is_file: bool) -> None:
    market = planted_signal(60)
    stored = str(tmp_path / "bars.csv") if is_file else None
    if stored is not None:
        Path(stored).touch()
    data = with_market(TrainingPlan(), market, {"data": stored}).data
    told = told_market(market)
    assert told == {"symbols": list(market.symbols), "timeframe": "1h"}
    named = (tuple(told["symbols"]), told["timeframe"])
    assert (data.symbols, data.timeframe) == ((None, None) if is_file else named), (
        "a file holds what it holds"
    )


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_plan_comes_back_as_it_was(preset: str) -> None:
    plan = TrainingPlan.preset(preset)
    back = plan_of(Context(frozen_plan(plan)))  # type: ignore[arg-type]
    assert back == plan
    assert back.content_hash == plan.content_hash


def test_requests_stand_over_the_settings_of_the_server(tmp_path: Path) -> None:
    own = settings(tmp_path, labels__horizon_bars=7, model__n_rounds=11)
    assert resolved_plan(own, None) == own.plan
    nested = resolved_plan(own, {"model": {"n_rounds": 5}})
    dotted = resolved_plan(own, {"model.n_rounds": 5})
    assert nested == dotted
    assert (nested.labels.horizon_bars, nested.model.n_rounds) == (7, 5)
    assert resolved_plan(own, "fast").validation.n_splits == 3
    whole = resolved_plan(settings(tmp_path), nested.model_dump(mode="json"))
    assert whole == nested


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ("quick", PlanError),
        ({"model": {"n_round": 5}}, ConfigError),
        ({"model.n_rounds": "many"}, ConfigError),
        ({"labels": {"mode": "adaptive", "window_bars": 2}}, PlanError),
        ({"jobs": {"concurrency": 3}}, ConfigError),
        ([1], PlanError),
    ],
)
def test_a_plan_that_is_none_is_refused(tmp_path: Path, asked: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        resolved_plan(settings(tmp_path), asked)


def test_the_address_of_a_search_is_asked_for_and_never_written_down(tmp_path: Path) -> None:
    own = settings(tmp_path, optimization__storage_url=ADDRESS)
    for asked in (None, own.plan.model_dump(mode="json")):
        spec = frozen_plan(resolved_plan(own, asked))
        assert "secret" not in json.dumps(spec)
        context = Context(spec, own)
        plan = plan_of(context)  # type: ignore[arg-type]
        assert plan.optimization.storage_url is not None
        assert plan.optimization.storage_url.get_secret_value() == ADDRESS
        assert context.asked == ["search.address"]
    with pytest.raises(JobError, match="does not know"):
        plan_of(Context(spec, settings(tmp_path)))  # type: ignore[arg-type]
    with pytest.raises(PlanError, match="clear"):
        resolved_plan(own, {"optimization": {"storage_url": "sqlite:///other.db"}})


def test_a_request_that_another_version_reads_otherwise_is_refused() -> None:
    spec = frozen_plan(TrainingPlan())
    spec["plan_hash"] = "0" * 64
    with pytest.raises(JobError, match="another plan"):
        plan_of(Context(spec))  # type: ignore[arg-type]


def test_a_preset_within_a_plan_says_how_presets_are_written() -> None:
    with pytest.raises(PlanError, match="a preset is no setting") as refused:
        resolved_plan(Settings(), {"preset": "fast"})
    assert '"plan": "fast"' in str(refused.value.remedy)
    with pytest.raises(UserError, match=r"from the values given"):
        resolved_plan(Settings(), {"presets": "fast"})
