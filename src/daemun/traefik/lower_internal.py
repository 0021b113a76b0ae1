"""The routers that nobody wrote: redirections of entry points, ping, the API, and the answer to HTTP-01 challenges.

Facts (Traefik v3.7): ping and challenges come before every router, the API next, then a redirection; an entry point's
`tls` is theirs too. Decisions: a challenge is answered on its entry point whether or not it came over TLS, before the
redirection; it goes to our own application on a private socket like any request (DESIGN.md, law 6), as the API does.
Ping is the engine's own answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from daemun.plan import matching, route
from daemun.plan import service as plan
from daemun.plan.origin import Origin
from daemun.plan.scalars import Id
from daemun.traefik.lower_listeners import FAULTS, INTERNAL_ENTRY_POINT, Gate
from daemun.traefik.lower_redirects import redirect_scheme
from daemun.traefik.lower_routers import API, Routers, noop, to_own
from daemun.traefik.lower_rules import re2
from daemun.traefik.lower_transports import TRANSPORT
from daemun.traefik.static import Static

# Where our own application listens when nobody says: the socket in root's state directory.
PAGES = "/run/daemun/pages.sock"
CHALLENGE = "acme-http@internal"
_CHALLENGE_PATH = "/.well-known/acme-challenge/"
_FIRST = 2**63 - 1  # math.MaxInt
_NOT_WORD = re.compile(r"[^0-9A-Za-z]+")


def add_redirections(static: Static, routers: Routers, *, logs: tuple[Id, ...]) -> None:
    """Add the redirections of entry points to others."""
    for gate in routers.gates.values():
        redirection = gate.entry_point.http.redirections.entry_point
        if redirection is None:
            continue
        name = f"{_NOT_WORD.sub('-', f'{gate.name}-to-{redirection.to}').strip('-')}@internal"
        filter_id = f"redirect-{name}"
        routers.filters.made[filter_id] = redirect_scheme(
            scheme=redirection.scheme, port=_port_of(static, redirection.to), permanent=redirection.permanent
        )
        routers.add(
            gate.name,
            name=name,
            priority=redirection.priority,
            match=matching.HostRegex(re2("^.+$")),
            made=_route(name, gate, noop(), filters=(filter_id,), logs=logs),
            tls=gate.entry_point.http.tls is not None,
        )


def add_ping(static: Static, routers: Routers, *, logs: tuple[Id, ...]) -> None:
    """Add the answer at /ping."""
    ping = static.ping
    if ping is None or ping.manual_routing or ping.entry_point not in routers.gates:
        return
    gate = routers.gates[ping.entry_point]
    name = "ping@internal"
    routers.add(
        gate.name,
        name=name,
        priority=_FIRST,
        match=matching.PathPrefix("/ping"),
        made=_route(name, gate, route.Ping(terminating_status=ping.terminating_status_code), logs=logs),
        tls=gate.entry_point.http.tls is not None,
    )


def add_api(static: Static, routers: Routers, *, logs: tuple[Id, ...], pages: str) -> Mapping[Id, plan.Service]:
    """Return the service of the API, and add the way to it on the entry point `traefik` when it is insecure."""
    if static.api is None:
        return {}
    gate = routers.gates.get(INTERNAL_ENTRY_POINT)
    if static.api.insecure and gate is not None:
        routers.add(
            gate.name,
            name=API,
            priority=_FIRST - 1,
            match=matching.PathPrefix("/api"),
            made=_route(API, gate, to_own(API), logs=logs),
            tls=gate.entry_point.http.tls is not None,
        )
    place = static.place("api")
    origin = Origin(name=API, file=place.file, line=place.line)
    return {API: plan.Service(origin=origin, kind=_application(pages))}


def add_challenge(static: Static, routers: Routers, *, logs: tuple[Id, ...], pages: str) -> Mapping[Id, plan.Service]:
    """Add the way to the answers of HTTP-01 challenges, on every entry point a resolver names; return its service."""
    made: dict[Id, plan.Service] = {}
    for resolver in static.certificates_resolvers.values():
        challenge = resolver.acme.http_challenge if resolver.acme is not None else None
        gate = routers.gates.get(challenge.entry_point) if challenge is not None else None
        if gate is None or any(one.rule.route == CHALLENGE for one in routers.ranked.get(gate.name, ())):
            continue
        origin = Origin(name=CHALLENGE, file=gate.origin.file, line=gate.origin.line)
        made.setdefault(CHALLENGE, plan.Service(origin=origin, kind=_application(pages)))
        routers.add(
            gate.name,
            name=CHALLENGE,
            priority=_FIRST,
            match=matching.PathPrefix(_CHALLENGE_PATH),
            made=_route(CHALLENGE, gate, to_own(CHALLENGE), logs=logs),
            tls=None,
        )
    return made


def _application(pages: str) -> plan.Balanced:
    """Return the one endpoint that our own application is."""
    address = f"unix:{pages}"
    endpoint = plan.Endpoint(
        address=address,
        scheme=plan.UpstreamScheme.HTTP,
        ordinal=0,
        weight=1,
        max_connections=0,
        backup=False,
        down=False,
        url=address,
        rest=None,
    )
    return plan.Balanced(
        strategy=plan.RoundRobin(),
        endpoints=(endpoint,),
        generation=0,
        transport=TRANSPORT,
        rest=plan.Rest(failures=1, window_ms=10_000, rest_ms=10_000, spare_single=True, early_ms=0),
        retry=plan.Retry(on=(plan.Unsent(),), tries=0, timeout_ms=0, non_idempotent=False, resend_on_stale=True),
    )


def _route(
    name: str, gate: Gate, action: route.Action, *, logs: tuple[Id, ...], filters: tuple[Id, ...] = ()
) -> route.Route:
    return route.Route(
        origin=Origin(name=name, file=gate.origin.file, line=gate.origin.line),
        internal=False,
        filters=filters,
        action=action,
        faults=FAULTS,
        logs=logs,
        body_bytes=None,
    )


def _port_of(static: Static, target: str) -> str:
    """Return the port of a redirection's target: an entry point's name, or `:port`."""
    entry_point = static.entry_points.get(target)
    return str(entry_point.port) if entry_point is not None else target.removeprefix(":")
