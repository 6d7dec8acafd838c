import numpy as np
import pytest

from onward.errors import LabelError
from onward.labels import require_classes


def test_two_classes_are_enough():
    require_classes(np.array([0, 1, 1]))
    require_classes(np.array([-1, 0, 1]), at_least=3)


@pytest.mark.parametrize(
    ("y", "what"),
    [
        ([], "carry no labels"),
        ([1, 1], "too few different classes; got up x 2"),
        ([0, 2], "not classes; got 2"),
        ([0.0, np.nan], "not classes; got nan"),
    ],
)
def test_labels_that_teach_nothing_are_refused(y, what):
    with pytest.raises(LabelError, match=what) as caught:
        require_classes(np.array(y), where="the training rows of fold 3")
    assert str(caught.value).startswith("the training rows of fold 3")
    assert caught.value.remedy
