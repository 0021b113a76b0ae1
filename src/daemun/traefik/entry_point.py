"""An entry point of Traefik's static configuration: a listening address and its policies.

One of the models static.py is made of, with Traefik's defaults; the address is split here, once.
What an entry point means for routers (asDefault, redirections) is decided when lowering.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from daemun.config.durations import Seconds
from daemun.config.networks import is_network
from daemun.config.section import Names, Section
from daemun.traefik.tls import OptionalTls

# Traefik: math.MaxInt - 1 on 64 bits, so that a redirection comes before any router.
REDIRECT_PRIORITY = 2**63 - 2
_ADDRESS = re.compile(r"^(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^\[\]/:]*)):(?P<port>\d*)(?:/(?P<proto>\w+))?$")
_HIGHEST_PORT = 65535


def _ranges(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is neither an address nor a range."""
    for value in values:
        if not is_network(value):
            message = f"{value!r} is neither an IP address nor a range such as 10.0.0.0/8"
            raise ValueError(message)
    return values


def _is_literal(host: str) -> bool:
    """Tell whether a host can be bound without asking a name server."""
    if host in {"", "localhost"}:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


Ranges = Annotated[Names, AfterValidator(_ranges)]


class RedirectEntryPoint(Section):
    """Answer every request with a redirection to another entry point."""

    to: str
    scheme: str = "https"
    permanent: bool = True
    priority: int = REDIRECT_PRIORITY


class Redirections(Section):
    """The redirections of an entry point."""

    entry_point: RedirectEntryPoint | None = None


class EncodedCharacters(Section):
    """Which percent-encoded characters a path may carry; all may by default."""

    allow_encoded_slash: bool = True
    allow_encoded_back_slash: bool = True
    allow_encoded_null_character: bool = True
    allow_encoded_semicolon: bool = True
    allow_encoded_percent: bool = True
    allow_encoded_question_mark: bool = True
    allow_encoded_hash: bool = True


class EntryPointHttp(Section):
    """HTTP on an entry point."""

    redirections: Redirections = Redirections()
    middlewares: Names = ()
    encoded_characters: EncodedCharacters = EncodedCharacters()
    encode_query_semicolons: bool = False
    sanitize_path: bool = True
    max_header_bytes: int = Field(default=1_048_576, ge=0)
    underscore_headers_strategy: Literal["keep", "delete", "reject"] = "keep"
    # For the entry point's routers that have none of their own.
    tls: OptionalTls = None


class Http2(Section):
    """HTTP/2 on an entry point."""

    not_yet: ClassVar[tuple[str, ...]] = ("maxDecoderHeaderTableSize", "maxEncoderHeaderTableSize")
    max_concurrent_streams: int = Field(default=250, ge=1)


class ForwardedHeaders(Section):
    """Whose X-Forwarded-* fields are believed."""

    not_yet: ClassVar[tuple[str, ...]] = ("addXForwardedSchemeHeaders",)
    insecure: bool = False
    trusted_ips: Ranges = Field(default=(), alias="trustedIPs")
    connection: Names = ()
    not_append_x_forwarded_for: bool = Field(default=False, alias="notAppendXForwardedFor")


class LifeCycle(Section):
    """How an entry point stops."""

    request_accept_grace_timeout: Seconds = 0.0
    grace_time_out: Seconds = 10.0


class RespondingTimeouts(Section):
    """How long a client may take; 0 is for ever."""

    read_timeout: Seconds = 60.0
    write_timeout: Seconds = 0.0
    idle_timeout: Seconds = 180.0


class Transport(Section):
    """Connections of an entry point; 0 is without limit."""

    life_cycle: LifeCycle = LifeCycle()
    responding_timeouts: RespondingTimeouts = RespondingTimeouts()
    keep_alive_max_time: Seconds = 0.0
    keep_alive_max_requests: int = Field(default=0, ge=0)


class EntryPointObservability(Section):
    """Which observations are made of an entry point's requests."""

    not_yet: ClassVar[tuple[str, ...]] = ("metrics", "tracing", "traceVerbosity")
    access_logs: bool = True


class EntryPoint(Section):
    """A listening address, `[host]:port[/tcp|/udp]`, and its policies."""

    not_yet: ClassVar[tuple[str, ...]] = ("http3", "proxyProtocol", "udp", "allowACMEByPass")
    address: str
    as_default: bool = False
    reuse_port: bool = False
    http: EntryPointHttp = EntryPointHttp()
    http2: Http2 = Http2()
    forwarded_headers: ForwardedHeaders = ForwardedHeaders()
    transport: Transport = Transport()
    observability: EntryPointObservability = EntryPointObservability()

    @field_validator("address")
    @classmethod
    def _check_address(cls, value: str) -> str:
        match = _ADDRESS.match(value)
        if match is None or not match["port"]:
            message = f"{value!r} is no address: write :80, 127.0.0.1:80, [::1]:80 or :53/udp"
            raise ValueError(message)
        if int(match["port"]) > _HIGHEST_PORT:
            message = f"port {match['port']} is above {_HIGHEST_PORT}"
            raise ValueError(message)
        if (match["proto"] or "tcp").lower() not in {"tcp", "udp"}:
            message = f"{match['proto']!r} is no protocol: write tcp or udp"
            raise ValueError(message)
        if not _is_literal(match["v6"] or match["host"] or ""):
            message = f"{value!r} names a host: write its address, such as 127.0.0.1:80, or :80 for all"
            raise ValueError(message)
        return value

    @property
    def host(self) -> str:
        """Return the address to bind, empty for all of them."""
        match = _ADDRESS.match(self.address)
        host = "" if match is None else (match["v6"] or match["host"] or "")
        return "127.0.0.1" if host == "localhost" else host

    @property
    def port(self) -> int:
        """Return the port to bind."""
        match = _ADDRESS.match(self.address)
        return 0 if match is None else int(match["port"])

    @property
    def is_udp(self) -> bool:
        """Tell whether this entry point takes datagrams."""
        return self.address.lower().endswith("/udp")
