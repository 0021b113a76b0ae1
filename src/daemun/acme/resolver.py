"""What the configuration asks of ACME: resolvers (whom to ask, and how to prove) and wishes (for which names).

Lowered from the static model (`certificatesResolvers`) and from routers; this module knows no configuration language,
and no default but the ones that mean "not given".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from daemun.plan.origin import Origin


class KeyType(StrEnum):
    """The kind of key that a new certificate gets."""

    EC256 = "EC256"
    EC384 = "EC384"
    RSA2048 = "RSA2048"
    RSA4096 = "RSA4096"
    RSA8192 = "RSA8192"


@dataclass(frozen=True, slots=True, kw_only=True)
class Eab:
    """The account at the authority that an ACME account is bound to (RFC 8555 section 7.3.4)."""

    kid: str
    # Base64url, as the authority gave it.
    hmac: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """One `certificatesResolvers.NAME.acme`.

    `storage` is a path, relative to the instance's directory. `certificates_duration` is in hours, what the user says
    the authority's certificates last. `http_entry_point` is None without HTTP-01. The timeouts are seconds: of a whole
    request to the authority, of its response head, and of an order's way from finalizing to the certificate.
    `http_delay` and `tls_delay` are the pause between putting an answer up and telling the authority, seconds.
    """

    name: str
    ca_server: str
    storage: str
    email: str = ""
    ca_certificates: tuple[str, ...] = ()
    ca_system_roots: bool = False
    ca_server_name: str = ""
    key_type: KeyType = KeyType.EC256
    certificates_duration: int = 2160
    eab: Eab | None = None
    preferred_chain: str = ""
    profile: str = ""
    email_addresses: tuple[str, ...] = ()
    disable_common_name: bool = False
    http_entry_point: str | None = None
    http_delay: float = 0.0
    tls_challenge: bool = False
    tls_delay: float = 0.0
    client_timeout: float = 120.0
    response_head_timeout: float = 30.0
    certificate_timeout: float = 30.0
    origin: Origin | None = None


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
