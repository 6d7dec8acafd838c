"""The plan of a run: its machine-learning settings, frozen, with a content hash."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from onward.config.layers import Layer, Origin, field_paths, flattened, resolve
from onward.config.sections import PlanSections
from onward.config.toml import to_toml
from onward.config.validation_combinatorial import check_combinatorial
from onward.config.validation_walk_forward import check_walk_forward
from onward.errors import PlanError, nearest

__all__ = ["PRESETS", "TrainingPlan"]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "fast": {
        "features.stages": ["manual"],
        "validation.n_splits": 3,
        "model.n_rounds": 50,
        "selection.n_shifts": 50,
        "evaluation.n_shifts": 200,
    },
    "financial": {"features.stages": ["manual", "alpha158", "tsfresh", "featuretools", "autofeat"]},
}
"""What each preset changes about the defaults, by dotted name."""


class TrainingPlan(PlanSections):
    """The machine-learning settings of a run, frozen.

    ``TrainingPlan()`` is the defaults and nothing else: neither files nor the environment are
    read, so the same code gives the same plan on every machine. Sections may be given as
    objects or as dictionaries: ``TrainingPlan(model={"learning_rate": 0.03})``. The plan that
    files, environment and command line add up to is ``onward.settings.load_settings().plan``.

    Raises
    ------
    ConfigError
        If a name does not exist or a value is not allowed.
    PlanError
        If the sections contradict each other.
    """

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a plan file (TOML) over the defaults; the environment is not read."""
        values = read_plan_file(Path(path))
        plan, _ = resolve(cls, [Layer.of(values, Origin("plan", str(path)))])
        return plan

    @classmethod
    def preset(cls, name: str) -> Self:
        """Return one of the prepared plans: ``fast``, ``default`` or ``financial``."""
        plan, _ = resolve(cls, [Layer.of(preset_values(name), Origin("preset", name))])
        return plan

    def with_overrides(self, overrides: Mapping[str, Any]) -> Self:
        """Return a plan with other values, given by dotted name (``{"model.learning_rate": 0.03}``)."""
        own = Layer.of(flattened(self.model_dump()), Origin("plan"))
        plan, _ = resolve(type(self), [own, Layer.of(overrides, Origin("the values given"))])
        return plan

    @property
    def content_hash(self) -> str:
        """SHA-256 of the resolved values, the same in every process and on every machine.

        Values are hashed, not the way they were written: a plan that spells out a default equals
        one that leaves it out, and keeps its hash when the default changes in a later version.
        Left out are the number of threads, which changes how fast and not what, and the section
        ``data``: which bars it came to is said by the hash of the market (`Market.content_hash`), so
        that a run is the same configuration whether its timeframe was given or that of the data.
        """
        ignored = {p for p, field in field_paths(type(self)).items() if _changes_nothing(field)}
        values = {k: v for k, v in flattened(self.model_dump(mode="json")).items() if k not in ignored}
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(f"plan-v2|{canonical}".encode()).hexdigest()

    @property
    def label_family(self) -> str:
        """The question that is asked of the data, as text: the method of the labels.

        The trial counter counts the configurations whose scores were looked at on the same data
        with the same family. Another horizon or threshold is another try at the same question
        (does this history tell what comes next?), so both are left out: who tries ten horizons
        has looked ten times.
        """
        return self.labels.method

    def to_toml(self) -> str:
        """Return the plan as a plan file that spells out every value."""
        return to_toml(self.model_dump(mode="json"))

    @model_validator(mode="after")
    def _check(self) -> Self:
        labels = self.labels
        if labels.mode == "adaptive" and labels.window_bars <= labels.horizon_bars:
            raise PlanError(
                "an adaptive threshold needs a window longer than the horizon: of the newest "
                "horizon_bars returns none is known yet",
                got=f"labels.window_bars = {labels.window_bars}",
                allowed=f"more than labels.horizon_bars = {labels.horizon_bars}",
                remedy=f"Set labels.window_bars to {10 * labels.horizon_bars}, or shorten the horizon.",
                settings=("labels.window_bars", "labels.horizon_bars"),
            )
        check_walk_forward(self.validation)
        check_combinatorial(self.validation)
        return self


def preset_values(name: str) -> Mapping[str, Any]:
    """Return what a preset changes about the defaults, by dotted name."""
    if name not in PRESETS:
        close = nearest(name, PRESETS)
        raise PlanError(
            "there is no such preset",
            got=name,
            allowed=", ".join(PRESETS),
            remedy=f"Did you mean {close}?" if close else "Use one of these.",
        )
    return PRESETS[name]


def read_plan_file(path: Path) -> dict[str, Any]:
    """Return the values of a plan file by dotted name, unchecked."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before it
    except OSError as error:
        raise PlanError(
            "the plan file cannot be read",
            got=f"{path} ({error.strerror})",
            allowed="a readable TOML file, or a preset: " + ", ".join(PRESETS),
            remedy="Check the path.",
        ) from error
    except UnicodeDecodeError as error:
        raise PlanError(
            "the plan file is not text",
            got=str(path),
            allowed="TOML in UTF-8",
            remedy="Save it as UTF-8 text.",
        ) from error
    try:
        return flattened(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError(
            "the plan file is not valid TOML",
            got=f"{path}: {error}",
            allowed='[section] headings and key = value lines, text in "quotes"',
            remedy="Repair that line.",
        ) from error


def _changes_nothing(field: Any) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra.get("identity") is False
