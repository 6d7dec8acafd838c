"""What each family of rolling tsfresh calculators costs a window: the constants of `costs.py`.

``python -m benchmarks.tsfresh_costs`` prints the table that stands there, and then holds estimates
against what sets take.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onward.features.tsfresh import resolve_parameters, rolling_features
from onward.features.tsfresh.costs import LENGTHS, microseconds
from onward.features.tsfresh.parameters import Feature
from onward.kernels.tsfresh import family_of

WINDOWS = 3_000


def main() -> None:
    by_family: dict[str, list[Feature]] = {}
    for feature in resolve_parameters("comprehensive"):
        family = family_of(feature.calculator, feature.parameters)
        assert family is not None
        by_family.setdefault(family.__name__, []).append(feature)
    for name, features in by_family.items():
        shared, each = [], []
        for length in LENGTHS:
            one = cost(features[:1], length)
            every = cost(features, length) if len(features) > 1 else one
            share = max(every - one, 0.0) / max(len(features) - 1, 1)
            each.append(round(share, 3))
            shared.append(round(max(one - share, 0.0), 2))
        print(f'        "{name}": ({tuple(shared)}, {tuple(each)}),')
    for name in ("minimal", "financial", "efficient"):
        for length in (24, 48, 96, 200):
            features = resolve_parameters(name)
            estimate = sum(value or 0.0 for value in microseconds(features, length))
            print(f"{name} {length}: estimated {estimate:.1f} us, measured {cost(features, length):.1f} us")


def cost(features: Sequence[Feature], length: int) -> float:
    """Return microseconds of CPU time a window."""
    windows = max(200, WINDOWS * 48 // length // max(1, len(features) // 10))
    wanted: dict[str, Any] = {}
    for feature in features:
        wanted.setdefault(feature.calculator, []).append(dict(feature.parameters))
    parameters = {name: None if entries == [{}] else entries for name, entries in wanted.items()}
    return seconds(parameters, length, windows) / windows * 1e6


def seconds(parameters: Mapping[str, Any], length: int, windows: int) -> float:
    values = np.random.default_rng(0).normal(size=windows + length - 1)
    times = np.arange(len(values), dtype=np.int64) * 3_600_000_000_000
    best = np.inf
    for _ in range(4):
        before = time.process_time()
        rolling_features(
            values, window=length, parameters=parameters, times=times.astype("datetime64[ns]"), threads=1
        )
        best = min(best, time.process_time() - before)
    return best


if __name__ == "__main__":
    main()
