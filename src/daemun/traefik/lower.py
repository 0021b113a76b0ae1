"""Static and dynamic configuration to a Plan: everything explicit, nothing left to the engine's taste.

    lower_listeners ─┐
    lower_services  ─┤
    lower_filters   ─┼─► lower ──► Plan + Problems
    lower_routers   ─┤
    lower_logs, faults ─┘

Names are qualified (`web@file`). What cannot be served is left out and said; the rest is in the Plan. Pure:
the host's name is an argument, no file is read.
"""

from __future__ import annotations

import re
import socket

from daemun.errors import Problem
from daemun.plan import matching, route, table
from daemun.plan import service as plan_service
from daemun.plan.origin import Origin
from daemun.plan.plan import VERSION, Lifetimes, Plan
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.faults import traefik_faults
from daemun.traefik.lower_filters import Filters
from daemun.traefik.lower_listeners import (
    ACCESS_LOG,
    FAULTS,
    Gate,
    lower_host,
    lower_listener,
    lower_policy,
    open_gates,
)
from daemun.traefik.lower_logs import lower_access_log
from daemun.traefik.lower_redirects import redirect_scheme
from daemun.traefik.lower_routers import Routers, noop
from daemun.traefik.lower_rules import re2
from daemun.traefik.lower_services import TRANSPORT, Destination, lower_service, traefik_transport
from daemun.traefik.static import Static

_PING_PRIORITY = 2**63 - 1  # math.MaxInt
# A removed route's tunnels end after Traefik's grace time; a Snapshot may live as long as a long download.
_LIFETIMES = Lifetimes(removed_route_ms=10_000, snapshot_ms=86_400_000)
_NOT_WORD = re.compile(r"[^0-9A-Za-z]+")


def lower(static: Static, dynamic: Dynamic, *, hostname: str | None = None) -> tuple[Plan, list[Problem]]:
    """Return the Plan of a configuration, and what of it is not served and why.

    `hostname` is the value of X-Forwarded-Server; the machine's own when absent.
    """
    name = hostname if hostname is not None else socket.gethostname()
    gates = open_gates(static)
    logs = (ACCESS_LOG,) if static.access_log is not None else ()
    services, destinations, problems = _services(dynamic)
    filters = Filters(dynamic=dynamic)
    routers = Routers(
        static=static,
        dynamic=dynamic,
        gates=gates,
        filters=filters,
        destinations=destinations,
        logs=logs,
    )
    routers.lower_all()
    _add_redirections(static, gates, routers, internal_logs=_internal_logs(static, logs))
    _add_ping(static, gates, routers, internal_logs=_internal_logs(static, logs))
    plan = Plan(
        version=VERSION,
        lifetimes=_LIFETIMES,
        listeners={gate.name: lower_listener(gate) for gate in gates.values()},
        hosts={gate.name: lower_host(gate, logs=logs) for gate in gates.values()},
        http={gate.name: lower_policy(gate, static, hostname=name) for gate in gates.values()},
        certificates={},
        tls_options={},
        tables={gate: table.First(tuple(one.rule for one in sorted(routers.ranked.get(gate, ())))) for gate in gates},
        routes=routers.routes,
        filters=filters.made,
        services=services,
        transports={TRANSPORT: traefik_transport()},
        faults={FAULTS: traefik_faults()},
        lookups={},
        logs={} if static.access_log is None else {ACCESS_LOG: lower_access_log(static.access_log)},
        slots=(),
    )
    return plan, [*problems, *routers.problems]


def _services(dynamic: Dynamic) -> tuple[dict[str, plan_service.Service], dict[str, Destination], list[Problem]]:
    services: dict[str, plan_service.Service] = {}
    destinations: dict[str, Destination] = {}
    problems: list[Problem] = []
    for name, entry in dynamic.services.items():
        if entry.value.pending or entry.value.load_balancer is None:
            continue
        service, destination, found = lower_service(entry)
        services[destination.service] = service
        destinations[name] = destination
        problems.extend(found)
    return services, destinations, problems


def _internal_logs(static: Static, logs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the logs of routers that are ours, such as ping's."""
    return logs if static.access_log is not None and static.access_log.add_internals else ()


def _add_redirections(
    static: Static, gates: dict[str, Gate], routers: Routers, *, internal_logs: tuple[str, ...]
) -> None:
    for gate in gates.values():
        redirection = gate.entry_point.http.redirections.entry_point
        if redirection is None:
            continue
        port = _port_of(static, redirection.to)
        name = f"{_NOT_WORD.sub('-', f'{gate.name}-to-{redirection.to}').strip('-')}@internal"
        filter_id = f"redirect-{name}"
        routers.filters.made[filter_id] = redirect_scheme(
            scheme=redirection.scheme, port=port, permanent=redirection.permanent
        )
        made = route.Route(
            origin=Origin(name=name, file=gate.origin.file, line=gate.origin.line),
            internal=False,
            filters=(filter_id,),
            action=noop(),
            faults=FAULTS,
            logs=internal_logs,
            body_bytes=None,
        )
        match = matching.HostRegex(re2("^.+$"))
        routers.add(gate.name, name=name, priority=redirection.priority, match=match, made=made)


def _port_of(static: Static, target: str) -> str:
    """Return the port of a redirection's target: an entry point's name, or `:port`."""
    entry_point = static.entry_points.get(target)
    return str(entry_point.port) if entry_point is not None else target.removeprefix(":")


def _add_ping(static: Static, gates: dict[str, Gate], routers: Routers, *, internal_logs: tuple[str, ...]) -> None:
    ping = static.ping
    if ping is None or ping.manual_routing or ping.entry_point not in gates:
        return
    gate = gates[ping.entry_point]
    made = route.Route(
        origin=Origin(name="ping@internal", file=gate.origin.file, line=gate.origin.line),
        internal=False,
        filters=(),
        action=route.Ping(terminating_status=ping.terminating_status_code),
        faults=FAULTS,
        logs=internal_logs,
        body_bytes=None,
    )
    match = matching.PathPrefix("/ping")
    routers.add(gate.name, name="ping@internal", priority=_PING_PRIORITY, match=match, made=made)
