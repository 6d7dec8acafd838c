"""Onward: train, judge and serve models on market data without ever seeing the future."""

from onward._version import __version__

__all__ = ["__version__"]
