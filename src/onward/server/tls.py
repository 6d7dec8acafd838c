"""Certificate and private key, tried before anything listens."""

from __future__ import annotations

import ssl
from typing import NamedTuple

from onward.config.server import ServerConfig
from onward.errors import ConfigError

__all__ = ["TlsFiles", "tls_files"]


class TlsFiles(NamedTuple):
    """Paths of a certificate and its private key, which belong together."""

    certificate: str
    private_key: str


def tls_files(config: ServerConfig) -> TlsFiles | None:
    """Return the files to speak TLS with; None when no certificate is set.

    Raises
    ------
    ConfigError
        When a file cannot be read, is none, is protected by a passphrase, or the two do not belong
        together.
    """
    if config.certificate is None and config.private_key is None:
        return None
    if config.certificate is None or config.private_key is None:
        raise ConfigError(
            "a certificate and its private key belong together",
            got=f"only server.{'private_key' if config.certificate is None else 'certificate'}",
            allowed="both, or neither: plain HTTP",
            remedy="Set the other one as well.",
        )
    certificate, key = str(config.certificate), str(config.private_key)

    def no_passphrase() -> str:
        raise ValueError("the private key is protected by a passphrase")

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, no_passphrase)
    except (OSError, ValueError) as error:  # ssl's own errors are of the operating system's kind
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            "the certificate cannot be used",
            got=f"{certificate}, {key} ({reason})",
            allowed="PEM files that belong together, the key without a passphrase",
            remedy="Correct server.certificate and server.private_key; both must be readable here.",
        ) from error
    return TlsFiles(certificate, key)
