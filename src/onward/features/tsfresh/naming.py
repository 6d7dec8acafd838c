"""Column names as tsfresh writes them: ``kind__calculator__parameter_value``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["feature_name"]


def feature_name(calculator: str, parameters: Mapping[str, Any]) -> str:
    """Return the part of a column name after its series: calculator and sorted parameters.

    Text values stand in double quotes. Two calculators write their own form: the Dickey-Fuller
    test names its default ``autolag``, and wavelet widths are a tuple however they were given.

    Examples
    --------
    >>> feature_name("quantile", {"q": 0.1})
    'quantile__q_0.1'
    >>> feature_name("augmented_dickey_fuller", {"attr": "pvalue"})
    'augmented_dickey_fuller__attr_"pvalue"__autolag_"AIC"'
    """
    shown = dict(parameters)
    if calculator == "augmented_dickey_fuller":
        # tsfresh quotes whatever it is, None included.
        shown = {"attr": str(shown["attr"]), "autolag": str(shown.get("autolag", "AIC"))}
    elif calculator == "cwt_coefficients":
        shown["widths"] = tuple(shown["widths"])
    parts = [
        f'{key}_"{value}"' if isinstance(value, str) else f"{key}_{value}"
        for key, value in sorted(shown.items())
    ]
    return "__".join([calculator, *parts])
