"""Which versions computed a model: part of its card, because figures can move between versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["library_versions"]

COMPUTING = (
    *("autofeat", "catboost", "featuretools", "lightgbm", "llvmlite", "numba", "numpy", "pandas", "pyarrow"),
    *("scikit-learn", "scipy", "skops", "ta-lib", "tsfresh", "xgboost", "xgboost-cpu"),
)


def library_versions(*more: str) -> dict[str, str]:
    """Return the versions of Python and of the installed libraries that compute something.

    Parameters
    ----------
    *more
        Further distributions to name; those that are not installed are left out.
    """
    found = {"python": platform.python_version()}
    for name in sorted({*COMPUTING, *more}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
