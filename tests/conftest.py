"""Settings that every test shares."""

from __future__ import annotations

import os

from hypothesis import settings

# The same examples on every run: a build must not fail by the luck of the draw. `make nightly`
# draws new ones (HYPOTHESIS_PROFILE=default).
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
