"""Static and dynamic configuration to a Plan: everything explicit, nothing left to the engine's taste.

    lower_listeners, lower_tls ─────┐
    lower_services, lower_transports┤
    lower_files                     ┤
    lower_filters                   ┼─► lower ──► Plan + Problems
    lower_routers, lower_internal   ┤
    lower_logs, faults              ┘

Names are qualified (`web@file`). What cannot be served is left out and said; the rest is in the Plan. Pure: the host's
name is an argument, and so are the certificates that are at hand (certificate_needs.py says which are needed); no file
is read.
"""

from __future__ import annotations

import socket

from daemun.errors import Problem
from daemun.needs import AtHand, Needs, assume
from daemun.plan import files as plan_files
from daemun.plan import service as plan_service
from daemun.plan import table
from daemun.plan.plan import VERSION, Lifetimes, Plan
from daemun.plan.scalars import Id
from daemun.plan.tls import Certificate
from daemun.traefik.certificate_needs import certificate_needs
from daemun.traefik.dynamic import Dynamic, Entry, Service
from daemun.traefik.faults import traefik_faults
from daemun.traefik.lower_files import TYPES, lower_files
from daemun.traefik.lower_filters import Filters, Refusal
from daemun.traefik.lower_internal import PAGES, add_api, add_challenge, add_ping, add_redirections
from daemun.traefik.lower_listeners import ACCESS_LOG, FAULTS, lower_host, lower_listener, lower_policy, open_gates
from daemun.traefik.lower_logs import lower_access_log
from daemun.traefik.lower_routers import Routers
from daemun.traefik.lower_services import Destination, lower_service, service_problem
from daemun.traefik.lower_tls import TlsGates, default_certificate, shown_certificates
from daemun.traefik.lower_tls_options import lower_terms
from daemun.traefik.lower_transports import Transports, certificates_of
from daemun.traefik.media_types import media_types
from daemun.traefik.static import Static
from daemun.traefik.tls import DEFAULT

# A removed route's tunnels end after Traefik's grace time; a Snapshot may live as long as a long download.
_LIFETIMES = Lifetimes(removed_route_ms=10_000, snapshot_ms=86_400_000)


def lower(
    static: Static,
    dynamic: Dynamic,
    *,
    hostname: str | None = None,
    at_hand: AtHand | None = None,
    pages: str = PAGES,
) -> tuple[Plan, list[Problem]]:
    """Return the Plan of a configuration, and what of it is not served and why.

    `hostname` is the value of X-Forwarded-Server; the machine's own when absent. `at_hand` are the certificates and
    secrets that can be handed over; all that are needed when absent. `pages` is the socket of our own application.
    """
    name = hostname if hostname is not None else socket.gethostname()
    needs, problems = certificate_needs(static, dynamic)
    at_hand = assume(needs) if at_hand is None else at_hand
    gates = open_gates(static)
    logs = (ACCESS_LOG,) if static.access_log is not None else ()
    internal_logs = logs if static.access_log is not None and static.access_log.add_internals else ()
    transports = Transports(static=static, dynamic=dynamic, at_hand=at_hand)
    services = _Services(dynamic=dynamic, transports=transports)
    terms = lower_terms(dynamic, challenges=_has_tls_challenge(static))
    filters = Filters(dynamic=dynamic)
    tls = TlsGates(terms=terms)
    routers = Routers(
        static=static,
        dynamic=dynamic,
        gates=gates,
        filters=filters,
        destinations=services.destinations,
        files=services.files,
        refused_services=services.refused,
        tls=tls,
        logs=logs,
    )
    routers.lower_all()
    add_redirections(static, routers, logs=internal_logs)
    add_ping(static, routers, logs=internal_logs)
    services.made.update(add_api(static, routers, logs=internal_logs, pages=pages))
    services.made.update(add_challenge(static, routers, logs=internal_logs, pages=pages))
    made_tls = {gate.name: tls.lower(gate, needs, at_hand) for gate in gates.values()}
    hosts = {gate.name: lower_host(gate, logs=logs) for gate in gates.values()}
    for gate in gates.values():
        for host, options in made_tls[gate.name][1].items():
            hosts[host] = lower_host(gate, logs=logs, tls_options=options)
    used = {options for _, extra in made_tls.values() for options in extra.values()}
    if tls.gates:
        used.add(DEFAULT)
    plan = Plan(
        version=VERSION,
        lifetimes=_LIFETIMES,
        listeners={gate.name: lower_listener(gate, made_tls[gate.name][0]) for gate in gates.values()},
        hosts=hosts,
        http={gate.name: lower_policy(gate, static, hostname=name) for gate in gates.values()},
        certificates=_certificates(needs, at_hand, transports, terminates=bool(tls.gates)),
        tls_options=tls.options_of(used),
        tables={gate: table.First(tuple(one.rule for one in sorted(routers.ranked.get(gate, ())))) for gate in gates},
        routes=routers.routes,
        filters=filters.made,
        services=services.made,
        transports=transports.made,
        faults={FAULTS: traefik_faults()},
        mime_types={TYPES: media_types()} if services.files else {},
        lookups={},
        logs={} if static.access_log is None else {ACCESS_LOG: lower_access_log(static.access_log)},
        slots=(),
    )
    found = [services.problems, transports.problems, terms.problems, routers.problems, tls.problems]
    return plan, [*problems, *(problem for some in found for problem in some)]


class _Services:
    """Every service that can be served, where routes find them, and why others cannot be."""

    def __init__(self, *, dynamic: Dynamic, transports: Transports) -> None:
        self.made: dict[str, plan_service.Service] = {}
        self.destinations: dict[str, Destination] = {}
        self.files: dict[str, plan_files.Files] = {}
        self.refused: dict[str, Refusal] = {}
        self.problems: list[Problem] = []
        for name, entry in dynamic.services.items():
            if entry.value.files is not None and not entry.value.pending:
                if entry.value.load_balancer is not None:
                    self.problems.append(_two_kinds(entry))
                self.files[name] = lower_files(entry, entry.value.files)
                continue
            if entry.value.pending or entry.value.load_balancer is None:
                continue
            lowered = lower_service(entry, transports)
            if isinstance(lowered, Refusal):
                self.refused[name] = lowered
                self.problems.append(service_problem(entry, lowered))
                continue
            service, destination, found = lowered
            self.made[destination.service] = service
            self.destinations[name] = destination
            self.problems.extend(found)


def _two_kinds(entry: Entry[Service]) -> Problem:
    return Problem(
        severity="error",
        kind="value",
        message=f"the service {entry.name!r} has files and a loadBalancer; the files are served",
        place=entry.place("loadBalancer"),
        subject=f"{entry.subject}.loadBalancer",
        remedy="make two services of it, each with its router",
    )


def _has_tls_challenge(static: Static) -> bool:
    resolvers = static.certificates_resolvers.values()
    return any(resolver.acme is not None and resolver.acme.tls_challenge is not None for resolver in resolvers)


def _certificates(needs: Needs, at_hand: AtHand, transports: Transports, *, terminates: bool) -> dict[Id, Certificate]:
    """Return the certificates that the Plan names, in the order in which they are preferred."""
    named: list[Id | None] = []
    if terminates:
        named += [*shown_certificates(needs, at_hand), default_certificate(needs, at_hand)]
    named += sorted(certificates_of(transports.made))
    return {name: at_hand.certificates[name] for name in named if name is not None}
