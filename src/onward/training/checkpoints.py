"""Finished outer folds on disk, so that a training that was interrupted need not fit them again."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from onward.ensembles import saved_model_class
from onward.errors import OnwardError
from onward.evaluation.learning import CalibrationRecord, LearningRecord, MemberRecord
from onward.evaluation.metrics import Metrics
from onward.features.pipeline import FeaturePipeline, FittedPipeline
from onward.prediction.predictor import Predictor
from onward.registry.files import atomic_directory, hash_file
from onward.training.outcomes import FoldOutcome
from onward.types import Fold

__all__ = ["FoldFiles", "FoldKeeper", "NothingKept"]

_log = logging.getLogger(__name__)

ARRAYS = "outcome.npz"
LEARNT = "learnt.json"
MODEL = "model"
DIGESTS = "digests.json"


class FoldKeeper(Protocol):
    """Keeps what outer folds came to while a training is under way."""

    def load(self, fold: Fold, pipeline: FeaturePipeline) -> FoldOutcome | None:
        """Return what was kept of exactly this fold; None when there is nothing."""

    def keep(self, outcome: FoldOutcome) -> None:
        """Keep what a fold came to."""

    def figures(self, outcome: FoldOutcome) -> Mapping[str, float]:
        """Return scores of a fold that may be shown at once.

        Empty unless whoever shows them has noted before that the outer scores of this run were
        looked at: nobody is to see one, stop the run, and not have it counted.
        """

    def finisher(self, fold: Fold) -> str:
        """Say who finished a fold that `load` returned."""


class NothingKept:
    """Keeps and shows nothing."""

    def load(self, fold: Fold, pipeline: FeaturePipeline) -> FoldOutcome | None:  # noqa: ARG002
        """Return nothing."""
        return None

    def keep(self, outcome: FoldOutcome) -> None:
        """Do nothing."""

    def figures(self, outcome: FoldOutcome) -> Mapping[str, float]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def finisher(self, fold: Fold) -> str:  # noqa: ARG002
        """Name nobody: nothing is loaded."""
        return ""


class FoldFiles:
    """One directory a fold: arrays, fitted stages and the model in its library's own format.

    The directory must belong to one plan, one market and one version of the code; what does not
    fit the fold that is asked for, or cannot be read, counts as not there. A disk that refuses
    costs the checkpoint, never the training.

    Parameters
    ----------
    directory
        Where the folds lie; made when needed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def has(self, number: int) -> bool:
        """Return whether something was kept of the fold with a number."""
        return self._place(number).is_dir()

    def load(self, fold: Fold, pipeline: FeaturePipeline, *, digest: str | None = None) -> FoldOutcome | None:
        """Return what was kept of a fold, its predictor on top of the pipeline.

        Parameters
        ----------
        fold, pipeline
            What is asked for.
        digest
            Of what must lie there, as `hand_over` gave it; None where nobody said so.
        """
        place = self._place(fold.number)
        if not place.is_dir() and digest is None:
            return None
        try:
            _verify(place, digest)
            with np.load(place / ARRAYS, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            if not (_same(arrays["train"], fold.train) and _same(arrays["test"], fold.test)):
                return None
            learnt: dict[str, Any] = json.loads((place / LEARNT).read_text(encoding="utf-8"))
            predictor = Predictor(
                pipeline,
                FittedPipeline.from_json(learnt["fitted"]),
                saved_model_class(learnt["model"]).load(place / MODEL),
                _learning(learnt["learning"], arrays),
            )
            return FoldOutcome(
                fold=fold,
                y=arrays["y"],
                probability=arrays["probability"],
                prior=arrays["prior"],
                baselines={name: arrays[f"baseline {name}"] for name in learnt["baselines"]},
                predictor=predictor,
            )
        except (OSError, ValueError, KeyError, TypeError, OnwardError) as error:
            _log.warning("what was kept of fold %d cannot be used and is made anew: %s", fold.number, error)
            return None

    def keep(self, outcome: FoldOutcome) -> None:
        """Write a fold, whole or not at all."""
        try:
            self.hand_over(outcome)
        except OSError as error:
            _log.warning("fold %d cannot be kept for a later attempt: %s", outcome.fold.number, error)

    def figures(self, outcome: FoldOutcome) -> Mapping[str, float]:  # noqa: ARG002
        """Return nothing: files count no looks."""
        return {}

    def finisher(self, fold: Fold) -> str:  # noqa: ARG002
        """Name who writes files that are loaded."""
        return "an earlier attempt"

    def hand_over(self, outcome: FoldOutcome) -> str:
        """Write a fold for somebody else, and return the digest of all that was written.

        Raises
        ------
        OSError
            When the disk refuses.
        """
        place = self._place(outcome.fold.number)
        shutil.rmtree(place, ignore_errors=True)
        with atomic_directory(place) as draft:
            self._write(draft, outcome)
            return hash_file(draft / DIGESTS)

    def _write(self, draft: Path, outcome: FoldOutcome) -> None:
        predictor, fold = outcome.predictor, outcome.fold
        learning = predictor.learning
        arrays: dict[str, npt.NDArray[Any]] = {
            "train": fold.train,
            "test": fold.test,
            "y": outcome.y,
            "probability": outcome.probability,
            "prior": outcome.prior,
        }
        arrays |= {f"baseline {name}": values for name, values in outcome.baselines.items()}
        for place, inner in enumerate(() if learning is None else learning.inner):
            arrays |= {f"inner train {place}": inner.train, f"inner test {place}": inner.test}
        np.savez(draft / ARRAYS, **arrays)  # type: ignore[arg-type]
        learnt = {
            "fitted": predictor.fitted.to_json(),
            "model": type(predictor.model).name,
            "baselines": list(outcome.baselines),
            "learning": None if learning is None else _written(learning),
        }
        (draft / LEARNT).write_text(json.dumps(learnt), encoding="utf-8")
        (draft / MODEL).mkdir()
        predictor.model.save(draft / MODEL)
        (draft / DIGESTS).write_text(json.dumps(_digests(draft)), encoding="utf-8")

    def _place(self, number: int) -> Path:
        return self._directory / f"fold-{number}"


def _digests(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.name != DIGESTS)
    return {path.relative_to(directory).as_posix(): hash_file(path) for path in files}


def _verify(directory: Path, digest: str | None) -> None:
    if digest is not None and hash_file(directory / DIGESTS) != digest:
        raise ValueError("it is not what was handed over")
    if _digests(directory) != json.loads((directory / DIGESTS).read_text(encoding="utf-8")):
        raise ValueError("a file is not what was written")


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return bool(np.array_equal(one, other))


def _written(record: LearningRecord) -> dict[str, Any]:
    """Return a record as JSON values; inner folds are arrays, of which only the numbers stand here."""
    told = {name: value for name, value in vars(record).items() if name not in ("inner", "members")}
    return told | {
        "members": [asdict(member) for member in record.members],
        "combined": None if record.combined is None else asdict(record.combined),
        "calibration": None if record.calibration is None else asdict(record.calibration),
        "inner": [fold.number for fold in record.inner],
    }


def _learning(told: Mapping[str, Any] | None, arrays: Mapping[str, Any]) -> LearningRecord | None:
    if told is None:
        return None
    calibration = told["calibration"]
    if calibration is not None:
        calibration = CalibrationRecord(**{**calibration, "metrics": Metrics(**calibration["metrics"])})
    return LearningRecord(
        **{
            **told,
            "members": tuple(
                MemberRecord(**{**member, "metrics": _metrics(member["metrics"])})
                for member in told["members"]
            ),
            "combined": _metrics(told["combined"]),
            "calibration": calibration,
            "inner": tuple(
                Fold(number, arrays[f"inner train {place}"], arrays[f"inner test {place}"])
                for place, number in enumerate(told["inner"])
            ),
        }
    )


def _metrics(told: Mapping[str, Any] | None) -> Metrics | None:
    return None if told is None else Metrics(**told)
