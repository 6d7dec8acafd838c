"""What results of jobs say, whatever kind of job wrote them."""

from __future__ import annotations

from collections.abc import Mapping

from onward.jobs.values import Job

__all__ = ["audit_failed"]


def audit_failed(job: Job) -> bool:
    """Return whether a job came to its end and what it made, or looked at, looks ahead.

    A job that trains tells of its certificate, a job that audits whether it ``passed``.
    """
    if job.state != "succeeded" or job.result is None:
        return False
    certificate = job.result.get("certificate")
    status = certificate.get("status") if isinstance(certificate, Mapping) else None
    return status == "failed" or job.result.get("passed") is False
