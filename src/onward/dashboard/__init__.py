"""Pages over the same services as the HTTP API: see the data, train, watch, judge, promote."""

from onward.dashboard.services import SiteServices
from onward.dashboard.site import create_site

__all__ = ["SiteServices", "create_site"]
