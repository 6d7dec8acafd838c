"""Settings of validation and evaluation that a plan changes and its methods have no use for.

Those of another method that contradict the chosen one are refused by the plan itself. These are told:
a preset, the environment or a search over methods may bring them in without anybody's error.
"""

from __future__ import annotations

from onward.training.plan import PRESETS, TrainingPlan

__all__ = ["idle_settings"]


def idle_settings(plan: TrainingPlan) -> tuple[str, ...]:
    """Return sentences about settings that were changed and count for nothing."""
    validation, sentences = plan.validation, []
    by_step = validation.method == "walk_forward" and validation.step is not None
    if (validation.method == "combinatorial" or by_step) and validation.n_splits not in _usual_splits(plan):
        who = f"validation.step = {validation.step}" if by_step else "validation.method = combinatorial"
        how = "step" if by_step else "n_groups and n_test_groups"
        sentences.append(
            f"{who} has no use for validation.n_splits, which the plan sets: the number of folds follows "
            f"from validation.{how.replace(' and ', ' and validation.')}."
        )
    searched = any(name.startswith("labels.") for name in plan.optimization.space)
    if plan.evaluation.act_above is not None and plan.labels.method != "meta" and not searched:
        sentences.append(
            f"labels.method = {plan.labels.method} has no use for evaluation.act_above, which the plan sets: "
            "only meta-labels are verdicts that a threshold can act on."
        )
    return tuple(sentences)


def _usual_splits(plan: TrainingPlan) -> set[object]:
    """Return the numbers of folds that nobody has to have asked for: the default's and the presets'."""
    field = type(plan.validation).model_fields["n_splits"]
    return {field.default, *(values.get("validation.n_splits") for values in PRESETS.values())}
