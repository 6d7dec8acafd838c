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
    held in it, after paying ``cost`` on the change of position at its open.

    Parameters
    ----------
    open_, close
        Prices, shape (n,).
    target
        Wanted position decided at the close of each bar, as a share of equity: -1 short, 0 flat,
        1 long; NaN keeps the position.
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
        net[t] = (1.0 - paid) * (1.0 + position * (until / open_[t] - 1.0)) - 1.0
        held[t] = position
    return net, held


def reference_net_returns(
    open_: NDArray[np.float64], close: NDArray[np.float64], target: NDArray[np.float64], cost: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Do the same without a loop over state, in plain NumPy (for targets without NaN)."""
    held = np.concatenate(([0.0], target[:-1]))
    until = np.append(open_[1:], close[-1])
    paid = cost * np.abs(np.diff(held, prepend=0.0))
    return (1.0 - paid) * (1.0 + held * (until / open_ - 1.0)) - 1.0, held
