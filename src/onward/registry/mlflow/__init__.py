"""A registry on the MLflow that a team already has; nothing of MLflow is imported before it is asked."""

from onward.registry.mlflow.connection import Connection
from onward.registry.mlflow.outbox import Outbox
from onward.registry.mlflow.registry import MlflowRegistry

__all__ = ["Connection", "MlflowRegistry", "Outbox"]
