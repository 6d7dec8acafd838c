"""What is held against a verdict that speaks for the model."""

from __future__ import annotations

from dataclasses import replace

from onward.evaluation.judgement import judge
from tests.unit.evaluation.scored_rows import scored


def test_nothing_is_held_against_a_model_that_is_said_to_know_nothing() -> None:
    assert judge(scored(seed=1)).cautions == ()


def test_a_naive_rule_that_does_as_well_is_named() -> None:
    skilled = scored(seed=1, skill=1.0)
    judgement = judge(replace(skilled, baselines={"mean_reversion": skilled.probability}))
    assert judgement.verdict.direction.level == "evidence of skill"
    (caution, *_) = judgement.cautions
    assert caution.startswith("The naive rule mean reversion ranks the direction as well as the model")


def test_probabilities_worse_than_base_rates_are_named() -> None:
    skilled = scored(seed=1, skill=1.0)
    sharpened = skilled.probability**8
    sharpened /= sharpened.sum(axis=1, keepdims=True)
    judgement = judge(replace(skilled, probability=sharpened))
    assert judgement.scores.pooled.log_loss_skill < 0
    assert "worse than the class frequencies" in judgement.cautions[-1]
