"""Calibrators by name."""

from __future__ import annotations

from typing import Any

from onward.errors import BundleError, ModelError, nearest
from onward.models.calibration.base import Calibrator
from onward.models.calibration.isotonic import IsotonicCalibrator
from onward.models.calibration.none import NoCalibrator
from onward.models.calibration.sigmoid import SigmoidCalibrator
from onward.models.calibration.temperature import TemperatureCalibrator

__all__ = ["CALIBRATORS", "calibrator_class", "calibrator_from_json"]

CALIBRATORS: dict[str, type[Calibrator]] = {
    calibrator.name: calibrator
    for calibrator in (NoCalibrator, SigmoidCalibrator, TemperatureCalibrator, IsotonicCalibrator)
}
"""Calibrator classes by name. Add one here and the contract suite finds it."""


def calibrator_class(name: str) -> type[Calibrator]:
    """Return the class of a calibrator.

    Raises
    ------
    ModelError
        When none has that name.
    """
    if name in CALIBRATORS:
        return CALIBRATORS[name]
    guess = nearest(name, CALIBRATORS)
    raise ModelError(
        "there is no calibrator of this name",
        got=repr(name),
        allowed=", ".join(CALIBRATORS),
        remedy=f"Did you mean {guess!r}?" if guess else "Use one of these.",
    )


def calibrator_from_json(state: dict[str, Any]) -> Calibrator:
    """Rebuild any calibrator from what its ``to_json`` gave.

    Raises
    ------
    BundleError
        When the state is damaged or names none there is.
    """
    name = state.get("name")
    if name not in CALIBRATORS:
        raise BundleError(
            "the state of a calibrator is damaged",
            got=repr(name),
            allowed=", ".join(CALIBRATORS),
            remedy="Restore the bundle from its export, or train again.",
        )
    return CALIBRATORS[name].from_json(state)
