"""How servers are spoken to, typed, with Traefik's defaults.

`serversTransport` of the static configuration is everyone's default; a service may name one of the dynamic
`http.serversTransports`.

Facts (Traefik v3.7): 200 idle connections an address for 90 s, 30 s to connect; `rootCAs` replace the system's; names
of files and PEM texts are written in the same option. Decision: what narrows whom we trust and is not served yet keeps
a service from being served (`pending`), for leaving it out would trust more than was written.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from daemun.config.durations import Seconds
from daemun.config.section import Names, Section
from daemun.traefik.tls import KeyPair

_IDLE = 200


class ForwardingTimeouts(Section):
    """How long servers may take; 0 is for ever. The last two concern HTTP/2 towards servers, which is not spoken."""

    dial_timeout: Seconds = 30.0
    response_header_timeout: Seconds = 0.0
    idle_conn_timeout: Seconds = 90.0
    read_idle_timeout: Seconds = 0.0
    ping_timeout: Seconds = 15.0


class StaticTransport(Section):
    """What a service uses that names no transport."""

    not_yet: ClassVar[tuple[str, ...]] = ("spiffe",)
    not_yet_means: ClassVar[dict[str, str]] = {"*": "until then services with servers at https are not served with it"}
    insecure_skip_verify: bool = False
    root_cas: Names = Field(default=(), alias="rootCAs")
    # Traefik's: 0 is Go's 2, below it none.
    max_idle_conns_per_host: int = _IDLE
    forwarding_timeouts: ForwardingTimeouts = ForwardingTimeouts()


class ServersTransport(StaticTransport):
    """A transport with a name."""

    not_yet: ClassVar[tuple[str, ...]] = ("spiffe", "peerCertURI", "cipherSuites", "minVersion", "maxVersion")
    server_name: str = ""
    certificates: tuple[KeyPair, ...] = ()
    disable_http2: bool = Field(default=False, alias="disableHTTP2")
