"""What is held against a verdict that speaks for the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onward.evaluation.judgement import judge
from onward.evaluation.null import null_band
from onward.evaluation.oof import OutOfFold
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


def drifting(n: int = 2_000, *, skill: float = 0.0, seed: int = 0) -> OutOfFold:
    """Five scored blocks in which the range class goes from 45 % to 25 %, as the training rows know."""
    rng = np.random.default_rng(seed)
    oof = scored(n, seed=seed, mutual=0.0)
    fold = np.minimum(np.arange(n) * 5 // n, 4)
    share = np.linspace(0.45, 0.25, 5)
    y = np.where(rng.random(n) < share[fold], 0, rng.choice([-1, 1], n))
    seen = np.concatenate(([0.46], share[:-1]))[fold]  # what the block before held
    prior = np.column_stack(((1 - seen) / 2, seen, (1 - seen) / 2))
    likely = np.clip(seen + skill * ((y == 0) - seen) + 0.01 * rng.normal(size=n), 0.01, 0.98)
    probability = np.column_stack(((1 - likely) / 2, likely, (1 - likely) / 2))
    return replace(oof, y=y, fold=fold, prior=prior, probability=probability)


def test_a_model_that_only_follows_the_drift_of_the_classes_has_no_skill() -> None:
    """Shifted outcomes break that link too, so the band alone half believes it."""
    oof = drifting()
    said = judge(oof).verdict.range
    assert null_band(oof).range.p < 0.1
    assert said.p > 0.3
    assert said.level == "no evidence of skill"
    assert said.base_auc > 0.53
    assert "class frequencies of the training rows alone reach" in said.sentence
    assert said.to_dict()["base_auc"] == said.base_auc


def test_skill_beyond_the_drift_of_the_classes_is_found() -> None:
    assert judge(drifting(skill=0.02)).verdict.range.level == "evidence of skill"
