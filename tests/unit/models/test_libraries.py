"""Libraries: imported when used, asked for by the extra that brings them, and no others."""

import subprocess
import sys

import pytest

from onward.errors import ModelError
from onward.models import CATALOG, CatBoostModel, XGBoostModel, libraries, model_class
from onward.models.libraries import import_library, require_library
from onward.testing.models import example_rows

LEARNING = (
    "catboost",
    "lightgbm",
    "skops",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.neural_network",
    "threadpoolctl",
    "xgboost",
)


def loaded_after(code, *arguments):
    """Return which learning libraries a fresh process has imported after some code."""
    report = f"\nimport sys; print([m for m in {LEARNING!r} if m in sys.modules])"
    command = [sys.executable, "-c", code + report, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(eval(done.stdout.strip().splitlines()[-1]))


def test_listing_models_imports_no_library_that_learns():
    import_alone = loaded_after("import sklearn.base")
    assert loaded_after("from onward.models import CATALOG; sorted(CATALOG)") <= import_alone | {
        "threadpoolctl"
    }


@pytest.mark.parametrize("model", [XGBoostModel(n_rounds=2), CatBoostModel(n_rounds=2)], ids=lambda m: m.name)
def test_a_server_imports_the_library_of_its_model_and_no_other(model, tmp_path):
    model.fit(*example_rows(200)).save(tmp_path)
    code = (
        "import sys; from pathlib import Path; import numpy as np; from onward.models import model_class\n"
        f"model = model_class({model.name!r}).load(Path(sys.argv[1]))\n"
        "model.predict_proba(np.zeros((1, 5)))"
    )
    others = {"catboost", "lightgbm", "xgboost", "sklearn.neural_network", "skops"} - {model.name}
    found = loaded_after(code, tmp_path)
    assert model.name in found
    assert not found & others


@pytest.fixture
def without_boosters(monkeypatch):
    """Make Python believe that the boosters are not installed."""
    find = libraries.find_spec
    for name in ("xgboost", "catboost"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(libraries, "find_spec", lambda n: None if n in libraries.EXTRAS else find(n))


@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_a_missing_library_names_the_extra_that_brings_it(name, without_boosters, tmp_path):
    assert name in CATALOG
    hint = r'pip install "onward\[boosters\]"'
    model = CATALOG[name](n_rounds=2)  # type: ignore[call-arg]
    with pytest.raises(ModelError, match=hint):
        model_class(name)
    with pytest.raises(ModelError, match=hint):
        model.fit(*example_rows(50))


@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_a_saved_model_whose_library_is_missing_says_so(name, tmp_path, request):
    CATALOG[name](n_rounds=2).fit(*example_rows(50)).save(tmp_path)  # type: ignore[call-arg]
    request.getfixturevalue("without_boosters")
    with pytest.raises(ModelError, match="boosters"):
        CATALOG[name].load(tmp_path)


def test_a_library_without_an_extra_is_named_by_itself():
    with pytest.raises(ModelError, match="pip install nothing_of_that_name"):
        import_library("nothing_of_that_name")
    with pytest.raises(ModelError, match="nothing_of_that_name is not installed"):
        require_library("nothing_of_that_name")
