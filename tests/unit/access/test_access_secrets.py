"""What secrets look like, and what is kept of them."""

from __future__ import annotations

import hashlib
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.access import secrets as module
from onward.access.authenticator import Credential
from onward.access.secrets import csrf_token_of, digest_of, key_id_of, new_key, new_session, same
from onward.access.store import SqlAccessStore


def test_keys_hold_256_random_bits_and_a_public_id() -> None:
    made = [new_key() for _ in range(200)]
    assert len({secret.text for _, secret in made}) == len({key_id for key_id, _ in made}) == 200
    for key_id, secret in made:
        assert secret.text.startswith(f"onward_{key_id}_")
        assert len(secret.text.split("_", 2)[2]) == 43, "32 bytes in base64"
        assert key_id_of(secret.text) == key_id
        assert secret.digest == hashlib.sha256(secret.text.encode()).hexdigest()


def test_secrets_do_not_show_themselves() -> None:
    _, key = new_key()
    for shown in (repr(key), str(key), f"{key}", repr(Credential.of("key", key.text))):
        assert key.text not in shown
        assert key.text.split("_", 2)[2] not in shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "onward_",
        "onward_0123456789_",
        "onward_0123456789_" + "x" * 42,
        "onward_0123456789_" + "x" * 44,
        "Onward_0123456789_" + "x" * 43,
        "onward_012345678G_" + "x" * 43,
        "onward_0123456789_" + "é" * 43,
        "onward_0123456789_" + "x" * 43 + "\n",
        "onward_\u0660123456789_" + "x" * 43,
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert key_id_of(text) is None


@given(st.text(max_size=300))
def test_any_text_has_a_digest_and_is_no_other(text: str) -> None:
    assert len(digest_of(text)) == 64
    assert key_id_of(text) is None
    assert not same(text, digest_of("another"))
    assert not same(text, None)


def test_a_key_is_not_what_an_absent_one_is_compared_with() -> None:
    assert same("a" * 64, "a" * 64)
    assert not same(module.NOTHING, None), "even if somebody found what hashes to nothing"


def test_tokens_follow_from_their_session_alone() -> None:
    one, other = new_session(), new_session()
    assert csrf_token_of(one.text) == csrf_token_of(one.text) != csrf_token_of(other.text)
    assert csrf_token_of(one.text) not in (one.text, one.digest)


def test_comparisons_take_the_same_time_whatever_they_find() -> None:
    """Secrets meet in one place; databases are asked for public ids and digests alone."""
    assert "hmac.compare_digest" in inspect.getsource(same)
    assert "same(digest_of(text)" in inspect.getsource(SqlAccessStore.find_key)
    assert "same(digest" in inspect.getsource(SqlAccessStore.find_session)
