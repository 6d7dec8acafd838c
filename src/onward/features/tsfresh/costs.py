"""What a feature costs to compute, before it is computed: measured once, roughly right."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from onward.features.tsfresh.parameters import Feature

__all__ = ["COSTS", "FALLBACK_MICROSECONDS", "LENGTHS", "WINDOWS", "microseconds"]

LEAST = 1e-4
LENGTHS = (24, 96, 384)
"""Window lengths at which families were measured."""

WINDOWS = (0.22, 0.35, 4.53)
"""Microseconds of a window at `LENGTHS` that all features share: gathering, scaling, sorting it."""

COSTS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = MappingProxyType(
    {
        "Summary": ((0.53, 0.97, 4.1), (0.001, 0.001, 0.0)),
        "Digits": ((1.07, 4.43, 18.3), (0.0, 0.002, 0.0)),
        "Templates": ((0.0, 0.0, 0.0), (2.878, 44.435, 650.458)),
        "Lagged": ((0.07, 0.1, 0.41), (0.034, 0.075, 0.254)),
        "Thresholds": ((0.0, 0.0, 0.0), (0.069, 0.101, 0.251)),
        "OrderStatistics": ((0.0, 0.0, 0.0), (0.095, 0.205, 0.75)),
        "WaveletPeaks": ((0.0, 0.0, 0.0), (2.24, 12.932, 75.569)),
        "Entropies": ((0.26, 0.38, 1.29), (0.0, 0.0, 0.0)),
        "Wavelets": ((0.01, 0.02, 0.02), (0.027, 0.035, 0.12)),
        "Density": ((0.09, 0.29, 4.95), (0.11, 0.213, 1.083)),
        "Autoregression": ((1.63, 9.17, 43.64), (0.0, 0.0, 0.0)),
        "Spectrum": ((0.09, 0.2, 0.74), (0.003, 0.009, 0.019)),
        "Langevin": ((16.44, 24.77, 42.55), (0.939, 0.738, 0.388)),
        "Trends": ((0.28, 0.24, 0.52), (0.057, 0.166, 0.575)),
        "DickeyFuller": ((1.97, 13.72, 98.32), (0.001, 0.0, 0.606)),
        "Complexity": ((0.0, 0.0, 0.0), (0.682, 2.971, 11.625)),
    }
)
"""Microseconds of a window at `LENGTHS`, by family: what its columns share, and each column.

From ``python -m benchmarks._tsfresh_costs``: CPU time of one thread on a virtual core of an AMD EPYC
that others were using too, standard normal windows.
"""

FALLBACK_MICROSECONDS = 400.0
"""Of a window and a calculator of tsfresh's own, the transport to the child process included."""


def microseconds(features: Sequence[Feature], window: int) -> tuple[float | None, ...]:
    """Return the estimated CPU time of each feature, a window: shared work is divided evenly.

    None for users' functions, which nobody measured.
    """
    from onward.kernels.tsfresh import family_of

    families = [None if f.function is not None else family_of(f.calculator, f.parameters) for f in features]
    sharing = Counter(families)
    out: list[float | None] = []
    for feature, family in zip(features, families, strict=True):
        if feature.function is not None:
            out.append(None)
        elif family is None:
            out.append(FALLBACK_MICROSECONDS)
        else:
            shared, each = COSTS[family.__name__]
            common = at_length(WINDOWS, window) / len(features)
            out.append(common + at_length(shared, window) / sharing[family] + at_length(each, window))
    return tuple(out)


def at_length(measured: tuple[float, float, float], window: int) -> float:
    """Return a cost at a window length: a power of the length between the measured ones.

    Beyond them the power goes on, but falls with no length and grows with its square at most.
    """
    places = [math.log(length) for length in LENGTHS]
    costs = [math.log(max(cost, LEAST)) for cost in measured]
    place = math.log(max(window, 1))
    after = 1 if place <= places[1] else 2
    power = (costs[after] - costs[after - 1]) / (places[after] - places[after - 1])
    nearest = after - 1 if abs(place - places[after - 1]) < abs(place - places[after]) else after
    if not places[0] <= place <= places[-1]:
        power = min(max(power, 0.0), 2.0)
    return math.exp(costs[nearest] + power * (place - places[nearest]))
