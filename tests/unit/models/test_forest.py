import numpy as np
import pytest

from onward.errors import ModelError
from onward.models import ExtraTreesModel, RandomForestModel, threads
from onward.testing.models import example_rows

FORESTS = [RandomForestModel, ExtraTreesModel]


@pytest.mark.parametrize("forest", FORESTS)
def test_the_probabilities_are_scikit_learns(forest):
    X, y = example_rows()
    model = forest(n_trees=20, n_threads=1).fit(X, y)
    expected = model.estimator_.predict_proba(X.to_numpy(np.float32))
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)


@pytest.mark.parametrize("forest", FORESTS)
def test_rows_shared_out_between_threads_give_the_same_bits(forest, monkeypatch):
    X, y = example_rows(1_000)
    model = forest(n_trees=20, n_threads=3).fit(X, y)
    alone = model.predict_proba(X)
    monkeypatch.setattr(threads, "CELLS_A_THREAD", 100)
    np.testing.assert_array_equal(model.predict_proba(X), alone)
    np.testing.assert_array_equal(model.predict_proba(X.iloc[:2]), alone[:2])


@pytest.mark.parametrize("forest", FORESTS)
def test_leaves_hold_their_share_of_a_trees_rows(forest):
    X, y = example_rows(2_000)
    model = forest(n_trees=10, bagging_fraction=0.5, min_leaf_fraction=0.1).fit(X, y)
    for tree in model.estimator_.estimators_:
        leaves = tree.tree_.children_left == -1
        # Rows drawn twice are counted once here, by weight there; the library's limit counts rows.
        assert tree.tree_.n_node_samples[leaves].min() >= 100
        assert tree.tree_.weighted_n_node_samples[0] == 1_000


def test_every_tree_counts_for_what_it_found():
    X, y = example_rows(2_000)
    gain = ExtraTreesModel(n_trees=50, feature_fraction=0.3).fit(X, y).gain()
    assert gain[0] > 5 * gain[1:].max()


@pytest.mark.parametrize("forest", FORESTS)
def test_parameters_scikit_learn_refuses_are_a_model_error(forest):
    with pytest.raises(ModelError, match=r"scikit-learn refused to train.*max_features"):
        forest(feature_fraction=-1.0).fit(*example_rows())
