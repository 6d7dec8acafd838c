"""The only arithmetic that looks ahead.

An import contract lets nothing but labels and evaluation import this package, or a module of it,
directly. Each function works on the bars of **one** symbol and counts bars, so a gap is one step
like any other. Importing the package itself compiles nothing; `barriers` and `trends` bring Numba.
"""

from onward.kernels.forward.returns import (
    UNKNOWN_TIME,
    forward_log_return,
    forward_log_return_reference,
    forward_time,
)

__all__ = ["UNKNOWN_TIME", "forward_log_return", "forward_log_return_reference", "forward_time"]
