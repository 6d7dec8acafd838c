"""Problem documents (RFC 9457)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FieldProblem", "Problem"]


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Where it stands: body.plan, query.limit ...")
    what: str
    got: str | None = None


class Problem(BaseModel):
    """What was wrong, what was got, what is allowed, and how to repair it (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:onward:problem:job-not-found",
                "title": "No job has this id.",
                "status": 404,
                "detail": "There is no such job; got '01k'. `GET /api/v1/jobs` shows them; ended ones are "
                "pruned after a while.",
                "instance": "/api/v1/jobs/01k",
                "what": "There is no such job",
                "got": "'01k'",
                "allowed": None,
                "remedy": "`GET /api/v1/jobs` shows them; ended ones are pruned after a while.",
                "setting": None,
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    what: str | None = None
    got: str | None = None
    allowed: str | None = None
    remedy: str | None = None
    setting: str | None = Field(
        None, description="Dotted name of the setting of a plan to change: validation.n_splits."
    )
    errors: list[FieldProblem] | None = None
