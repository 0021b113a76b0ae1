"""What a configuration needs of certificates, and what there is: the words that languages and certificates share.

    a language ─ Needs ─► daemun.certificates, daemun.acme ─ AtHand ─► the language's lowering

Pure values. Which needs a configuration has is its language's business; nothing is read or made here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from daemun.errors import Place, Problem
from daemun.plan.origin import Origin
from daemun.plan.scalars import Id
from daemun.plan.tls import Certificate

FALLBACK: Id = "traefik-default"
FALLBACK_NAME = "DAEMUN DEFAULT CERT"


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
    """Whom to ask for certificates, and how to prove: Traefik's `certificatesResolvers.NAME.acme`.

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
class PairNeed:
    """A certificate and its key, each the name of a file or a PEM text.

    `passwords` is a file with a password a line, one of which opens the key; empty for a key without.
    """

    certificate: str = field(repr=False)
    key: str = field(repr=False)
    passwords: str = ""
    origin: Origin
    place: Place
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootsNeed:
    """Roots to verify with: the name of a file or a PEM text."""

    content: str = field(repr=False)
    place: Place
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A certificate that a resolver is to obtain: the main name first. `place` is what asks for it."""

    resolver: str
    names: tuple[str, ...]
    origin: Origin
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a configuration needs. `shown` are the pairs for any listener with TLS, in order of preference."""

    terminates: bool
    pairs: Mapping[Id, PairNeed]
    shown: tuple[Id, ...]
    # The pair of the default store, or the names that its resolver's certificate has.
    default: Id | None
    default_names: tuple[str, ...]
    roots: Mapping[Id, RootsNeed]
    wishes: tuple[Wish, ...]
    # Names of routers with TLS that no public authority signs and no resolver is asked for.
    local: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AtHand:
    """Certificates and secrets that can be handed over. The Plan names no other, so that it can be applied.

    `certificates` in order of preference; what no configuration named (from ACME, of the local authority) is shown to
    clients like the pairs of `tls.certificates`, after them. `fallback` is shown when nothing else is the default.
    """

    certificates: Mapping[Id, Certificate]
    secrets: frozenset[Id] = frozenset()
    fallback: Id | None = None


def assume(needs: Needs) -> AtHand:
    """Return everything needed as if it could be read: what lowering without files to look at takes."""
    pairs = {name: Certificate(origin=need.origin, names=()) for name, need in needs.pairs.items()}
    fallback = {FALLBACK: Certificate(origin=Origin(name=FALLBACK_NAME, file="", line=0), names=())}
    return AtHand(
        certificates={**pairs, **(fallback if needs.terminates else {})},
        secrets=frozenset(needs.roots),
        fallback=FALLBACK if needs.terminates else None,
    )


def is_pem(text: str) -> bool:
    """Tell a PEM text from the name of a file."""
    return "-----BEGIN " in text


def pair_id(certificate: str, key: str) -> Id:
    """Return the name under which a pair is handed over: it may be a file's name, and tells nothing of the key."""
    inline = is_pem(certificate)
    told = certificate if inline else f"{certificate}\0{'' if is_pem(key) else key}"
    return f"{'inline' if inline else Path(certificate).name}-{_digest(told)}"


def roots_id(content: str) -> Id:
    """Return the name under which roots are handed over."""
    return f"{'inline' if is_pem(content) else Path(content).name}-{_digest(content)}"


def wildcard_problems(needs: Needs) -> list[Problem]:
    """Say which wildcards cannot be obtained: for whoever does not know whether one is there already."""
    return [
        Problem(
            severity="warning",
            kind="not_yet",
            message=f"not yet: to obtain a certificate for {name} needs dnsChallenge, which comes later",
            place=wish.place,
            subject=wish.origin.name,
        )
        for wish in needs.wishes
        for name in wish.names
        if name.startswith("*")
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
