"""The sections by name. To add one: write its class in a file of its own and a line here."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from onward.config.base import Section, sealed, section
from onward.config.data import DataProcessingConfig
from onward.config.ensemble import EnsembleConfig
from onward.config.evaluation import EvaluationConfig
from onward.config.explain import explained
from onward.config.features import FeatureEngineeringConfig
from onward.config.jobs import JobConfig
from onward.config.labels import LabelConfig
from onward.config.model import ModelConfig
from onward.config.optimization import OptimizationConfig
from onward.config.prediction import PredictionConfig
from onward.config.registry import RegistryConfig
from onward.config.selection import SelectionConfig
from onward.config.server import ServerConfig
from onward.config.storage import StorageConfig
from onward.config.training import TrainingConfig
from onward.config.validation import ValidationConfig

__all__ = ["Composition", "PlanSections", "Sections"]


class Composition(BaseModel):
    """Sections composed under their names; built from given values and defaults alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            with sealed():  # the environment was read, at its own rank, by whoever hands values over
                super().__init__(**values)
        except ValidationError as error:
            raise explained(error, type(self).model_fields) from None

    @classmethod
    def sections(cls) -> dict[str, type[Section]]:
        """Return the section classes by name, in order."""
        found: dict[str, type[Section]] = {}
        for name, field in cls.model_fields.items():
            assert isinstance(field.annotation, type)
            assert issubclass(field.annotation, Section)
            found[name] = field.annotation
        return found


class PlanSections(Composition):
    """The machine-learning sections: those that make a training plan."""

    data: DataProcessingConfig = section(DataProcessingConfig)
    labels: LabelConfig = section(LabelConfig)
    features: FeatureEngineeringConfig = section(FeatureEngineeringConfig)
    selection: SelectionConfig = section(SelectionConfig)
    validation: ValidationConfig = section(ValidationConfig)
    model: ModelConfig = section(ModelConfig)
    ensemble: EnsembleConfig = section(EnsembleConfig)
    optimization: OptimizationConfig = section(OptimizationConfig)
    evaluation: EvaluationConfig = section(EvaluationConfig)
    training: TrainingConfig = section(TrainingConfig)


class Sections(PlanSections):
    """All sections: those of a plan, and those that say where and how things run."""

    jobs: JobConfig = section(JobConfig)
    prediction: PredictionConfig = section(PredictionConfig)
    registry: RegistryConfig = section(RegistryConfig)
    server: ServerConfig = section(ServerConfig)
    storage: StorageConfig = section(StorageConfig)
