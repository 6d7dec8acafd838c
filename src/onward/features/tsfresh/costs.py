"""What a feature costs to compute, before it is computed: measured once, roughly right."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from onward.features.tsfresh.parameters import Feature

__all__ = ["COSTS", "FALLBACK_MICROSECONDS", "LENGTHS", "microseconds"]

LEAST = 1e-4
LENGTHS = (24, 96, 384)
"""Window lengths at which families were measured."""

COSTS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = MappingProxyType(
    {
        "Summary": ((1.34, 4.3, 17.68), (0.042, 0.066, 0.0)),
        "Digits": ((2.52, 9.13, 38.8), (0.019, 0.169, 0.0)),
        "Templates": ((0.0, 0.0, 0.0), (2.802, 38.104, 661.33)),
        "Lagged": ((0.4, 1.4, 4.13), (0.082, 0.17, 0.451)),
        "Thresholds": ((0.38, 1.62, 10.98), (0.109, 0.263, 0.353)),
        "OrderStatistics": ((0.14, 1.05, 5.28), (0.131, 0.296, 0.499)),
        "WaveletPeaks": ((0.0, 0.0, 0.0), (2.381, 11.061, 51.554)),
        "Entropies": ((0.35, 0.99, 2.9), (0.0, 0.0, 0.0)),
        "Wavelets": ((0.11, 0.67, 15.1), (0.07, 0.381, 3.226)),
        "Density": ((0.29, 2.63, 10.02), (0.134, 0.237, 0.398)),
        "Autoregression": ((1.59, 9.08, 39.14), (0.006, 0.013, 0.009)),
        "Spectrum": ((0.13, 0.74, 1.53), (0.08, 0.089, 0.107)),
        "Langevin": ((15.73, 30.61, 52.49), (1.571, 0.457, 0.825)),
        "Trends": ((0.74, 1.44, 4.66), (0.114, 0.378, 0.941)),
        "DickeyFuller": ((3.61, 14.77, 99.67), (0.0, 0.0, 0.172)),
        "Complexity": ((0.12, 0.0, 0.0), (0.603, 2.276, 9.975)),
    }
)
"""Microseconds of one window at `LENGTHS`, by family: what its columns share, and each column.

From ``python -m benchmarks.tsfresh_costs``: CPU time of one thread of a 2.5 GHz Xeon, standard
normal windows.
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
            out.append(at_length(shared, window) / sharing[family] + at_length(each, window))
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
