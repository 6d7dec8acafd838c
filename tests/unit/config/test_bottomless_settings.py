"""Settings nested deeper than Python reads are refused like any other text that is not valid."""

import pytest

from onward.config.text import scalar
from onward.errors import ConfigError, PlanError
from onward.settings import load_settings
from onward.training.plan import TrainingPlan

DEEP = ["a = " + "[" * 50_000, "[a" + ".a" * 5_000 + "]\n"]


@pytest.mark.parametrize("text", DEEP)
def test_plan_and_settings_file(tmp_path, text):
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    with pytest.raises(PlanError):
        TrainingPlan.from_file(plan)
    with pytest.raises(ConfigError):
        load_settings(home=tmp_path, environ={}, plan_file=plan)


def test_override():
    with pytest.raises(ConfigError, match="JSON"):
        load_settings(environ={}, overrides=["data.symbols=" + "[" * 100_000])
    assert scalar("[" * 100_000).startswith("[[")
