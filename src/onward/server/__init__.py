"""The HTTP API: `create_app` puts services behind routes, `onward serve` runs them."""

from onward.server.app import create_app
from onward.server.services import ServerServices

__all__ = ["ServerServices", "create_app"]
