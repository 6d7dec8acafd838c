"""The promise of the product: no skill where there is none, skill where it was planted.

Seeds 0, 1, 2, ... were fixed before anything was run. The bands are those that honest pipelines
reached elsewhere on the same kinds of market.
"""

from __future__ import annotations

import pandas as pd
import pytest

from tests.acceptance.trainings import count, train, train_many

EVIDENCE = "evidence of skill"
WEAK = "weak evidence"


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 12))]
)
def test_a_random_walk_shows_no_evidence(seed: int) -> None:
    outcome = train("nothing to find", "purged_kfold", seed)
    assert outcome["direction"] != EVIDENCE
    assert outcome["range"] != EVIDENCE


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_signal_is_found(seed: int) -> None:
    outcome = train("planted signal", "purged_kfold", seed)
    assert outcome["direction"] in (EVIDENCE, WEAK)
    assert outcome["auc"] > 0.6
    assert outcome["log_loss_skill"] > 0.0


@pytest.mark.acceptance
def test_a_hundred_random_walks() -> None:
    outcomes = train_many("nothing to find", "purged_kfold", range(100))
    _show("100 random walks, purged k-fold", outcomes)
    assert count(outcomes["direction"], EVIDENCE) <= 3
    assert count(outcomes["range"], EVIDENCE) <= 3
    first = outcomes.head(20)
    assert 0.46 <= first["auc"].mean() <= 0.53
    assert -0.06 <= first["accuracy_above_majority"].mean() <= 0.01
    assert first["log_loss_skill"].mean() <= 0.005


@pytest.mark.acceptance
def test_twenty_planted_signals() -> None:
    outcomes = train_many("planted signal", "purged_kfold", range(20))
    _show("20 planted signals, purged k-fold", outcomes)
    assert count(outcomes["direction"], EVIDENCE) >= 16
    assert count(outcomes["direction"], EVIDENCE, WEAK) >= 18
    assert 0.60 <= outcomes["auc"].mean() <= 0.75
    assert 0.01 <= outcomes["accuracy_above_majority"].mean() <= 0.10
    assert outcomes["log_loss_skill"].mean() > 0.0


@pytest.mark.acceptance
def test_walk_forward_on_random_walks() -> None:
    outcomes = train_many("nothing to find", "walk_forward", range(60))
    _show("60 random walks, walk-forward", outcomes)
    assert count(outcomes["direction"], EVIDENCE) <= 2
    assert count(outcomes["range"], EVIDENCE) <= 2
    assert 0.46 <= outcomes["auc"].mean() <= 0.53


@pytest.mark.acceptance
def test_walk_forward_finds_the_planted_signal() -> None:
    outcomes = train_many("planted signal", "walk_forward", range(20))
    _show("20 planted signals, walk-forward (power reached)", outcomes)
    assert count(outcomes["direction"], EVIDENCE, WEAK) >= 12
    assert outcomes["auc"].mean() > 0.6


def _show(title: str, outcomes: pd.DataFrame) -> None:
    print(f"\n{title}")
    for name in ("direction", "range"):
        levels = outcomes[name]
        print(f"  {name}: {count(levels, EVIDENCE)} evidence, {count(levels, WEAK)} weak evidence")
        shares = outcomes[f"{name}_p"].quantile([0.1, 0.25, 0.5, 0.75, 0.9]).round(3)
        print(f"  {name} p, deciles 1, 2.5, 5, 7.5, 9: {', '.join(map(str, shares))}")
    means = outcomes[["auc", "accuracy_above_majority", "log_loss_skill"]].mean().round(4)
    print("  means:", ", ".join(f"{name} {value:+.4f}" for name, value in means.items()))
