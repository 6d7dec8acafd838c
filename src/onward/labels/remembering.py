"""Memory of what a market's labels are made of: every fold asks for the same values again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from onward.types import Market

__all__ = ["MOST", "remembered"]

MOST = 4
"""Answers kept of each function and market: a labeler asks for two or three, a search for others later."""

Asked = ParamSpec("Asked")
Values = TypeVar("Values", bound=Any)


def remembered(
    function: Callable[Concatenate[Market, Asked], Values],
) -> Callable[Concatenate[Market, Asked], Values]:
    """Keep the last `MOST` arrays that a function made of a market, as long as the market lives.

    A market is a value: other bars are another market, and never meet what was kept of this one.
    The arrays are read-only, since whoever asks next is given the same ones.

    Parameters
    ----------
    function
        Of a market and hashable arguments, all given by position; returns a NumPy array.
    """
    kept: WeakKeyDictionary[Market, OrderedDict[tuple[Any, ...], Values]] = WeakKeyDictionary()

    @wraps(function)
    def recalled(market: Market, /, *arguments: Asked.args, **named: Asked.kwargs) -> Values:
        answers = kept.setdefault(market, OrderedDict())
        key = (*arguments, *sorted(named.items()))
        values = answers.get(key)
        if values is None:
            values = function(market, *arguments, **named)
            values.setflags(write=False)
            answers[key] = values
            while len(answers) > MOST:
                answers.popitem(last=False)
        return values

    return recalled
