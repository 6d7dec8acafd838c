"""Primary signals that tests name by address."""

import numpy as np


def last_move(market):
    """Return the direction of each bar from open to close."""
    return np.sign(market.bars["close"] - market.bars["open"])


NOT_A_FUNCTION = 3
