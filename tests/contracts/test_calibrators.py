import numpy as np
import pytest

from onward.models.calibration import CALIBRATORS, NoCalibrator
from onward.testing import calibrators as suite
from onward.testing.calibrators import check_calibrator


@pytest.mark.parametrize("name", sorted(CALIBRATORS))
def test_every_calibrator_of_the_catalog_keeps_the_contract(name):
    check_calibrator(CALIBRATORS[name])


class LooksAtItsBatch(NoCalibrator):
    def _transform(self, probability):
        return 0.9 * probability + 0.1 * probability.mean(axis=0)


class ForgetsZeros(NoCalibrator):
    def _transform(self, probability):
        return 0.9 * probability + 0.1 / 3


class LosesDigits(NoCalibrator):
    def _fit(self, probability, codes, weight, n):
        self.share_ = np.bincount(codes, minlength=3) / len(codes)

    def _transform(self, probability):
        return 0.5 * probability + 0.5 * self.share_

    def _state(self):
        return {"share": [round(s, 4) for s in self.share_]}

    def _restore(self, state):
        self.share_ = np.array(state["share"])
        self.share_ /= self.share_.sum()


class CountsWeights(LosesDigits):
    def _fit(self, probability, codes, weight, n):
        self.share_ = np.array([1.0, n, 1.0]) / (n + 2)

    def fit(self, probability, y, weight=None, effective_n=None):
        return super().fit(probability, y, weight, 1.0 if weight is None else float(np.sum(weight)))


class TurnsRound(NoCalibrator):
    def _transform(self, probability):
        return probability[:, ::-1]


@pytest.mark.parametrize(
    ("broken", "check", "promise"),
    [
        (LooksAtItsBatch, suite.check_ignores_batch, "one row equals the batch"),
        (ForgetsZeros, suite.check_keeps_absent_classes, "keeps it"),
        (LosesDigits, suite.check_round_trip, "JSON changes no bit"),
        (CountsWeights, suite.check_weights, "scale of the weights"),
        (TurnsRound, suite.check_does_no_harm, "no harm"),
    ],
)
def test_the_suite_catches_a_broken_calibrator(broken, check, promise):
    with pytest.raises(AssertionError, match=f"broken promise: .*{promise}"):
        check(broken)
