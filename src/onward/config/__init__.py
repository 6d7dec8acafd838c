"""The config classes of every section; no input or output happens here."""

from onward.config.automl import AutoFeatConfig, AutoMLConfig, FeaturetoolsConfig, TSFreshConfig
from onward.config.base import Section, sealed
from onward.config.data import DataProcessingConfig
from onward.config.ensemble import EnsembleConfig
from onward.config.evaluation import EvaluationConfig
from onward.config.features import FeatureEngineeringConfig, ManualFeaturesConfig
from onward.config.fracdiff import FracDiffConfig
from onward.config.jobs import JobConfig
from onward.config.labels import LabelConfig
from onward.config.model import ModelConfig
from onward.config.optimization import OptimizationConfig
from onward.config.prediction import PredictionConfig
from onward.config.registry import RegistryConfig
from onward.config.sections import PlanSections, Sections
from onward.config.selection import SelectionConfig
from onward.config.server import ServerConfig
from onward.config.storage import StorageConfig
from onward.config.training import TrainingConfig
from onward.config.validation import ValidationConfig

__all__ = [
    "AutoFeatConfig",
    "AutoMLConfig",
    "DataProcessingConfig",
    "EnsembleConfig",
    "EvaluationConfig",
    "FeatureEngineeringConfig",
    "FeaturetoolsConfig",
    "FracDiffConfig",
    "JobConfig",
    "LabelConfig",
    "ManualFeaturesConfig",
    "ModelConfig",
    "OptimizationConfig",
    "PlanSections",
    "PredictionConfig",
    "RegistryConfig",
    "Section",
    "Sections",
    "SelectionConfig",
    "ServerConfig",
    "StorageConfig",
    "TSFreshConfig",
    "TrainingConfig",
    "ValidationConfig",
    "sealed",
]
