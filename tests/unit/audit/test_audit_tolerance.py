"""What differs must be told from rounding: large values in a column excuse nothing beside them."""

import numpy as np
import pytest

from onward.audit import audit_function
from onward.testing.markets import random_walk

MARKET = random_walk(1_200, seed=9)


def spiky(values, df):
    return values.fillna(0.0).where(df.index.hour != 0, 1e9)


def test_a_look_ahead_beside_spikes_is_found():
    report = audit_function(lambda df: spiky(np.log(df.close).diff().shift(-1), df), MARKET, lookback=24)
    assert {f.check for f in report.findings} >= {"truncation", "perturbation"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_honest_rounding_beside_spikes_is_no_leak(dtype):
    def honest(df):
        return spiky(np.log(df.close).diff(), df).astype(dtype).rolling(24).mean()

    assert audit_function(honest, MARKET).passed
