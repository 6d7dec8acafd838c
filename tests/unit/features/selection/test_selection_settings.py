"""What the section ``[selection]`` takes reaches the selector, and what it refuses it names."""

from __future__ import annotations

import pytest

from onward.config import SelectionConfig
from onward.errors import ConfigError
from onward.features.selection import AdvancedFeatureSelector

OWN = {"enabled"}
"""Settings that say whether there is a selector at all."""


def values(section):
    return {name: getattr(section, name) for name in type(section).model_fields if name not in OWN}


def test_settings_written_as_text_reach_the_selector():
    section = SelectionConfig.sealed(
        correlation="0.9", null_importance="false", costs="tsfresh=2.5, tsfresh__volume=8"
    )
    selector = AdvancedFeatureSelector(**values(section))
    assert selector.parameters.correlation == 0.9
    assert not selector.parameters.null_importance
    assert selector.parameters.costs == {"tsfresh": 2.5, "tsfresh__volume": 8.0}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_correlation": 0.9}, "correlation"),
        ({"correlation": 0.0}, "selection.correlation"),
        ({"correlation_method": "kendall"}, "spearman"),
        ({"n_bins": 65}, "64"),
        ({"null_share": 1.0}, "< 1"),
        ({"costs": {"manual": "dear"}}, "costs"),
        ({"null_importance": 3}, "true or false"),
    ],
)
def test_wrong_settings_are_refused(wrong, said):
    with pytest.raises(ConfigError, match=said):
        SelectionConfig.sealed(**wrong)
