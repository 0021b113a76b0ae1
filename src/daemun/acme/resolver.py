"""What the configuration asks of ACME: resolvers (whom to ask, and how to prove) and wishes (for which names).

Lowered from the static model (`certificatesResolvers`) and from routers; this module knows no configuration language,
and no default but the ones that mean "not given".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from daemun.needs import Eab, KeyType, Resolver
from daemun.plan.origin import Origin

__all__ = ["Eab", "KeyType", "Resolver", "Wish", "certificate_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Names for which a router or an entry point wants a certificate, the main one first."""

    resolver: str
    names: tuple[str, ...]
    origin: Origin


def certificate_id(resolver: str, names: tuple[str, ...]) -> str:
    """Return the id of the certificate of these names: the same after each renewal, whatever their order."""
    if len(names) == 1:
        return f"acme:{resolver}:{names[0]}"
    digest = hashlib.sha256(",".join(sorted(names)).encode()).hexdigest()[:8]
    return f"acme:{resolver}:{names[0]}+{digest}"
