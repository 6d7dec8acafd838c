"""What acting on target positions would have earned, bar by bar: one account, one symbol."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from onward.kernels.jit import kernel

__all__ = ["Simulation", "simulate", "simulate_reference"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Simulation(NamedTuple):
    """Outcome of a simulation, one value a bar, then one a round trip.

    Shares are shares of the account's equity. A round trip lasts while the position keeps its
    sign; one that is open at the end is closed by nobody and valued at the last close.

    Attributes
    ----------
    net
        Net return from the close of the bar before to the close of the bar.
    position
        Target that the account holds at the close of the bar.
    exposure
        Value held over equity at the close of the bar: the target, moved by prices since.
    traded
        Value traded in the bar over the equity of that moment.
    cost
        Fees and slippage paid in the bar over the equity at its start.
    funding
        Funding paid (positive) or received in the bar over the equity at its start.
    entry, exit
        Bar in which each round trip was opened and closed (open ones: the last bar).
    size
        Position that it was opened with, signed.
    growth
        Equity after closing it over equity before opening it, all costs and funding included.
    """

    net: FloatArray
    position: FloatArray
    exposure: FloatArray
    traded: FloatArray
    cost: FloatArray
    funding: FloatArray
    entry: IntArray
    exit: IntArray
    size: FloatArray
    growth: FloatArray


@kernel
def _after_move(share: float, ratio: float) -> tuple[float, float]:
    """Return the factor on the equity and the new exposure; nothing is left of a ruined account."""
    factor = 1.0 + share * (ratio - 1.0)
    return (factor, share * ratio / factor) if factor > 0.0 else (0.0, 0.0)


@kernel
def _after_funding(share: float, rate: float) -> tuple[float, float]:
    """Return the factor on the equity and the new exposure after paying ``share * rate``."""
    factor = 1.0 - share * rate
    return (factor, share / factor) if factor > 0.0 else (0.0, 0.0)


@kernel
def simulate(
    open_: FloatArray,
    close: FloatArray,
    orders: FloatArray,
    gap_funding: FloatArray,
    bar_funding: FloatArray,
    cost: float,
    at_close: bool,
    most_drift: float,
    least_change: float,
) -> Simulation:
    """Simulate an account that carries out one order a bar.

    In each bar, in this order: funding that settled between the bars is paid on the position at
    the last close; the position earns the move to the open; the order is filled (at the close
    instead with ``at_close``, after everything else); the position earns the move to the close;
    funding that settled within the bar, its close included, is paid on the value at the close. So
    a fill never escapes or catches a settlement that its decision already knew.

    An order is sized on the equity of the moment: its value is ``|target - exposure| * equity``,
    and the fee on it is paid before the new position is taken. Between fills the account holds
    units: prices move the exposure. An account that loses everything stays at nothing; that is
    seen at opens and closes only.

    Parameters
    ----------
    open_, close
        Prices, positive, shape (n,).
    orders
        Target position to be filled **in** each bar, a share of equity: -1 short, 0 flat, 1 long;
        NaN keeps the position. Shape (n,).
    gap_funding, bar_funding
        Sum of the funding rates that settled after the close of the bar before and not after the
        bar's open; and after its open and not after its close. Positive: longs pay. Shape (n,).
    cost
        Fee and slippage as a share of the value traded.
    at_close
        Fill at the bar's close, not at its open.
    most_drift
        Distance by which prices and funding may move the exposure from the target before an order
        brings it back, paid like any other: 0 in every bar, infinity never.
    least_change
        Distance between a changed target and the exposure below which nothing is traded; going
        flat always is.
    """
    n = len(close)
    net, position, exposure = np.zeros(n), np.zeros(n), np.zeros(n)
    traded, paid, funded = np.zeros(n), np.zeros(n), np.zeros(n)
    entry, exit_ = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    size, growth = np.empty(n), np.empty(n)
    trips = 0
    target, share, trip = 0.0, 0.0, 1.0  # what is wanted, what is held, growth of the open round trip
    for t in range(n):
        account = 1.0  # equity over the equity at the close of the bar before
        if share != 0.0:
            funded[t] = share * gap_funding[t]
            factor, share = _after_funding(share, gap_funding[t])
            account *= factor
            trip *= factor
            factor, share = _after_move(share, (close[t] if at_close else open_[t]) / close[t - 1])
            account *= factor
            trip *= factor
            if at_close:
                funded[t] += share * bar_funding[t] * account
                factor, share = _after_funding(share, bar_funding[t])
                account *= factor
                trip *= factor
        wanted = orders[t]
        if np.isnan(wanted):
            wanted = target
        change = abs(wanted - share)
        asked = wanted != target and (wanted == 0.0 or change >= least_change)
        if account > 0.0 and (asked or abs(target - share) > most_drift):
            fee = cost * change
            traded[t] = change
            paid[t] = fee * account
            leaves = share != 0.0 and (wanted == 0.0 or (wanted > 0.0) != (share > 0.0))
            before = 1.0
            if leaves:
                before = 1.0 - cost * abs(share)
                exit_[trips] = t
                growth[trips] = max(trip * before, 0.0)
                trips += 1
            if wanted != 0.0 and (leaves or share == 0.0):
                entry[trips] = t
                size[trips] = wanted
                trip = (1.0 - fee) / before if before > 0.0 else 0.0
            else:
                trip *= 1.0 - fee
            account *= 1.0 - fee
            share = wanted if account > 0.0 else 0.0  # the fee can be the last straw
            target = wanted
        if not at_close and share != 0.0:
            factor, share = _after_move(share, close[t] / open_[t])
            account *= factor
            trip *= factor
            funded[t] += share * bar_funding[t] * account
            factor, share = _after_funding(share, bar_funding[t])
            account *= factor
            trip *= factor
        position[t] = target
        if account <= 0.0:
            net[t] = -1.0
            if target != 0.0:
                exit_[trips] = t
                growth[trips] = 0.0
                trips += 1
            share = 0.0
            target = 0.0
            break
        net[t] = account - 1.0
        exposure[t] = share
    if share != 0.0:
        exit_[trips] = n - 1
        growth[trips] = trip
        trips += 1
    return Simulation(
        net,
        position,
        exposure,
        traded,
        paid,
        funded,
        entry[:trips].copy(),
        exit_[:trips].copy(),
        size[:trips].copy(),
        growth[:trips].copy(),
    )


def simulate_reference(
    open_: FloatArray,
    close: FloatArray,
    orders: FloatArray,
    gap_funding: FloatArray,
    bar_funding: FloatArray,
    cost: float,
    at_close: bool,
    most_drift: float,
    least_change: float,
) -> Simulation:
    """Do the same with a ledger in money: cash and units, one event after the other."""
    account = _Account()
    columns: dict[str, list[float]] = {
        name: [] for name in ("net", "position", "exposure", "traded", "cost", "funding")
    }
    for t in range(len(close)):
        start, fees, funding, traded = account.equity, account.fees, account.funding, 0.0
        if start > 0.0:
            if t > 0:
                account.settle(gap_funding[t])
            if at_close:
                account.mark(close[t])
                account.settle(bar_funding[t])
                traded = account.order(t, float(orders[t]), cost, most_drift, least_change)
            else:
                account.mark(open_[t])
                traded = account.order(t, float(orders[t]), cost, most_drift, least_change)
                account.mark(close[t])
                account.settle(bar_funding[t])
            account.look_for_ruin(t)
        alive = account.equity > 0.0
        columns["net"].append(account.equity / start - 1.0 if start > 0.0 else 0.0)
        columns["position"].append(account.target)
        columns["exposure"].append(account.units * account.price / account.equity if alive else 0.0)
        columns["traded"].append(traded)
        columns["cost"].append((account.fees - fees) / start if start > 0.0 else 0.0)
        columns["funding"].append((account.funding - funding) / start if start > 0.0 else 0.0)
        if not alive:
            account.target = 0.0
    account.close_books(len(close) - 1)
    trips = account.trips
    return Simulation(
        net=np.array(columns["net"]),
        position=np.array(columns["position"]),
        exposure=np.array(columns["exposure"]),
        traded=np.array(columns["traded"]),
        cost=np.array(columns["cost"]),
        funding=np.array(columns["funding"]),
        entry=np.array([trip[0] for trip in trips], dtype=np.int64),
        exit=np.array([trip[1] for trip in trips], dtype=np.int64),
        size=np.array([trip[2] for trip in trips], dtype=np.float64),
        growth=np.array([trip[3] for trip in trips], dtype=np.float64),
    )


class _Account:
    """Cash, units, and the book of round trips: (entry, exit, size, growth)."""

    def __init__(self) -> None:
        self.cash, self.units, self.price, self.target = 1.0, 0.0, 1.0, 0.0
        self.fees, self.funding, self.ruined = 0.0, 0.0, False
        self.trips: list[tuple[int, int, float, float]] = []
        self.opened: tuple[int, float, float] | None = None  # bar, size, equity before

    @property
    def equity(self) -> float:
        return 0.0 if self.ruined else self.cash + self.units * self.price

    def mark(self, price: float) -> None:
        """Value the units at a price; whoever owes more than he has is ruined."""
        self.price = price
        self._check()

    def settle(self, rate: float) -> None:
        """Pay funding on the value held."""
        if not self.ruined:
            due = self.units * self.price * rate
            self.cash -= due
            self.funding += due
            self._check()

    def order(self, bar: int, wanted: float, cost: float, most_drift: float, least_change: float) -> float:
        """Fill an order at the present price, and return the value traded over equity."""
        equity = self.equity
        if equity <= 0.0:
            return 0.0
        if np.isnan(wanted):
            wanted = self.target
        share = self.units * self.price / equity
        change = abs(wanted - share)
        asked = wanted != self.target and (wanted == 0.0 or change >= least_change)
        if not asked and abs(self.target - share) <= most_drift:
            return 0.0
        leaves = self.opened is not None and (wanted == 0.0 or wanted * share < 0.0)
        after_leaving = equity * (1.0 - cost * abs(share)) if leaves else equity
        after = equity * (1.0 - cost * change)
        if leaves:
            assert self.opened is not None
            self.trips.append((self.opened[0], bar, self.opened[1], max(after_leaving / self.opened[2], 0.0)))
            self.opened = None
        if wanted != 0.0 and self.opened is None:
            self.opened = (bar, wanted, after_leaving)
        self.fees += equity - after
        self.units = after * wanted / self.price
        self.cash = after - self.units * self.price
        self.target = wanted
        return change

    def look_for_ruin(self, bar: int) -> None:
        """Close the books of an account that has nothing left."""
        self._check()
        if self.ruined and self.opened is not None:
            self.trips.append((self.opened[0], bar, self.opened[1], 0.0))
            self.opened = None

    def close_books(self, last: int) -> None:
        """Write down the round trip that is still open."""
        if self.opened is not None:
            self.trips.append((self.opened[0], last, self.opened[1], self.equity / self.opened[2]))

    def _check(self) -> None:
        if not self.ruined and self.cash + self.units * self.price <= 0.0:
            self.ruined, self.units, self.cash = True, 0.0, 0.0
