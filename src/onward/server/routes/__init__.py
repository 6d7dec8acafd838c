"""Routes, one group a file."""

from onward.server.routes import (
    aliases,
    audit_log,
    data,
    events,
    features,
    health,
    jobs,
    models,
    plans,
    predictions,
    sessions,
    settings,
    submissions,
    uploads,
)

__all__ = ["ROUTERS"]

ROUTERS = (
    submissions.router,
    jobs.router,
    events.router,
    models.router,
    aliases.router,
    predictions.router,
    data.router,
    uploads.router,
    features.router,
    plans.router,
    settings.router,
    sessions.router,
    audit_log.router,
    health.router,
)
"""In the order of the documentation."""
