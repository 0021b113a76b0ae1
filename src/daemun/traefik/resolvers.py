"""Certificate resolvers of Traefik's static configuration, typed: whom to ask for certificates, and how to prove.

Facts (Traefik v3.7): Let's Encrypt's production directory, `acme.json`, certificates of 2160 h, 2 m for the client and
30 s for a response head. Decisions: keyType is EC256 unless said (Traefik: RSA4096, whose signature costs a client's
wait); dnsChallenge comes later. What these options do is the business of `daemun.acme`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from daemun import needs
from daemun.config.durations import Seconds
from daemun.config.section import Names, Section, fold_case

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
KeyType = Annotated[Literal["ec256", "ec384", "rsa2048", "rsa4096", "rsa8192"], BeforeValidator(fold_case)]


class Eab(Section):
    """An account's binding to one the authority knows already (RFC 8555 section 7.3.4)."""

    kid: str
    # Base64url, as the authority gave it.
    hmac_encoded: str = Field(repr=False)


class HttpChallenge(Section):
    """Prove by an answer at port 80 (RFC 8555 section 8.3)."""

    entry_point: str = ""
    delay: Seconds = 0.0


class TlsChallenge(Section):
    """Prove by a handshake at port 443 (RFC 8737)."""

    delay: Seconds = 0.0


class Acme(Section):
    """An authority that speaks ACME, and the account there."""

    not_yet: ClassVar[tuple[str, ...]] = ("dnsChallenge",)
    email: str = ""
    ca_server: str = LETS_ENCRYPT
    # Roots to believe the authority by, besides the system's when `ca_system_cert_pool` is set.
    ca_certificates: Names = ()
    ca_system_cert_pool: bool = False
    ca_server_name: str = ""
    storage: str = "acme.json"
    key_type: KeyType = "ec256"
    certificates_duration: int = Field(default=2160, ge=1)
    eab: Eab | None = None
    preferred_chain: str = ""
    profile: str = ""
    email_addresses: Names = ()
    disable_common_name: bool = False
    client_timeout: Seconds = 120.0
    client_response_header_timeout: Seconds = 30.0
    certificate_timeout: Seconds = 30.0
    http_challenge: HttpChallenge | None = None
    tls_challenge: TlsChallenge | None = None


class Resolver(Section):
    """A way to certificates; ACME is the only one."""

    not_yet: ClassVar[tuple[str, ...]] = ("tailscale",)
    acme: Acme | None = None


def needed_resolver(name: str, options: Acme) -> needs.Resolver:
    """Return a resolver's options in the words of `daemun.needs`."""
    http, tls = options.http_challenge, options.tls_challenge
    return needs.Resolver(
        name=name,
        ca_server=options.ca_server,
        storage=options.storage,
        email=options.email,
        ca_certificates=options.ca_certificates,
        ca_system_roots=options.ca_system_cert_pool,
        ca_server_name=options.ca_server_name,
        key_type=needs.KeyType(options.key_type.upper()),
        certificates_duration=options.certificates_duration,
        eab=None if options.eab is None else needs.Eab(kid=options.eab.kid, hmac=options.eab.hmac_encoded),
        preferred_chain=options.preferred_chain,
        profile=options.profile,
        email_addresses=options.email_addresses,
        disable_common_name=options.disable_common_name,
        http_entry_point=None if http is None else http.entry_point,
        http_delay=0.0 if http is None else http.delay,
        tls_challenge=tls is not None,
        tls_delay=0.0 if tls is None else tls.delay,
        client_timeout=options.client_timeout,
        response_head_timeout=options.client_response_header_timeout,
        certificate_timeout=options.certificate_timeout,
    )
