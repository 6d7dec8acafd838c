import numpy as np
import pytest

from onward.features.selection import CATALOG, ShiftedLabelSelector
from onward.testing.fitted_stages import check_fitted_stage


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_fitted_stage_of_the_catalog_keeps_the_contract(name):
    check_fitted_stage(CATALOG[name])


class SeedsItself(ShiftedLabelSelector):
    def fit(self, X, y, *, spans, weight=None, seed=0):
        columns = np.random.default_rng().permutation(X.columns[:6])
        super().fit(X, y, spans=spans, seed=seed)
        self.columns_ = tuple(columns[:3])
        return self


class LooksAtItsBatch(ShiftedLabelSelector):
    def transform(self, X):
        chosen = super().transform(X)
        return chosen - chosen.mean()


class ForgetsItsLedger(ShiftedLabelSelector):
    @classmethod
    def from_json(cls, state):
        return super().from_json({**state, "ledger": []})


@pytest.mark.parametrize("broken", [SeedsItself, LooksAtItsBatch, ForgetsItsLedger])
def test_the_suite_catches_a_broken_stage(broken):
    with pytest.raises(AssertionError):
        check_fitted_stage(broken)
