"""Everything named `tls` in Traefik's configuration, typed, with Traefik's defaults.

What entry points and routers ask for, and the dynamic section with its certificates, options and stores.

Facts (Traefik v3.7): a file's name and a PEM text are written in the same option; `tls: {}` alone switches TLS on, and
so does `true`. Which versions, suites and curves there are is judged in lower_tls_options.py. No file is read here.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from daemun.config.section import Names, Section, fold_case

DEFAULT = "default"
ALPN_DEFAULT = ("h2", "http/1.1", "acme-tls/1")

ClientAuthType = Annotated[
    Literal[
        "noclientcert",
        "requestclientcert",
        "requireanyclientcert",
        "verifyclientcertifgiven",
        "requireandverifyclientcert",
    ],
    BeforeValidator(fold_case),
]


def _switch(value: object) -> object:
    """Take `tls: true`, and a text that is empty, for `tls: {}`, and `false` for nothing."""
    if value is True or (isinstance(value, str) and value.strip().lower() in {"true", ""}):
        return {}
    if value is False or (isinstance(value, str) and value.strip().lower() == "false"):
        return None
    return value


class Domain(Section):
    """Names of one certificate: the main one and others."""

    main: str = ""
    sans: Names = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name once, the main one first, lower-case and without a dot at the end."""
        named = (self.main, *self.sans)
        return tuple(dict.fromkeys(name.strip().lower().removesuffix(".") for name in named if name.strip()))


class Tls(Section):
    """TLS of a router, or of an entry point for its routers that say nothing of their own."""

    options: str = ""
    cert_resolver: str = ""
    domains: tuple[Domain, ...] = ()


OptionalTls = Annotated[Tls | None, BeforeValidator(_switch)]


class KeyPair(Section):
    """A certificate and its key: names of files, or PEM texts."""

    cert_file: str
    key_file: str = Field(repr=False)


class TlsCertificate(KeyPair):
    """A pair that is shown to clients that ask for one of its names."""

    # Traefik has only one store, whatever is written.
    stores: Names = ()


class ClientAuth(Section):
    """Certificates of clients."""

    ca_files: Names = ()
    client_auth_type: ClientAuthType | None = None

    @property
    def wanted(self) -> bool:
        """Tell whether anything is asked of clients."""
        return bool(self.ca_files) or self.client_auth_type not in {None, "noclientcert"}


class TlsOptions(Section):
    """The terms of a handshake."""

    # Traefik accepts it, warns and does nothing, as Go does.
    elsewhere: ClassVar[dict[str, str]] = {
        "clientCA": "this was v1: write clientAuth.caFiles",
    }
    min_version: str = ""
    max_version: str = ""
    cipher_suites: Names = ()
    curve_preferences: Names = ()
    client_auth: ClientAuth = ClientAuth()
    sni_strict: bool = False
    alpn_protocols: Names = ALPN_DEFAULT
    disable_session_tickets: bool = False
    prefer_server_cipher_suites: bool | None = None


class GeneratedCert(Section):
    """A default certificate that a resolver obtains."""

    resolver: str = ""
    domain: Domain = Domain()


class TlsStore(Section):
    """The certificate that is shown when no name matches."""

    default_certificate: KeyPair | None = None
    default_generated_cert: GeneratedCert | None = None
