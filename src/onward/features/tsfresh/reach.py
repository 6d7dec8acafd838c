"""Features that no window of a length can have: tsfresh gives NaN for them, so NaN it is, but said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from onward.features.tsfresh.fallback import shortened
from onward.features.tsfresh.parameters import Feature, resolve_parameters
from onward.features.tsfresh.sets import SETS

__all__ = ["cautions", "chosen_undefined", "undefined_features", "undefined_sentence"]

WELCH_SEGMENT = 256

BEYOND: Mapping[str, Callable[[Mapping[str, Any], int], bool]] = MappingProxyType(
    {
        "agg_linear_trend": lambda p, length: p["chunk_len"] >= length,
        "ar_coefficient": lambda p, length: length < 2 * p["k"] + 1,
        "autocorrelation": lambda p, length: p["lag"] >= length,
        "cwt_coefficients": lambda p, length: p["coeff"] >= length,
        "fft_coefficient": lambda p, length: p["coeff"] > length // 2,
        "mean_n_absolute_max": lambda p, length: p["number_of_maxima"] >= length,
        "partial_autocorrelation": lambda p, length: p["lag"] >= length // 2,
        "permutation_entropy": lambda p, length: p["dimension"] > length,
        "spkt_welch_density": lambda p, length: p["coeff"] > min(length, WELCH_SEGMENT) // 2,
    }
)
"""By calculator: whether its parameters reach beyond a window of a length.

Of an autoregression with too few rows tsfresh gives 0 for the last coefficient, NaN for the others.
"""


def undefined_features(features: Iterable[Feature], length: int) -> tuple[Feature, ...]:
    """Return the features that are NaN in every window of a length."""
    return tuple(
        feature
        for feature in features
        if feature.function is None
        and feature.calculator in BEYOND
        and BEYOND[feature.calculator](feature.parameters, length)
    )


def chosen_undefined(features: Sequence[Feature], length: int) -> tuple[str, ...]:
    """Return their names, none for a named set: what it holds beyond a window nobody chose."""
    if frozenset(feature.name for feature in features) in _sets():
        return ()
    return tuple(feature.name for feature in undefined_features(features, length))


def cautions(features: Sequence[Feature], lengths: Iterable[int]) -> list[str]:
    """Return what to know before features are computed: what tsfresh will compute, what will be NaN."""
    slow = [feature.name for feature in features if not feature.native]
    told = [f"no kernel computes {shortened(slow)}; tsfresh does, slowly, in a child process"] if slow else []
    undefined = {length: chosen_undefined(features, length) for length in lengths}
    return told + [undefined_sentence(names, length) for length, names in undefined.items() if names]


def undefined_sentence(names: Sequence[str], length: int) -> str:
    """Return what to say of features that are NaN in every window."""
    verb = "reaches" if len(names) == 1 else "reach"
    return f"{shortened(names)} {verb} beyond a window of {length}: NaN in every row, as in tsfresh"


@cache
def _sets() -> frozenset[frozenset[str]]:
    return frozenset(frozenset(f.name for f in resolve_parameters(name)) for name in SETS)
