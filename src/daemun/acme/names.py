"""Names of certificates: what covers what.

Facts (RFC 6125 section 6.4.3, and Traefik): a wildcard stands for exactly one label, the leftmost. Names are compared
in lower case and without a trailing dot. Nothing is resolved here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST = 253


def normal(name: str) -> str:
    """Return the name as it is compared and ordered."""
    return name.strip().lower().rstrip(".")


def is_wildcard(name: str) -> bool:
    """Tell whether the name stands for others; such a name is proven by DNS-01 only."""
    return name.startswith("*.")


def coverers(name: str) -> tuple[str, ...]:
    """Return the names of certificates that serve a name: itself, and the wildcard of its first label."""
    label, dot, rest = name.partition(".")
    return (name, f"*.{rest}") if label and dot and rest and not is_wildcard(name) else (name,)


def is_covered(name: str, patterns: Container[str]) -> bool:
    """Tell whether one of a certificate's names serves this one."""
    return any(pattern in patterns for pattern in coverers(name))


def why_not(name: str) -> str:
    """Say why no public authority signs this name; empty when nothing speaks against it."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return f"{name} is an address: certificates are ordered for names only"
    plain = name.removeprefix("*.")
    if "*" in plain:
        return f"{name} has a * that does not stand alone as the first label"
    labels = plain.split(".")
    if len(name) > _LONGEST or not all(_LABEL.fullmatch(label) for label in labels):
        return f"{name!r} is no host name"
    if len(labels) == 1 or labels[-1] in {"localhost", "local", "internal"}:
        return f"{name} is a name of this machine or network, which no public authority signs"
    return ""
