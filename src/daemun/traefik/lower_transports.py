"""Servers transports to the Plan: timeouts, idle connections, and TLS towards servers.

Facts (Traefik v3.7): a service without `serversTransport` has the static one; servers at https are verified by the
system's roots, or by `rootCAs` in their place, for the name in their URL or `serverName`. Decisions: HTTP/1.1 is spoken
to servers at https; a transport whose roots or certificate cannot be read is not used with less: its services are not
served. The TLS of a transport stands in the Plan only when a server at https uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from daemun.errors import Problem
from daemun.needs import AtHand, pair_id, roots_id
from daemun.plan import service as plan
from daemun.plan.scalars import Id
from daemun.plan.template import Literal
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.lower_filters import Refusal
from daemun.traefik.lower_listeners import millis
from daemun.traefik.names import qualified, suggestion, unknown
from daemun.traefik.servers_transport import ServersTransport, StaticTransport
from daemun.traefik.static import Static

TRANSPORT: Id = "traefik"
# Go's transport keeps two when it is told nothing, and none below zero.
_GO_IDLE = 2


@dataclass(kw_only=True)
class Transports:
    """The transports made so far, by id. The static one is always there."""

    static: Static
    dynamic: Dynamic
    at_hand: AtHand
    made: dict[Id, plan.Transport] = field(init=False)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.made = {TRANSPORT: _plain(self.static.servers_transport)}
        for entry in self.dynamic.servers_transports.values():
            if len(entry.value.certificates) > 1:
                self.problems.append(
                    Problem(
                        severity="warning",
                        kind="not_yet",
                        message="not yet: more than one certificate comes later; the first one is shown to servers",
                        place=entry.place("certificates"),
                        subject=f"{entry.subject}.certificates",
                    )
                )

    def use(self, reference: str, *, provider: str, secured: bool) -> Id | Refusal:
        """Return the transport that a service of this provider names; `secured` when it has servers at https."""
        if not reference or reference == "default@internal":
            return self._use(TRANSPORT, self.static.servers_transport, secured=secured)
        name = qualified(reference, provider)
        known = self.dynamic.servers_transports
        entry = known.get(name)
        if entry is None:
            if ("serversTransport", name) in self.dynamic.broken:
                return Refusal(message=f"the serversTransport {reference!r} has errors of its own")
            providers = self.dynamic.providers
            message = unknown("is no serversTransport", reference, provider, known=known, providers=providers)
            return Refusal(message=message, suggestion=suggestion(reference, provider, known=known))
        return self._use(name, entry.value, secured=secured)

    def _use(self, wanted: Id, options: StaticTransport, *, secured: bool) -> Id | Refusal:
        made = self.made.setdefault(wanted, _plain(options))
        if not secured or made.tls is not None:
            return wanted
        if options.pending:
            return Refusal(message=f"{options.pending[0]} of its serversTransport comes later", later=True)
        missing = [content for content in options.root_cas if roots_id(content) not in self.at_hand.secrets]
        if missing:
            return Refusal(message="the rootCAs of its serversTransport cannot be used")
        tls = plan.UpstreamTls(
            verify=not options.insecure_skip_verify,
            send_name=True,
            server_name=None,
            roots=tuple(dict.fromkeys(roots_id(content) for content in options.root_cas)),
            certificate=None,
        )
        if isinstance(options, ServersTransport):
            shown = [pair_id(pair.cert_file, pair.key_file) for pair in options.certificates[:1]]
            if any(one not in self.at_hand.certificates for one in shown):
                return Refusal(message="the certificate of its serversTransport cannot be used")
            name = (Literal(options.server_name),) if options.server_name else None
            tls = replace(tls, server_name=name, certificate=shown[0] if shown else None)
        self.made[wanted] = replace(made, tls=tls)
        return wanted


def certificates_of(transports: Mapping[Id, plan.Transport]) -> set[Id]:
    """Return the certificates that transports show to servers."""
    shown = (made.tls.certificate for made in transports.values() if made.tls is not None)
    return {name for name in shown if name is not None}


def _plain(options: StaticTransport) -> plan.Transport:
    """Return a transport without TLS, explicit."""
    timeouts = options.forwarding_timeouts
    idle = options.max_idle_conns_per_host or _GO_IDLE
    return plan.Transport(
        protocol=plan.UpstreamProtocol.HTTP11,
        connect_ms=millis(timeouts.dial_timeout),
        response_head_ms=millis(timeouts.response_header_timeout),
        read_idle_ms=0,
        write_idle_ms=0,
        # uvicorn closes idle connections after 5 s: what cannot be sent twice uses only fresh ones (DESIGN.md).
        pool=plan.Pool(
            max_idle=max(idle, 0),
            idle_ms=millis(timeouts.idle_conn_timeout),
            unsafe_idle_ms=3_000,
            max_requests=0,
            max_age_ms=0,
        ),
        # Go accepts heads of 10 MB from servers; ours is the megabyte it allows clients.
        limits=plan.ResponseLimits(head_bytes=1_048_576, fields=1000, chunk_line_bytes=4096, bare_lf=False),
        resolve_ms=30_000,
        tls=None,
    )
