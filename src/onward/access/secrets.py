"""Making and reading secrets: keys, cookies of sessions, and the tokens that belong to these.

A key is ``onward_ID_SECRET``: ten hexadecimal digits that may be shown, and 256 random bits that
may not. Of a secret only its SHA-256 is stored. That is enough: slow and salted hashes protect
what people think of, and nobody guesses 256 random bits.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

__all__ = ["Secret", "csrf_token_of", "digest_of", "key_id_of", "new_key", "new_session", "same"]

KEY = re.compile(r"onward_([0-9a-f]{10})_[A-Za-z0-9_-]{43}", re.ASCII)
ID_BYTES = 5
SECRET_BYTES = 32
NOTHING = "0" * 64


@dataclass(frozen=True)
class Secret:
    """Something that is shown once.

    Attributes
    ----------
    text
        The secret itself; it does not appear in ``repr``.
    digest
        What is stored of it.
    """

    text: str
    digest: str

    def __repr__(self) -> str:
        return f"Secret({self.digest[:8]}...)"


def new_key() -> tuple[str, Secret]:
    """Return the id of a new key, and the key."""
    key_id = secrets.token_hex(ID_BYTES)
    text = f"onward_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return key_id, Secret(text, digest_of(text))


def new_session() -> Secret:
    """Return what the cookie of a new session holds."""
    text = secrets.token_urlsafe(SECRET_BYTES)
    return Secret(text, digest_of(text))


def key_id_of(text: str) -> str | None:
    """Return the id in a key; None when the text is no key, whoever made it."""
    found = KEY.fullmatch(text)
    return found[1] if found else None


def digest_of(text: str) -> str:
    """Return the SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_token_of(session: str) -> str:
    """Return the token that unsafe requests of a session must carry.

    It follows from the cookie, which no page can read and no other site knows; from the token
    nobody gets back to the cookie.
    """
    mac = hmac.new(session.encode("utf-8", "surrogatepass"), b"onward csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode("ascii")


def same(given: str, kept: str | None) -> bool:
    """Return whether two digests or tokens are the same, in a time that tells nothing.

    ``kept`` None (there is no such thing) takes as long as any other answer.
    """
    equal = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), (kept or NOTHING).encode())
    return equal and kept is not None
