"""Routes, one group a file."""

from onward.server.routes import (
    aliases,
    data,
    events,
    features,
    health,
    jobs,
    models,
    plans,
    predictions,
    settings,
    submissions,
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
    features.router,
    plans.router,
    settings.router,
    health.router,
)
"""In the order of the documentation."""
