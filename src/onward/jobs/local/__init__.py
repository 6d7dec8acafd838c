"""Attempts in processes of this machine, ended for certain whatever they start or become."""

from onward.jobs.local.backend import LocalBackend

__all__ = ["LocalBackend"]
