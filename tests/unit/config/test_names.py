"""Dotted names: quoted levels stay whole, and every name has one spelling."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.config.layers import flattened, nested
from onward.config.names import canonical, join_name, key_text, split_assignment, split_name
from onward.errors import ConfigError

KEYS = st.text(max_size=8)


@given(st.lists(KEYS, min_size=1, max_size=4))
def test_levels_survive_being_written_and_read(levels):
    assert split_name(join_name(levels)) == levels


@given(st.recursive(st.integers(), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8))
def test_tables_survive_being_flattened(value):
    tables = {"a": value}
    assert nested(flattened(tables)) == tables


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8))
def test_keys_are_written_as_toml_reads_them(key):
    assert tomllib.loads(f"{key_text(key)} = 1") == {key: 1}


def test_one_key_has_one_spelling():
    spellings = ('a."b.c:d".e', "a.'b.c:d'.e", '"a".\'b.c:d\'."e"')
    assert {canonical(name) for name in spellings} == {'a."b.c:d".e'}
    assert split_name("a.b.c") == ["a", "b", "c"]


@pytest.mark.parametrize("name", ['a."b.c', "a.'b", 'a."b"c', 'a.b"c', 'a."b\\q"'])
def test_quotes_that_enclose_no_level_are_refused(name):
    with pytest.raises(ConfigError, match="do not enclose a whole level") as caught:
        split_name(name)
    assert caught.value.got == name
    assert "Close the quote" in str(caught.value)


def test_an_equals_sign_inside_quotes_belongs_to_the_name():
    assert split_assignment('a."b=c".d=e=f') == ('a."b=c".d', "e=f")
    assert split_assignment(" a.b =") == ("a.b", "")
    for text in ("a.b", "=1", '"a=b'):
        assert split_assignment(text) is None
