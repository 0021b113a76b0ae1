"""Addresses and ranges as Go and the engine read them.

`10.0.0.0/8`, `::1`: an address, or one with a number of bits; no zones, no netmasks, host bits allowed.
Used wherever a language lists peers (trusted ranges, ClientIP). Nothing is resolved.
"""

from __future__ import annotations

import ipaddress


def is_network(text: str) -> bool:
    """Tell whether the text is an address without zone, or one with a number of bits."""
    address, slash, bits = text.partition("/")
    if "%" in address or (slash and not (bits.isascii() and bits.isdigit())):
        return False
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
