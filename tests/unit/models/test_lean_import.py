"""LightGBM without scikit-learn, in a process that said that it has no use for it."""

import importlib
import subprocess
import sys
import threading

import numpy as np
import pytest

from onward.ensembles.calibrated import CalibratedModel
from onward.models import CATALOG, LightGBMModel
from onward.models.calibration import CALIBRATORS
from onward.models.lean_import import hidden
from onward.testing.models import example_rows

NEEDING = ("logistic", "random_forest", "hist_gradient_boosting")
"""Models that scikit-learn predicts for, besides isotonic calibration."""

LEAN = """
import sys
from pathlib import Path
import numpy as np
from onward.models.lean_import import spares_scikit_learn
from onward.ensembles import saved_model_class
from onward.testing.models import example_rows
X, y = example_rows(120)

def told(name):
    said = saved_model_class(name).load(Path(sys.argv[1]) / name).predict_proba(X)
    return np.array_equal(said, np.load(Path(sys.argv[1]) / f"{name}.npy"))
"""


def said(code, directory):
    """Return what a fresh process prints."""
    command = [sys.executable, "-W", "error", "-c", LEAN + code, str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Models of several kinds, and what they say about some rows."""
    directory = tmp_path_factory.mktemp("models")
    X, y = example_rows(120)
    fitted = {name: CATALOG[name]().fit(X, y) for name in NEEDING}
    fitted["lightgbm"] = inside = LightGBMModel(n_rounds=3).fit(X, y)
    many, truth = example_rows(1100)
    isotonic = CALIBRATORS["isotonic"]().fit(inside.predict_proba(many), truth)
    fitted["calibrated"] = CalibratedModel.around(inside, isotonic)
    for name, model in fitted.items():
        model.save(directory / name)
        np.save(directory / f"{name}.npy", model.predict_proba(X))
    return directory


def test_trees_predict_and_learn_without_scikit_learn_and_others_load_it_later(saved):
    code = (
        "spares_scikit_learn(); finders = list(sys.meta_path)\n"
        "print(told('lightgbm'), 'sklearn' in sys.modules, 'scipy.stats' in sys.modules)\n"
        "from onward.models import LightGBMModel\n"
        "again = LightGBMModel(n_rounds=3).fit(X, y).predict_proba(X)\n"
        "expected = np.load(Path(sys.argv[1]) / 'lightgbm.npy')\n"
        "print(np.array_equal(again, expected), 'sklearn' in sys.modules)\n"
        f"print(*(told(name) for name in {('calibrated', *NEEDING)!r}))\n"
        "print('sklearn' in sys.modules, told('lightgbm'), finders == sys.meta_path)"
    )
    assert said(code, saved) == [
        *("True", "False", "False"),
        *("True", "False"),
        *("True", "True", "True", "True"),
        *("True", "True", "True"),
    ]


@pytest.mark.parametrize(
    "first", ["", "import sklearn; spares_scikit_learn(); "], ids=["not asked to", "scikit-learn is there"]
)
def test_else_lightgbm_is_whole(first, saved):
    code = f"{first}print(told('lightgbm')); from lightgbm import LGBMClassifier; LGBMClassifier()"
    assert said(code, saved) == ["True"]


def test_a_package_is_hidden_from_one_thread_for_a_while(tmp_path, monkeypatch):
    for name in ("apart_a", "apart_b", "apart_c"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    found = []

    def look(name):
        found.append(importlib.import_module(name))

    with hidden("apart_a"):
        with pytest.raises(ModuleNotFoundError, match="apart_a is not wanted here"):
            look("apart_a")
        look("apart_b")
        other = threading.Thread(target=look, args=["apart_a"])
        other.start()
        other.join()
        look("apart_a")  # imported by now
    assert [one.__name__ for one in found] == ["apart_b", "apart_a", "apart_a"]
    with pytest.raises(KeyError), hidden("apart_c"):
        raise KeyError
    look("apart_c")
    assert sys.meta_path == finders
