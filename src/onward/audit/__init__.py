"""Proof, on real data, that nothing sees the future: stages, plain functions, whole pipelines."""

from onward.audit.adapters import FunctionStage, as_stage, sources_of
from onward.audit.features import audit_function, audit_stage
from onward.audit.frozen import FrozenLabeler
from onward.audit.pipeline import audit_pipeline
from onward.audit.questions import Question, audit_questions
from onward.audit.redrawn import RedrawnLabeler
from onward.audit.report import AuditReport, CheckRun
from onward.audit.resolve import load_stage
from onward.audit.training import audit_training
from onward.audit.world import PipelineRun, PipelineWorld

__all__ = [
    "AuditReport",
    "CheckRun",
    "FrozenLabeler",
    "FunctionStage",
    "PipelineRun",
    "PipelineWorld",
    "Question",
    "RedrawnLabeler",
    "as_stage",
    "audit_function",
    "audit_pipeline",
    "audit_questions",
    "audit_stage",
    "audit_training",
    "load_stage",
    "sources_of",
]
