"""scikit-learn's grammar spoken without scikit-learn: held against scikit-learn's own base classes."""

import subprocess
import sys

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import check_is_fitted

from onward.errors import ModelError
from onward.models import LogisticModel, MomentumModel, PriorModel
from onward.models.estimator import ClassifierGrammar
from onward.testing.models import example_rows


class Guess(ClassifierGrammar):
    """A classifier in the grammar."""

    def __init__(self, *, threshold=0.0, inner=None, seed=0):
        self.threshold = threshold
        self.inner = inner
        self.seed = seed

    def fit(self, X, y, sample_weight=None):
        self.weighed_ = sample_weight is not None
        self.classes_ = np.unique(y)
        self.n_features_in_ = np.asarray(X).shape[1]
        return self

    def predict(self, X):
        return np.where(np.asarray(X)[:, 0] > self.threshold, 1, -1)


class TheirGuess(ClassifierMixin, BaseEstimator):
    """The same, by scikit-learn's classes."""

    __init__ = Guess.__init__
    fit = Guess.fit
    predict = Guess.predict


@pytest.fixture(scope="module")
def rows():
    X, y = example_rows(200)
    return X[["a", "b", "c"]], y


def test_parameters_and_representation_are_those_of_scikit_learn():
    for given in ({}, {"threshold": 0.5}, {"seed": 3, "threshold": -1.0}):
        assert Guess(**given).get_params() == TheirGuess(**given).get_params()
        assert list(Guess(**given).get_params()) == list(TheirGuess(**given).get_params())
        assert "Their" + repr(Guess(**given)) == repr(TheirGuess(**given))
    nested, theirs = Guess(inner=Guess(seed=2)), TheirGuess(inner=TheirGuess(seed=2))
    assert set(nested.get_params()) == set(theirs.get_params())
    assert nested.get_params(deep=False).keys() == {"threshold", "inner", "seed"}
    assert nested.set_params(inner__seed=9, threshold=2.0).inner.seed == 9
    assert repr(nested) == "Guess(inner=Guess(seed=9), threshold=2.0)"
    assert repr(PriorModel()) == "PriorModel()"
    assert "n_bars=np.array" not in repr(MomentumModel())
    assert "array" in repr(Guess(threshold=np.zeros(2)))


def test_unknown_parameters_are_named_and_nothing_is_changed():
    model = Guess()
    with pytest.raises(ModelError, match=r"no parameter 'treshold'.*\n*.*threshold") as refused:
        model.set_params(seed=5, treshold=1.0)
    assert "Did you mean 'threshold'?" in str(refused.value)
    assert model.seed == 0
    with pytest.raises(ModelError, match="inner__seed"):
        model.set_params(inner__seed=1)  # holds no estimator
    with pytest.raises(ModelError, match="seed__x"):
        model.set_params(seed__x=1)


def test_score_is_scikit_learns_accuracy(rows):
    X, y = rows
    model = Guess().fit(X, y)
    weight = np.random.default_rng(0).uniform(size=len(y))
    assert model.score(X, y) == accuracy_score(y, model.predict(X))
    assert model.score(X, y, weight) == pytest.approx(
        accuracy_score(y, model.predict(X), sample_weight=weight), abs=1e-15
    )
    for odd in ((X, y[:-1]), (X, y, weight[:-1]), (X.iloc[:0], y[:0])):
        with pytest.raises(ModelError, match="do not belong together"):
            model.score(*odd)


def test_scikit_learns_tags_and_checks_are_those_of_its_own_classes(rows):
    assert get_tags(Guess()) == get_tags(TheirGuess())
    assert is_classifier(Guess())
    with pytest.raises(NotFittedError):
        check_is_fitted(Guess())
    check_is_fitted(Guess().fit(*rows))
    copy = clone(Guess(threshold=0.5, inner=Guess(seed=4)).fit(*rows))
    assert copy.get_params()["inner__seed"] == 4
    assert not hasattr(copy, "classes_")


def test_searches_pipelines_and_cross_validation_take_it_for_their_own(rows):
    X, y = rows
    assert np.array_equal(cross_val_score(Guess(), X, y, cv=3), cross_val_score(TheirGuess(), X, y, cv=3))
    grid = {"guess__threshold": [-1.0, 0.0, 1.0]}
    searches = []
    for model in (Guess(), TheirGuess()):
        steps = Pipeline([("same", FunctionTransformer()), ("guess", model)])
        searches.append(GridSearchCV(steps, grid, cv=3).fit(X, y))
    ours, theirs = searches
    assert ours.best_params_ == theirs.best_params_
    assert np.array_equal(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])
    assert ours.score(X, y) == theirs.score(X, y)
    assert "Guess" in repr(ours)
    assert "Guess" in ours._repr_html_()


def test_a_half_fitted_model_is_not_taken_for_fitted(rows):
    X, y = rows
    model = LogisticModel()
    with pytest.raises(ModelError, match="one class only"):
        model.fit(X, np.zeros(len(y), dtype=int))
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


def test_metadata_routing_passes_weights_that_were_requested(rows):
    X, y = rows
    weight = np.ones(len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        ours, theirs = (get_routing_for_object(model) for model in (Guess(), TheirGuess()))
        for method in ("fit", "score"):
            assert getattr(ours, method).requests == getattr(theirs, method).requests
        asked = Guess().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        assert asked.set_fit_request() is asked
        fitted = Pipeline([("guess", clone(asked))]).fit(X, y, sample_weight=weight)
        assert fitted["guess"].weighed_
        with pytest.raises(Exception, match="sample_weight"):
            Pipeline([("guess", Guess())]).fit(X, y, sample_weight=weight)


def test_a_model_that_predicts_by_itself_imports_no_scikit_learn(tmp_path):
    X, y = example_rows(60)
    PriorModel().fit(X, y).save(tmp_path)
    code = (
        "import sys; from pathlib import Path; import numpy as np; from onward.models import PriorModel\n"
        "model = PriorModel.load(Path(sys.argv[1])); model.predict(np.zeros((1, 5))); repr(model)\n"
        "model.score(np.zeros((1, 5)), np.array([0]))\n"
        "print([name for name in ('sklearn', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
