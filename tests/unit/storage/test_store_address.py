"""Addresses, credentials and names: what could mean another place is refused before anybody is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.errors import ConfigError, StorageError
from onward.storage import StoreOptions
from onward.storage.address import check_endpoint, check_key, parse_address


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("s3://models", "models", ""),
        ("s3://models/", "models", ""),
        ("s3://my.bucket-1/team/onward/", "my.bucket-1", "team/onward"),
    ],
)
def test_addresses(text, bucket, prefix):
    address = parse_address(text)
    assert (address.bucket, address.prefix) == (bucket, prefix)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/mnt/shared",
        "file:///mnt/shared",
        "gs://bucket/prefix",
        "s3://",
        "s3://B/x",
        "s3://bucket/../other",
        "s3://bucket/a//b",
        "s3://bucket/a/./b",
        "s3://bucket/a\\b",
        "s3://bucket:9000/x",
        "s3://bucket/x?versionId=1",
        "s3://[bad/x",
        "s3://bucket/" + "x" * 600,
        "s3://bucket/a\nb/..",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ConfigError, match=r"storage\.artifacts"):
        parse_address(text)


def test_credentials_do_not_belong_into_addresses_and_are_not_repeated():
    with pytest.raises(ConfigError, match="credentials") as caught:
        parse_address("s3://key:hush@bucket/x")
    assert "hush" not in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        check_endpoint("https://key:hush@host")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["host:9000", "ftp://host", "http://", "http://host:0x", "http://h?x=1", "http://["]
)
def test_what_is_no_endpoint_is_refused(text):
    with pytest.raises(ConfigError, match="artifacts_endpoint"):
        check_endpoint(text)


def test_half_of_the_credentials_is_refused_and_none_are_shown():
    with pytest.raises(ConfigError, match="artifacts_key alone"):
        StoreOptions("s3://bucket", key="k")
    whole = StoreOptions("s3://bucket", endpoint="http://host:9000/", key="k", secret="hush")
    assert "hush" not in repr(whole)
    assert whole.endpoint == "http://host:9000"
    assert StoreOptions.from_json(whole.to_json()) == whole


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\\b", "a\0", "a\nb", "x" * 256]
)
def test_names_that_could_mean_another_place_are_refused(name):
    with pytest.raises(StorageError, match="name of an artifact"):
        check_key(name)


@given(st.text(max_size=40))
def test_a_key_never_leaves_its_prefix_and_leads_back_to_its_name(name):
    address = parse_address("s3://bucket/team/onward")
    try:
        key = address.key(name)
    except StorageError:
        return
    assert key.startswith("team/onward/")
    assert ".." not in key.split("/")
    assert address.name(key) == name


def test_keys_of_others_are_not_ours():
    address = parse_address("s3://bucket/team")
    assert address.name("team2/x") is None
    assert address.name("team/../x") is None
    with pytest.raises(StorageError):
        address.key("/".join(["x" * 200] * 6))
