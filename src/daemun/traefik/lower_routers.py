"""Routers to the Plan: which are served, on which entry points, in which order.

Facts (Traefik v3.7): a router without entryPoints is on all default ones; priority is its own or the rule's
length; a bad router is left out and the others are served; an entry point's middlewares come before the
router's, and mean the router's provider. Decisions: ties of priority go by provider, then by router name (Traefik's
order is random); a router that uses what
comes later is left out rather than served without it. Services and middlewares are lowered by their modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemun.errors import Place, Problem, nearest
from daemun.plan import filter as plan_filter
from daemun.plan import matching, route, table
from daemun.plan.files import Files
from daemun.plan.origin import Origin
from daemun.plan.template import Template
from daemun.traefik.dynamic import Dynamic, Entry, Router
from daemun.traefik.lower_filters import Filters, Refusal, Resolved, refuse_encoded
from daemun.traefik.lower_listeners import FAULTS, Gate, default_gates, gates_of
from daemun.traefik.lower_rules import lower_rule
from daemun.traefik.lower_services import Destination
from daemun.traefik.lower_tls import TlsGates
from daemun.traefik.names import FILE, INTERNAL, precedence, provider_of, qualified, suggestion, unknown
from daemun.traefik.router_tls import tls_of
from daemun.traefik.rules import default_priority
from daemun.traefik.static import Static

API = "api@internal"
_FLUSH_MS = 100  # what Traefik's services have that say nothing
_NOOP_STATUS = 418  # what Traefik's noop@internal says


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Ranked:
    """A rule of a table with its rank: the highest priority first, then the provider's rank, then the router's name."""

    rank: int
    provider: tuple[int, str]
    name: str
    rule: table.Rule = field(compare=False)


@dataclass(kw_only=True)
class Routers:
    """Lowers routers one by one; `routes` and `ranked` (by entry point) grow, `problems` collects."""

    static: Static
    dynamic: Dynamic
    gates: Mapping[str, Gate]
    filters: Filters
    destinations: Mapping[str, Destination]
    files: Mapping[str, Files]
    refused_services: Mapping[str, Refusal]
    tls: TlsGates
    logs: tuple[str, ...]
    routes: dict[str, route.Route] = field(default_factory=dict)
    ranked: dict[str, list[Ranked]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _said: set[str] = field(default_factory=set)

    def lower_all(self) -> None:
        """Lower every router."""
        defaults = default_gates(dict(self.gates))
        self._claim_hosts(defaults)
        providers = dict.fromkeys([entry.provider for entry in self.dynamic.routers.values()] or [FILE])
        before = {provider: self._gate_filters(provider) for provider in providers}
        for entry in self.dynamic.routers.values():
            self._lower(entry, defaults, before[entry.provider])

    def add(
        self, gate: str, *, name: str, priority: int, match: matching.Match, made: route.Route, tls: bool | None
    ) -> None:
        """Put a route into an entry point's table: for TLS, for clear text, or (None) for both."""
        self.routes.setdefault(name, made)
        if tls is not None:
            match = self.tls.condition(gate, tls=tls, match=match)
        rule = table.Rule(matches=match, route=name)
        self.ranked.setdefault(gate, []).append(
            Ranked(rank=-priority, provider=precedence(provider_of(name)), name=made.origin.name, rule=rule)
        )

    def _claim_hosts(self, defaults: tuple[str, ...]) -> None:
        """Find out which entry points speak TLS before the first rule is made."""
        for gate in self.gates.values():
            self.tls.open(gate)
        for entry in self.dynamic.routers.values():
            for name in gates_of(entry.value, self.gates, defaults):
                self.tls.claim(entry, self.dynamic.rules.get(entry.full_name), self.gates[name])

    def _lower(self, entry: Entry[Router], defaults: tuple[str, ...], before: dict[str, Resolved | Refusal]) -> None:
        router = entry.value
        if router.pending:
            return  # said when reading: this router is not served
        gates = self._gates_of(entry, defaults)
        action, prefix = self._action(entry)
        filters = self._filters_of(entry)
        rule = self.dynamic.rules.get(entry.full_name)
        if action is None or filters is None or rule is None or not gates:
            return
        match = lower_rule(rule)
        priority = router.priority or default_priority(router.rule)
        name = entry.full_name
        origin = Origin(name=name, file=entry.document.file, line=entry.line)
        for gate_name in gates:
            gate = self.gates[gate_name]
            first = before.get(gate_name, Resolved(ids=()))
            if isinstance(first, Refusal):
                continue  # said once for the entry point
            refusal = self.tls.refusal(entry, gate)
            if refusal is not None:
                self._refuse_terms(entry, gate, refusal)
                continue
            logged = gate.access_logs if router.observability.access_logs is None else router.observability.access_logs
            made = route.Route(
                origin=origin,
                internal=False,
                filters=(*first.ids, *filters.ids, *prefix),
                action=action,
                faults=FAULTS,
                logs=self.logs if logged else (),
                body_bytes=None,
            )
            # One route serves every entry point that adds nothing of its own.
            own = bool(first.ids) or not gate.access_logs
            self.add(
                gate_name,
                name=f"{gate_name}-{name}" if own else name,
                priority=priority,
                match=match,
                made=made,
                tls=tls_of(router, gate) is not None,
            )

    def _refuse_terms(self, entry: Entry[Router], gate: Gate, refusal: Refusal) -> None:
        """Say that TLS options are broken: once for a router that names them, once for an entry point."""
        if entry.value.tls is not None:
            if entry.full_name not in self._said:
                self._said.add(entry.full_name)
                self._refuse(entry, "tls.options", refusal.message, later=refusal.later, suggestion=refusal.suggestion)
        elif gate.name not in self._said:
            self._said.add(gate.name)
            path = ("entryPoints", gate.name, "http", "tls", "options")
            place = self.static.place(*path, value=True)
            self.problems.append(_gate_problem(gate, refusal, place=place, subject=".".join(path)))

    def _gates_of(self, entry: Entry[Router], defaults: tuple[str, ...]) -> tuple[str, ...]:
        names = entry.value.entry_points
        if not names:
            return defaults
        found: list[str] = []
        for index, name in enumerate(names):
            if name in self.gates:
                found.append(name)
            elif name not in self.static.entry_points:
                known = [*self.static.entry_points, *self.gates]
                reason = f"there is no entry point {name!r}"
                self._refuse(entry, "entryPoints", reason, suggestion=nearest(name, known), index=index)
        return tuple(dict.fromkeys(found))

    def _action(self, entry: Entry[Router]) -> tuple[route.Action | None, tuple[str, ...]]:
        """Return the router's action and the filter its service needs, or None and a Problem."""
        reference = entry.value.service
        name = qualified(reference, entry.provider)
        if not reference:
            self._refuse(entry, "", "it names no service", suggestion="")
        elif provider_of(name) == INTERNAL:
            return self._internal(entry, name.partition("@")[0]), ()
        elif name in self.destinations:
            return self._proxy(self.destinations[name])
        elif name in self.files:
            return self.files[name], ()
        elif name in self.refused_services:
            refusal = self.refused_services[name]
            self._refuse(entry, "service", f"of its service {reference!r}: {refusal.message}", later=refusal.later)
        elif name in self.dynamic.services:
            pending = self.dynamic.services[name].value.pending
            kind = pending[0] if pending else "neither loadBalancer nor files"
            later = bool(pending)
            message = (
                f"its service {reference!r} ({kind}) comes later"
                if later
                else f"its service {reference!r} is of no kind"
            )
            self._refuse(entry, "service", message, later=later)
        elif ("service", name) in self.dynamic.broken:
            self._refuse(entry, "service", f"its service {reference!r} has errors of its own")
        else:
            self._refuse_unknown(entry, reference)
        return None, ()

    def _refuse_unknown(self, entry: Entry[Router], reference: str) -> None:
        known, providers, silent = self.dynamic.services, self.dynamic.providers, self.dynamic.silent
        message = unknown("is no service", reference, entry.provider, known=known, providers=providers, silent=silent)
        later = provider_of(qualified(reference, entry.provider)) in silent
        near = "" if later else suggestion(reference, entry.provider, known=known)
        self._refuse(entry, "service", message, later=later, suggestion=near)

    def _internal(self, entry: Entry[Router], name: str) -> route.Action | None:
        if name == "noop":
            return noop()
        if name == "ping":
            if self.static.ping is not None:
                return route.Ping(terminating_status=self.static.ping.terminating_status_code)
            self._refuse(entry, "service", "ping@internal needs the ping option in the static configuration")
        elif name == "api":
            if self.static.api is not None:
                return to_own(API)
            self._refuse(entry, "service", "api@internal needs the api option in the static configuration")
        elif name in {"dashboard", "prometheus", "rest", "acme-http"}:
            self._refuse(entry, "service", f"its service {name}@internal comes later", later=True)
        else:
            near = nearest(name, ["api", "dashboard", "ping", "prometheus", "noop"])
            self._refuse(entry, "service", f"there is no service {name}@internal", suggestion=near)
        return None

    def _proxy(self, destination: Destination) -> tuple[route.Action, tuple[str, ...]]:
        prefix: tuple[str, ...] = ()
        if destination.prefix:
            filter_id = f"{destination.service}#path"
            self.filters.made[filter_id] = plan_filter.AddPrefix(prefix=destination.prefix)
            prefix = (filter_id,)
        made = proxy(destination.service, host=destination.host, flush_ms=destination.flush_ms)
        return made, prefix

    def _filters_of(self, entry: Entry[Router]) -> Resolved | None:
        ids: list[str] = []
        sound = True
        for index, reference in enumerate(entry.value.middlewares):
            resolved = self.filters.resolve(reference, entry.provider)
            if isinstance(resolved, Refusal):
                sound = False
                self._refuse(
                    entry,
                    "middlewares",
                    resolved.message,
                    later=resolved.later,
                    suggestion=resolved.suggestion,
                    index=index,
                )
                continue
            ids.extend(resolved.ids)
        return Resolved(ids=tuple(ids)) if sound else None

    def _gate_filters(self, provider: str) -> dict[str, Resolved | Refusal]:
        """Resolve the entry points' middlewares for a provider's routers, which one that fails keeps from being served."""
        resolved: dict[str, Resolved | Refusal] = {}
        for name, gate in self.gates.items():
            ids = self._guard_path(gate)
            refusal: Refusal | None = None
            for reference in gate.entry_point.http.middlewares:
                found = self.filters.resolve(reference, provider)
                if isinstance(found, Refusal):
                    refusal = found
                    place = Place(file=gate.origin.file or "static configuration", line=gate.origin.line)
                    subject = f"entryPoints.{gate.name}.http.middlewares"
                    self._say_once(_gate_problem(gate, found, place=place, subject=subject))
                else:
                    ids.extend(found.ids)
            resolved[name] = refusal or Resolved(ids=tuple(ids))
        return resolved

    def _say_once(self, problem: Problem) -> None:
        """Say something of an entry point that several providers' routers would say again."""
        if problem not in self.problems:
            self.problems.append(problem)

    def _guard_path(self, gate: Gate) -> list[str]:
        """Return the filter that answers 400 to encoded characters the entry point does not allow, if any."""
        guard = refuse_encoded(gate.entry_point.http.encoded_characters)
        if guard is None:
            return []
        filter_id = f"{gate.name}#encodedCharacters"
        self.filters.made[filter_id] = guard
        return [filter_id]

    def _refuse(
        self,
        entry: Entry[Router],
        option: str,
        reason: str,
        *,
        later: bool = False,
        suggestion: str = "",
        index: int | None = None,
    ) -> None:
        """Say why a router is not served (or not on an entry point), at the option or the list's item."""
        steps: tuple[str | int, ...] = tuple(option.split(".")) if option else ()
        if index is not None and entry.has_place(option, index):
            steps = (option, index)
        gone = "is not served: " if option != "entryPoints" else "is not on all its entry points: "
        self.problems.append(
            Problem(
                severity="warning" if later else "error",
                kind="not_yet" if later else "reference",
                message=f"the router {entry.name!r} {gone}{reason}",
                place=entry.place(*steps, value=bool(steps)),
                subject=f"{entry.subject}.{option}" if option else entry.subject,
                suggestion=suggestion,
            )
        )


