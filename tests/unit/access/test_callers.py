"""Who the history of an alias names: whom a request names, and whose key it was."""

from __future__ import annotations

import pytest

from onward.access.values import LOCAL, Caller

KEY = Caller("key", id="k1", name="nightly", scope="admin")


@pytest.mark.parametrize(
    ("caller", "told", "named"),
    [
        (KEY, "", "nightly"),
        (KEY, "nightly", "nightly"),
        (KEY, "mira", "mira (nightly)"),
        (LOCAL, "mira", "mira"),
        (LOCAL, "", ""),
    ],
)
def test_nobody_acts_in_the_name_of_another(caller: Caller, told: str, named: str) -> None:
    assert caller.acting_as(told) == named
