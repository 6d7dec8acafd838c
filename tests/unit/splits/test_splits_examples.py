"""Examples in docstrings of labels and splits do what they show."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module", ["onward.labels.threshold", "onward.splits.purged_kfold", "onward.splits.walk_forward"]
)
def test_docstring_examples(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0
