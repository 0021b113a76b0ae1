"""Names of hosts: which of them no public authority signs, and which a certificate covers.

Facts: a public authority signs neither names without a dot, nor special-use names (RFC 6761, RFC 6762, RFC 8375,
`.internal` by ICANN's decision of 2024), nor addresses that are not public. A wildcard covers exactly one label
(RFC 6125 section 6.4.3). Nothing is resolved here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container

_SPECIAL = (".localhost", ".local", ".test", ".example", ".invalid", ".internal", ".home.arpa", ".lan")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST = 253


def is_local(name: str) -> bool:
    """Tell whether no public authority would sign this name (lower-case; `*.localhost` counts)."""
    address = address_of(name)
    if address is not None:
        return not address.is_global and not address.is_multicast and not address.is_unspecified
    bare = name.removeprefix("*.")
    if not is_name(bare):
        return False
    return ("." not in bare and bare == name) or bare == "localhost" or bare.endswith(_SPECIAL)


def is_name(name: str) -> bool:
    """Tell a host's name, lower-case and without a dot at the end, from anything else."""
    return len(name) <= _LONGEST and all(_LABEL.fullmatch(label) for label in name.split("."))


def address_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a name is, `[::1]` too; None when it is a name."""
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def coverers(name: str) -> tuple[str, ...]:
    """Return the names of certificates that serve a name: itself, and the wildcard of its first label."""
    label, dot, rest = name.partition(".")
    return (name, f"*.{rest}") if label and dot and rest and label != "*" else (name,)


def is_covered(name: str, by: Container[str]) -> bool:
    """Tell whether a certificate of these names serves this one."""
    return any(pattern in by for pattern in coverers(name))
