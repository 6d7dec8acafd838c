"""Calibration: probabilities corrected by how they came true on rows the model never saw."""

from onward.models.calibration.base import Calibrator
from onward.models.calibration.catalog import CALIBRATORS, calibrator_class, calibrator_from_json
from onward.models.calibration.isotonic import LEAST_OUTCOMES, IsotonicCalibrator
from onward.models.calibration.none import NoCalibrator
from onward.models.calibration.sigmoid import SigmoidCalibrator
from onward.models.calibration.temperature import TemperatureCalibrator

__all__ = [
    "CALIBRATORS",
    "LEAST_OUTCOMES",
    "Calibrator",
    "IsotonicCalibrator",
    "NoCalibrator",
    "SigmoidCalibrator",
    "TemperatureCalibrator",
    "calibrator_class",
    "calibrator_from_json",
]