def proxy(service: str, *, flush_ms: int, host: Template | None = None) -> route.Proxy:
    """Return the action that hands a request to a service as Traefik does."""
    return route.Proxy(
        service=service,
        target=route.Current(),
        host=host,
        request_body=route.Stream(),
        response_body=route.Stream(),
        upgrade=True,
        hide=(),
        accel=False,
        intercept_errors=False,
        rewrite_location=(),
        pass_headers=True,
        pass_body=True,
        trailers=True,
        informational=True,
        method=None,
        transport=None,
        retry=None,
        flush_ms=flush_ms,
    )


def to_own(service: str) -> route.Proxy:
    """Return the action that hands a request to our own application, under the name of one of its services."""
    return proxy(service, flush_ms=_FLUSH_MS)


def noop() -> route.Respond:
    """Return the answer of Traefik's noop@internal."""
    return route.Respond(status=_NOOP_STATUS, headers=(), body=())


def _gate_problem(gate: Gate, refusal: Refusal, *, place: Place, subject: str) -> Problem:
    return Problem(
        severity="warning" if refusal.later else "error",
        kind="not_yet" if refusal.later else "reference",
        message=f"the entry point {gate.name!r} serves no router: {refusal.message}",
        place=place,
        subject=subject,
        suggestion=refusal.suggestion,
    )
