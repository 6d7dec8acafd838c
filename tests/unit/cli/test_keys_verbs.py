"""``onward keys``: made, shown once, listed, revoked, told of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from onward.access.secrets import digest_of, key_id_of


def test_a_key_is_shown_once(cli) -> None:
    assert "No key. Make one" in cli.ok("keys", "list")
    result = cli("keys", "create", "bot", "--scope", "run", "--expires", "90d")
    key = result.stdout.strip()
    key_id = key_id_of(key)
    assert key_id is not None, "standard output has the key and nothing else"
    assert "not shown again" in result.stderr
    (listed,) = cli.json("keys", "list")
    assert (listed["id"], listed["name"], listed["scope"], listed["works"]) == (key_id, "bot", "run", True)
    ends = datetime.fromisoformat(listed["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < ends < timedelta(days=90)
    for shown in (cli.ok("keys", "list"), cli.ok("keys", "list", "--json"), cli.ok("keys", "log", "--json")):
        assert key.rpartition("_")[2] not in shown
        assert digest_of(key) not in shown
    made = cli.json("keys", "create", "other")
    assert (key_id_of(made["key"]), made["scope"], made["expires_at"]) == (made["id"], "read", None)


def test_a_revoked_key_is_listed_on_request(cli) -> None:
    made = cli.json("keys", "create", "bot")
    cli.ok("keys", "create", "other")
    assert "Revoked" in cli.ok("keys", "revoke", "bot")
    assert [key["name"] for key in cli.json("keys", "list")] == ["other"]
    (gone,) = [key for key in cli.json("keys", "list", "--all") if key["id"] == made["id"]]
    assert gone["revoked_at"] is not None
    assert "No key is left" in cli.ok("keys", "revoke", "other")
    said = cli.json("keys", "log", "--limit", "3")
    assert [entry["action"] for entry in said["entries"]] == ["key.revoke", "key.revoke", "key.create"]
    assert {entry["who"] for entry in said["entries"]} == {"local"}
    assert len(cli.json("keys", "log", "--cursor", said["cursor"])["entries"]) == 1
    assert cli.json("keys", "log", "--who", "key:nobody")["entries"] == []
    assert "key.create" in cli.ok("keys", "log", "--action", "key.create")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "bot", "--scope", "amdin"], "Did you mean admin?"),
        (["create", ""], "cannot be called that"),
        (["create", "bot", "--expires", "soon"], "--expires takes a moment"),
        (["create", "bot", "--expires", "2020-01-01"], "cannot end then"),
        (["create", "bot", "--expires", "0d"], "cannot end then"),
        (["create", "bot", "--expires", "999999w"], "cannot end then"),
        (["revoke", "bot"], "there is no such key"),
        (["log", "--cursor", "x"], "cursor is not understood"),
        (["log", "--who", "a\nb"], "there is no such entry"),
    ],
)
def test_refusals_are_messages(cli, arguments: list[str], words: str) -> None:
    assert words in cli.fails("keys", *arguments)


def test_names_are_given_once(cli) -> None:
    cli.ok("keys", "create", "bot")
    assert "onward keys revoke bot" in cli.fails("keys", "create", "bot")
