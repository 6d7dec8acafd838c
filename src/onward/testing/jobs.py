"""The contract of job stores, for Onward's own and for those that others write.

::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_store(check):
        check(MyStore(...))            # empty, and of this test alone

or, without pytest, ``check_job_store(lambda: MyStore(...))``.
"""

from __future__ import annotations

from collections.abc import Callable

from onward.jobs.protocol import JobStore
from onward.testing.job_store import claiming, looking, losing, owning, submitting

__all__ = ["CHECKS", "Check", "check_job_store"]

Check = Callable[[JobStore], None]

CHECKS: tuple[Check, ...] = (
    *submitting.CHECKS,
    *claiming.CHECKS,
    *owning.CHECKS,
    *losing.CHECKS,
    *looking.CHECKS,
)
"""What every store promises, one function a promise; each wants an empty store."""


def check_job_store(make_store: Callable[[], JobStore]) -> None:
    """Run the whole contract; ``make_store`` gives a new, empty store each time.

    Raises
    ------
    AssertionError
        When a promise of `JobStore` is broken.
    """
    for check in CHECKS:
        check(make_store())
