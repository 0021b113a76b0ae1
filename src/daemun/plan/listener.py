"""Where connections arrive, and the virtual hosts behind one address.

A `Listener` is a listening address with its protocols; its `Hosts` choose a `Host` (nginx's `server`; Traefik has
one a listener) by name. What a host says replaces the listener's terms once the host is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemun.plan.codec import Newtype
from daemun.plan.matching import Pattern
from daemun.plan.origin import Origin
from daemun.plan.scalars import U16, U32, Id, Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One listening address."""

    origin: Origin
    bind: Bind
    # Length of the kernel's accept queue.
    backlog: U32
    # Connections at once on this listener; 0 for no limit. Over it a connection waits in the accept queue.
    max_connections: U32
    # The PROXY protocol before anything else; none when absent.
    proxy_protocol: ProxyProtocol | None
    # Terminates TLS; plain when absent.
    tls: ListenerTls | None
    # What is spoken; over TLS chosen by ALPN, in clear text by the first bytes.
    protocols: tuple[Protocol, ...]
    # The HTTP policy until a virtual host is known.
    http: Id
    hosts: Hosts
    closing: Closing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """`host` is an address literal.

    empty means every address, IPv6 and IPv4 in one socket. Port 0 lets the kernel choose; the engine then says
    which.
    """

    host: str
    port: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class Unix:
    """A Unix socket, made with this mode (octal as a number, such as 384 for 0600)."""

    path: str
    mode: U32


class Protocol(StrEnum):
    """What a listener speaks."""

    HTTP1 = "http1"
    HTTP2 = "http2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyProtocol:
    """Who may speak the PROXY protocol."""

    # Peers whose PROXY header is believed (CIDR); others are refused.
    trusted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerTls:
    """How a listener terminates TLS."""

    # TLS options when no host's name matches the SNI.
    options: Id
    # Certificates to choose from by SNI, in order of preference.
    certificates: tuple[Id, ...]
    # The certificate when none matches; refused when absent.
    default_certificate: Id | None
    # What becomes of a connection that does not begin with a TLS handshake.
    plain: PlainOnTls


class PlainOnTls(StrEnum):
    """What becomes of plain HTTP on a listener with TLS."""

    # Served like any other (Traefik); rules tell them apart by `tls`.
    SERVE = "serve"
    # Its first request is answered with the fault `plain_on_tls` (nginx).
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """How a listener's virtual host is chosen from Host (and SNI).

    Order: exact, longest leading wildcard, longest trailing wildcard, first regex (nginx's rule).
    """

    names: tuple[HostName, ...]
    # The host when no name matches.
    default: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class HostName:
    """A name and the host it leads to."""

    name: NamePattern
    host: Id


@dataclass(frozen=True, slots=True)
class Exact(Newtype):
    """Lower-case, without port; empty for a request without Host."""

    name: str


@dataclass(frozen=True, slots=True)
class Suffix(Newtype):
    """`*.example.org` is `.example.org`: one or more labels before it."""

    suffix: str


@dataclass(frozen=True, slots=True)
class Prefix(Newtype):
    """`www.*` is `www.`: one or more labels after it."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Regex(Newtype):
    """A regular expression over the lower-cased name."""

    pattern: Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A virtual host."""

    origin: Origin
    # Its first name (nginx's `$server_name`), empty when it has none.
    server_name: str
    # Replaces the listener's policy once the host is known.
    http: Id
    # TLS options when this host's name matches the SNI; the listener's when absent.
    tls_options: Id | None
    # Certificates shown when this host's name matches the SNI, in order of preference; chosen as the
    # listener says when empty. nginx asks the server, not the names in the certificate.
    certificates: tuple[Id, ...]
    # Filters that run before the table is searched (nginx's server-level rewrite phase).
    filters: tuple[Id, ...]
    table: Id
    # Answers and logs where no route was found.
    faults: Id
    logs: tuple[Id, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How a listener goes away."""

    # Still accepted for this long after a shutdown was asked for (ping already says 503).
    accept_grace_ms: Millis
    # What runs may end within this.
    grace_ms: Millis


# What to bind.
Bind = Tcp | Unix
NamePattern = Exact | Suffix | Prefix | Regex
