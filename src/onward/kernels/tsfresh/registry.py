"""Which family computes a calculator with given parameters, and the writers of a set of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onward.kernels.tsfresh.autoregression import Autoregression, DickeyFuller
from onward.kernels.tsfresh.complexity import Complexity
from onward.kernels.tsfresh.digits import Digits
from onward.kernels.tsfresh.entropy import Entropies
from onward.kernels.tsfresh.family import Family, Request
from onward.kernels.tsfresh.lagged import Lagged
from onward.kernels.tsfresh.langevin import Langevin
from onward.kernels.tsfresh.order import OrderStatistics
from onward.kernels.tsfresh.spectral import Density, Spectrum
from onward.kernels.tsfresh.summary import Summary
from onward.kernels.tsfresh.templates import Templates
from onward.kernels.tsfresh.thresholds import Thresholds
from onward.kernels.tsfresh.trends import Trends
from onward.kernels.tsfresh.wavelet_peaks import WaveletPeaks
from onward.kernels.tsfresh.wavelets import Wavelets

__all__ = ["FAMILIES", "family_of", "writers"]

FAMILIES: tuple[type[Family], ...] = (
    Summary,
    Thresholds,
    OrderStatistics,
    Lagged,
    Trends,
    Spectrum,
    Density,
    Entropies,
    Templates,
    Complexity,
    Wavelets,
    WaveletPeaks,
    Autoregression,
    DickeyFuller,
    Langevin,
    Digits,
)
"""Add a calculator to its family's ``CALCULATORS``, or a family here."""

BY_NAME: Mapping[str, type[Family]] = {name: f for f in FAMILIES for name in f.CALCULATORS}


def family_of(calculator: str, parameters: Mapping[str, Any]) -> type[Family] | None:
    """Return the family that computes a calculator with these parameters, or None."""
    family = BY_NAME.get(calculator)
    return family if family is not None and family.knows(calculator, parameters) else None


def writers(requests: Sequence[Request], length: int) -> list[Family]:
    """Return families bound to a window length that together write every requested column."""
    grouped: dict[type[Family], list[Request]] = {}
    for request in requests:
        family = family_of(request.calculator, request.parameters)
        assert family is not None
        grouped.setdefault(family, []).append(request)
    return [family(mine, length) for family, mine in grouped.items()]
