"""Names are safe everywhere; references have one meaning."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.errors import RegistryError
from onward.naming.names import check_alias, check_name, check_number
from onward.naming.references import Reference, parse_reference

NAMES = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,40}\Z").filter(
    lambda name: name.lower() not in ("con", "prn", "aux", "nul") and name.lower()[:3] not in ("com", "lpt")
)
ALIASES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9._-]{0,40}\Z").filter(lambda alias: alias.lower() != "latest")


@given(NAMES, st.integers(1, 999_999_999), ALIASES)
def test_references_round_trip(name: str, number: int, alias: str) -> None:
    for reference in (Reference(name), Reference(name, version=number), Reference(name, alias=alias)):
        assert parse_reference(str(reference)) == reference
        assert parse_reference(str(reference).removeprefix("models:/")) == reference


@given(st.text(max_size=20) | st.text("models:/@a1.-", max_size=20))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    with suppress(RegistryError):
        reference = parse_reference(text)
        assert parse_reference(str(reference)) == reference
        assert "/" not in reference.name


@pytest.mark.parametrize(
    "name", [None, 7, b"x", "", ".", "..", "a/b", "a\\b", "-a", "a ", "a\n", "CON", "nul.txt", "ü"]
)
def test_bad_names(name: object) -> None:
    with pytest.raises(RegistryError, match="cannot have this name"):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "btc-1h", "BTC_USD.1h", "x" * 100, "0", "console"])
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("alias", [None, "", "1", "latest", "LATEST", "a b", "a/b", "@"])
def test_bad_aliases(alias: object) -> None:
    with pytest.raises(RegistryError, match="cannot have this name"):
        check_alias(alias)


@pytest.mark.parametrize("number", [0, -1, True, "1", 1.0, None, 2**31])
def test_bad_numbers(number: object) -> None:
    with pytest.raises(RegistryError, match="not the number of a version"):
        check_number(number)
