"""Where requests go: services, their endpoints, and how the engine talks to them.

Identity of an endpoint is (service, address, ordinal): what survives a change of the Plan hangs on it
(DESIGN.md, law 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemun.plan.codec import Newtype
from daemun.plan.origin import Origin
from daemun.plan.scalars import U16, U32, U64, Id, Millis
from daemun.plan.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A destination of requests."""

    origin: Origin
    kind: ServiceKind


@dataclass(frozen=True, slots=True)
class Weighted(Newtype):
    """Shares of traffic to other services."""

    services: tuple[WeightedService, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """The endpoint is made from the request (`proxy_pass http://$host`)."""

    address: Template
    scheme: UpstreamScheme
    transport: Id
    retry: Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedService:
    """A service and its share."""

    service: Id
    weight: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """Endpoints and the way to choose among them."""

    strategy: Strategy
    endpoints: tuple[Endpoint, ...]
    # Of the list of endpoints; `set_endpoints` with an older one is refused.
    generation: U64
    transport: Id
    rest: Rest
    retry: Retry


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Smooth weighted round robin: in order when the weights are equal."""


@dataclass(frozen=True, slots=True)
class LeastConnections:
    """The fewest running requests per weight; ties in order."""


@dataclass(frozen=True, slots=True)
class IpHash:
    """The client's address, by rendezvous hashing: a server that leaves moves only its own clients."""


@dataclass(frozen=True, slots=True)
class NginxIpHash:
    """nginx's `ip_hash`: three octets of IPv4, the whole of IPv6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash:
    """A key; `consistent` is ketama's ring."""

    key: Template
    consistent: bool


@dataclass(frozen=True, slots=True)
class PowerOfTwo:
    """Two at random, the one with fewer running requests."""


@dataclass(frozen=True, slots=True)
class LeastTime:
    """The lowest response time times running requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One upstream address."""

    # `host:port` or `unix:/path`.
    address: str
    scheme: UpstreamScheme
    # Tells endpoints of the same address apart; identity is (service, address, ordinal).
    ordinal: U32
    weight: U32
    # Requests at once; 0 for no limit.
    max_connections: U32
    # Used when no other lives.
    backup: bool
    # Never used, but keeps its place in hashes.
    down: bool
    # As the user wrote it (a URL); given to logs.
    url: str
    # Instead of the service's (nginx `max_fails`, `fail_timeout` of one server).
    rest: Rest | None


class UpstreamScheme(StrEnum):
    """What is spoken to an endpoint."""

    HTTP = "http"
    HTTPS = "https"
    H2C = "h2c"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """When an endpoint is left alone (nginx `max_fails`, `fail_timeout`; Traefik passive health)."""

    # Failures within `window_ms` that send it to rest; 0 never.
    failures: U32
    window_ms: Millis
    rest_ms: Millis
    # A service of one endpoint never rests.
    spare_single: bool
    # When every endpoint rests, one that was left alone for so long is asked all the same; 0: at once.
    early_ms: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a request goes to another endpoint. Nothing is sent again once the client got a byte."""

    on: tuple[RetryOn, ...]
    # Endpoints tried in all; 0 for every one.
    tries: U32
    # No new try after this; 0 for no limit.
    timeout_ms: Millis
    # Requests with unsafe methods that were sent may be sent again.
    non_idempotent: bool
    # A bodyless GET, HEAD, OPTIONS or TRACE whose reused connection dies before the first byte is sent again.
    resend_on_stale: bool


@dataclass(frozen=True, slots=True)
class Unsent:
    """Provably unsent: refused, unreachable, connect timeout."""


@dataclass(frozen=True, slots=True)
class Error:
    """Reset or closed before a response head."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """No response head in time."""


@dataclass(frozen=True, slots=True)
class InvalidResponse:
    """A response head that cannot be read."""


@dataclass(frozen=True, slots=True)
class Status(Newtype):
    """A response of this status."""

    status: U16


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How the engine talks to endpoints."""

    protocol: UpstreamProtocol
    connect_ms: Millis
    # From the end of the request to the response head.
    response_head_ms: Millis
    # Between two reads of a response.
    read_idle_ms: Millis
    # Between two writes of a request.
    write_idle_ms: Millis
    pool: Pool
    limits: ResponseLimits
    # How long a resolved name holds at most; the record's TTL if it is shorter. At least one second.
    resolve_ms: Millis
    tls: UpstreamTls | None


class UpstreamProtocol(StrEnum):
    """The HTTP version upstream."""

    HTTP10 = "http10"
    HTTP11 = "http11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Reuse of upstream connections."""

    # Idle connections an endpoint, over all threads; 0 for no reuse.
    max_idle: U32
    idle_ms: Millis
    # Methods that are not safe reuse only connections idle for less than this.
    unsafe_idle_ms: Millis
    # Requests on one connection; 0 for no limit.
    max_requests: U64
    max_age_ms: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLimits:
    """How responses are judged (502)."""

    head_bytes: U32
    fields: U32
    chunk_line_bytes: U32
    # A bare LF ends a head line; it goes on as CRLF.
    bare_lf: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamTls:
    """TLS towards endpoints."""

    verify: bool
    # The name goes into the handshake (SNI).
    send_name: bool
    # The name to ask for and to verify; the endpoint's host when absent.
    server_name: Template | None
    # Secrets that hold roots in PEM; the system's when empty.
    roots: tuple[Id, ...]
    # A certificate to show.
    certificate: Id | None


ServiceKind = Balanced | Weighted | Dynamic
Strategy = RoundRobin | LeastConnections | IpHash | NginxIpHash | Hash | PowerOfTwo | LeastTime
RetryOn = Unsent | Error | Timeout | InvalidResponse | Status
