"""What holding a series of target positions would have earned, bar by bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onward.kernels.jit import kernel

__all__ = ["net_returns", "reference_net_returns"]


@kernel
def net_returns(
    open_: NDArray[np.float64], close: NDArray[np.float64], target: NDArray[np.float64], cost: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (net return, position held) of each bar.

    The target decided at the close of a bar is filled at the next bar's open. Bar ``t`` earns the
    move from its open to the next bar's open (the last bar: to its own close) times the position
    held in it, after paying ``cost`` on the change of position at its open. The position is a
    share of the equity of the moment; keeping it constant costs nothing. An account that has
    lost everything (a short whose price more than doubles within a bar) stays at nothing.

    Parameters
    ----------
    open_, close
        Prices, shape (n,), positive.
    target
        Wanted position decided at the close of each bar, as a share of equity: -1 short, 0 flat,
        1 long; NaN keeps the position. Shape (n,).
    cost
        Fee and slippage as a share of the value traded, each side.
    """
    n = len(open_)
    net = np.zeros(n)
    held = np.zeros(n)
    position = 0.0
    for t in range(n):
        wanted = target[t - 1] if t > 0 else 0.0
        if np.isnan(wanted):
            wanted = position
        paid = cost * abs(wanted - position)
        position = wanted
        until = open_[t + 1] if t + 1 < n else close[t]
        earned = (1.0 - paid) * (1.0 + position * (until / open_[t] - 1.0)) - 1.0
        held[t] = position
        if earned <= -1.0:
            net[t] = -1.0
            break
        net[t] = earned
    return net, held


def reference_net_returns(
    open_: NDArray[np.float64], close: NDArray[np.float64], target: NDArray[np.float64], cost: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Do the same by keeping an account in cash and units, trade by trade."""
    n = len(open_)
    net, held = np.zeros(n), np.zeros(n)
    cash, units, position = 1.0, 0.0, 0.0
    for t, price in enumerate(open_):
        before = cash + units * price
        if before <= 0.0:
            break
        wanted = 0.0 if t == 0 else position if np.isnan(target[t - 1]) else float(target[t - 1])
        after = before - before * abs(wanted - position) * cost
        units = after * wanted / price
        cash = after - units * price
        position = held[t] = wanted
        until = open_[t + 1] if t + 1 < n else close[t]
        net[t] = max((cash + units * until) / before - 1.0, -1.0)
        if net[t] == -1.0:
            cash = units = 0.0
    return net, held
