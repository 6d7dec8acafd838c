"""How numbers are told in messages."""

from __future__ import annotations

import math

import pytest

from onward.errors import DataError, SplitError, about_setting, in_section, told_bars, told_count


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (1_234, "1,234"),
        (10**15 - 1, "999,999,999,999,999"),
        (10**15, "about 1.0e15"),
        (math.comb(1_000, 500), "about 2.7e299"),
    ],
)
def test_counts_beyond_all_counting_are_rounded(number: int, words: str) -> None:
    assert told_count(number) == words


def test_a_count_too_long_to_print_is_told() -> None:
    assert told_count(10**5_000) == "about 1.0e5000"


def test_one_bar_is_one() -> None:
    assert [told_bars(n) for n in (0, 1, 2, 1_200)] == ["0 bars", "1 bar", "2 bars", "1,200 bars"]


def test_errors_name_the_setting_to_change_whatever_layer_found_it() -> None:
    error = SplitError("too few", settings=("n_splits", "labels.horizon_bars"))
    with pytest.raises(SplitError), in_section("validation"):
        raise error
    assert error.settings == ("validation.n_splits", "labels.horizon_bars")
    assert error.to_dict()["setting"] == error.put(str.upper).setting == "validation.n_splits"
    assert DataError("odd").to_dict()["setting"] is None


def test_what_names_no_setting_is_about_the_one_in_hand() -> None:
    for given, told in (((), ("signal",)), (("window_bars",), ("window_bars",))):
        with pytest.raises(DataError) as caught, about_setting("signal"):
            raise DataError("odd", settings=given)
        assert caught.value.settings == told
