"""A typed client of the HTTP API: ``OnwardClient(url, api_key=...)``."""

from onward.client.client import OnwardClient
from onward.client.connection import ServerAwayError
from onward.client.values import (
    AliasChange,
    FileRead,
    ImportReply,
    ModelInfo,
    PlanCheck,
    PredictedBar,
    Predictions,
    SeriesRemoval,
    StoredSeries,
    VersionInfo,
)
from onward.jobs.remaining import TimeLeft, time_left
from onward.jobs.values import Job, JobEvent, Page, StopReply, Submission

__all__ = [
    "AliasChange",
    "FileRead",
    "ImportReply",
    "Job",
    "JobEvent",
    "ModelInfo",
    "OnwardClient",
    "Page",
    "PlanCheck",
    "PredictedBar",
    "Predictions",
    "SeriesRemoval",
    "ServerAwayError",
    "StopReply",
    "StoredSeries",
    "Submission",
    "TimeLeft",
    "VersionInfo",
    "time_left",
]
