"""Attempts on a Ray cluster, one detached actor each, which keeps its worker as this machine would."""

from onward.jobs.ray.backend import RayBackend

__all__ = ["RayBackend"]
