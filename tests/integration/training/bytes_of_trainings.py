"""Trains one small plan of each kind and prints the digests of what a bundle keeps of each model.

Run as ``python bytes_of_trainings.py THREADS``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from onward.models import threads
from onward.testing.markets import planted_signal
from onward.training.assembly import make_trainer
from onward.training.plan import TrainingPlan

QUICK: dict[str, Any] = {
    "features.stages": ["manual"],
    "features.manual.families": ["returns"],
    "labels.horizon_bars": 6,
    "labels.window_bars": 24,
    "validation.n_splits": 2,
    "training.inner_folds": 2,
    "model.n_rounds": 6,
    "selection.n_shifts": 20,
    "selection.n_information_shifts": 10,
    "selection.n_null": 5,
    "evaluation.n_shifts": 100,
}
SINGLE = ("lightgbm", "xgboost", "catboost", "extra_trees", "logistic", "mlp")
FEW = {"extra_trees": {"model.extra": {"n_trees": 20}}}
TOGETHER: dict[str, dict[str, Any]] = {
    "bagging": {"ensemble.method": "bagging", "ensemble.n_estimators": 3},
    "stacking": {
        "ensemble.method": "stacking",
        "ensemble.members": ["lightgbm", "logistic", "extra_trees"],
        "ensemble.parameters.extra_trees.n_trees": 10,
    },
}


def main(n_threads: int) -> None:
    threads.CELLS_A_THREAD = 100  # let threads run on few rows, too
    market = planted_signal(420, seed=0, strength=0.004)
    plans = {name: {"model.name": name, **FEW.get(name, {})} for name in SINGLE} | TOGETHER
    found: dict[str, dict[str, str]] = {}
    for name, values in plans.items():
        plan = TrainingPlan().with_overrides({**QUICK, **values, "training.n_threads": n_threads})
        training = make_trainer(plan, market).train(market)
        with tempfile.TemporaryDirectory() as directory:
            training.predictor.model.save(Path(directory))
            files = sorted(path for path in Path(directory).rglob("*") if path.is_file())
            digests = {str(path.relative_to(directory)): _digest(path.read_bytes()) for path in files}
        digests["pipeline.json"] = _digest(json.dumps(training.predictor.state()).encode())
        digests["labels.json"] = _digest(json.dumps(training.labeler_state).encode())
        digests["predictions"] = _digest(training.oof.probability.tobytes())
        found[name] = digests
    print(json.dumps(found))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main(int(sys.argv[1]))
