"""Names of certificates as ACME takes them: in lower case, without a trailing dot, and such as an authority signs.

Which certificate covers which name is the business of `daemun.config.local_names`. Nothing is resolved here.
"""

from __future__ import annotations

from daemun.config.local_names import address_of, is_name


def normal(name: str) -> str:
    """Return the name as it is compared and ordered."""
    return name.strip().lower().rstrip(".")


def is_wildcard(name: str) -> bool:
    """Tell whether the name stands for others; such a name is proven by DNS-01 only."""
    return name.startswith("*.")


def why_not(name: str) -> str:
    """Say why no public authority signs this name; empty when nothing speaks against it."""
    if address_of(name) is not None:
        return f"{name} is an address: certificates are ordered for names only"
    plain = name.removeprefix("*.")
    if "*" in plain:
        return f"{name} has a * that does not stand alone as the first label"
    labels = plain.split(".")
    if not is_name(plain):
        return f"{name!r} is no host name"
    if len(labels) == 1 or labels[-1] in {"localhost", "local", "internal"}:
        return f"{name} is a name of this machine or network, which no public authority signs"
    return ""
