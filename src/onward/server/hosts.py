"""Addresses: of this machine alone, or not."""

from __future__ import annotations

import functools
import ipaddress

__all__ = ["is_address", "is_loopback"]


@functools.lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Return whether only this machine can come from, or reach, an address; ``localhost`` counts."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


@functools.lru_cache(maxsize=1024)
def is_address(host: str) -> bool:
    """Return whether a host is an address and not a name, which anybody could point anywhere."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
