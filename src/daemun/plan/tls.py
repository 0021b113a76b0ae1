"""TLS towards clients. Keys and certificates come apart from the Plan (DESIGN.md, law 7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemun.plan.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate known by name; its bytes come by `put_certificate`."""

    origin: Origin
    # Names it serves, as SNI asks for them.
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """The terms of a handshake."""

    min_version: TlsVersion
    max_version: TlsVersion
    # IANA names in order of preference; the library's own when empty.
    cipher_suites: tuple[str, ...]
    # Named groups in order of preference; the library's own when empty.
    groups: tuple[str, ...]
    alpn: tuple[str, ...]
    # No certificate for the SNI ends the handshake.
    sni_strict: bool
    # The handshake is always refused (nginx `ssl_reject_handshake`).
    reject: bool
    session_tickets: bool
    client_auth: ClientAuth | None


class TlsVersion(StrEnum):
    """A version of TLS."""

    V12 = "1.2"
    V13 = "1.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAuth:
    """Certificates of clients."""

    # A certificate must be shown and verified.
    required: bool
    # Secrets that hold roots in PEM.
    roots: tuple[str, ...]
