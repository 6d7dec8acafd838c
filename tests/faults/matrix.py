"""The fault matrix as a whole."""

from __future__ import annotations

import importlib.util

from tests.faults.row import Row
from tests.faults.rows import ROWS
from tests.faults.rows_clients import ROWS as CLIENT_ROWS
from tests.faults.rows_system import ROWS as SYSTEM_ROWS

__all__ = ["MATRIX"]


def _ray_rows() -> tuple[Row, ...]:
    if importlib.util.find_spec("ray") is None or importlib.util.find_spec("tests.faults.ray_rows") is None:
        return ()
    from tests.faults import ray_rows

    return tuple(ray_rows.ROWS)


MATRIX: tuple[Row, ...] = (*ROWS, *SYSTEM_ROWS, *CLIENT_ROWS, *_ray_rows())
"""Every row."""
