"""What a call asks of a server's plan, by dotted name."""

from __future__ import annotations

import pytest

from onward.cli.remote.plans import asked_plan
from onward.errors import UserError


def test_dots_in_a_key_are_no_levels(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('[optimization.space]\n"model.num_leaves" = { low = 2, high = 8 }\n', encoding="utf-8")
    assert asked_plan(str(plan), None, ["model.n_rounds=5"]) == {
        'optimization.space."model.num_leaves".low': 2,
        'optimization.space."model.num_leaves".high': 8,
        "model.n_rounds": 5,
    }


def test_what_is_no_part_of_a_plan_is_the_servers():
    with pytest.raises(UserError, match="settings are its own"):
        asked_plan(None, "fast", ["jobs.concurrency=2"])
