"""Who may do what: API keys, browser sessions, rate limits and the audit log."""

from onward.access.scopes import SCOPES, Scope, allows, check_scope
from onward.access.values import LOCAL, NOBODY, ApiKey, Caller, LoginSession

__all__ = [
    "LOCAL",
    "NOBODY",
    "SCOPES",
    "ApiKey",
    "Caller",
    "LoginSession",
    "Scope",
    "allows",
    "check_scope",
]
