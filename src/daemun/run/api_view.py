"""What the read-only API shows of a configuration in Traefik's language, in Traefik's words (control/api.py serves it).

    Static, Dynamic ── ApiView ── lowered(Plan, Problems) ──► routers, services, middlewares, entry points, containers

Facts (Traefik v3.7, pkg/api): names are full (`web@docker`); `status` is enabled, warning or disabled, `error` says why;
`using` are the entry points a router is really on, `usedBy` the routers of a service; what is a default is shown too.
Decision: hidden containers have a list of their own, with the sentence of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from daemun.errors import Problem
from daemun.plan.plan import Plan
from daemun.plan.table import First
from daemun.providers.said import Seen
from daemun.traefik.dynamic import Dynamic, Entry, LoadBalancer, Router, Service
from daemun.traefik.lower_listeners import Gate, default_gates, open_gates
from daemun.traefik.middlewares import Middleware
from daemun.traefik.names import INTERNAL, provider_of, qualified
from daemun.traefik.rules import default_priority
from daemun.traefik.static import Static

Shown = dict[str, Any]
AnyEntry = Entry[Router] | Entry[Service] | Entry[Middleware]


class ApiView:
    """One configuration; what became of it is told by `lowered`, from any thread."""

    def __init__(self, *, static: Static, dynamic: Dynamic, said: Sequence[Problem], seen: Sequence[Seen]) -> None:
        self._static, self._dynamic, self._seen = static, dynamic, seen
        self._said = tuple(said)
        self._wrong = _by_subject(said)
        self._on: Mapping[str, Collection[str]] = {}

    def lowered(self, plan: Plan, problems: Iterable[Problem]) -> None:
        """Take what the configuration became."""
        on: dict[str, list[str]] = {}
        for gate, one in plan.tables.items():
            for rule in one.rules if isinstance(one, First) else ():
                on.setdefault(plan.routes[rule.route].origin.name, []).append(gate)
        self._wrong, self._on = _by_subject((*self._said, *problems)), on

    def routers(self) -> Mapping[str, Shown]:
        """Return the routers, those that are not served too."""
        gates = open_gates(self._static)
        return {name: self._router(entry, gates) for name, entry in sorted(self._dynamic.routers.items())}

    def services(self) -> Mapping[str, Shown]:
        """Return the services, and the routers that lead to them."""
        used = self._users(lambda router, provider: [qualified(router.service, provider)])
        return {
            name: {
                **_service(entry.value),
                **self._state(entry, served=not entry.value.pending),
                **_used(used.get(name, ())),
            }
            for name, entry in sorted(self._dynamic.services.items())
        }

    def middlewares(self) -> Mapping[str, Shown]:
        """Return the middlewares, and the routers that use them."""
        used = self._users(lambda router, provider: [qualified(one, provider) for one in router.middlewares])
        return {
            name: {
                **_middleware(entry.value),
                **self._state(entry, served=not entry.value.pending),
                **_used(used.get(name, ())),
            }
            for name, entry in sorted(self._dynamic.middlewares.items())
        }

    def entry_points(self) -> Mapping[str, Shown]:
        """Return the entry points that are open."""
        return {
            name: {
                "address": gate.entry_point.address,
                "http": {"tls": {}} if gate.entry_point.http.tls else {},
                "name": name,
            }
            for name, gate in sorted(open_gates(self._static).items())
        }

    def overview(self) -> Shown:
        """Return how many there are of each, and how many are not served."""
        parts = {"routers": self.routers(), "services": self.services(), "middlewares": self.middlewares()}
        return {
            "http": {part: _count(named.values()) for part, named in parts.items()},
            "features": {"tracing": "", "metrics": "", "accessLog": self._static.access_log is not None},
            "providers": [name.title() for name in self._dynamic.providers],
        }

    def containers(self) -> Sequence[Shown]:
        """Return every container a Docker engine has told of: whether it is exposed, and what it lacks."""
        return [
            {
                "name": one.name,
                "provider": one.provider,
                "running": one.running,
                "exposed": not one.hidden,
                **({"reason": one.hidden} if one.hidden else {}),
                **({"remedy": one.remedy} if one.remedy else {}),
                "status": "disabled" if one.hidden else "enabled",
            }
            for one in sorted(self._seen, key=lambda one: (one.provider, one.name))
        ]

    def _router(self, entry: Entry[Router], gates: dict[str, Gate]) -> Shown:
        router = entry.value
        using = sorted(self._on.get(entry.full_name, ()))
        shown: Shown = {
            "entryPoints": list(router.entry_points or default_gates(gates)),
            "service": router.service,
            "rule": router.rule,
            "priority": router.priority or default_priority(router.rule),
        }
        if router.middlewares:
            shown["middlewares"] = [qualified(one, entry.provider) for one in router.middlewares]
        if router.tls is not None:
            shown["tls"] = {"options": router.tls.options or "default"}
            if router.tls.cert_resolver:
                shown["tls"]["certResolver"] = router.tls.cert_resolver
        state = self._state(entry, served=bool(using))
        return {**shown, **state, **({"using": using} if using else {})}

    def _state(self, entry: AnyEntry, *, served: bool) -> Shown:
        """Return status, what is wrong, name and provider."""
        messages = self._wrong.get((entry.document.file, entry.subject), [])
        status = "disabled" if not served else "warning" if messages else "enabled"
        wrong = {"error": messages} if messages else {}
        return {**wrong, "status": status, "name": entry.full_name, "provider": entry.provider}

    def _users(self, names: Callable[[Router, str], Iterable[str]]) -> Mapping[str, list[str]]:
        users: dict[str, list[str]] = {}
        for full, entry in sorted(self._dynamic.routers.items()):
            for name in names(entry.value, entry.provider):
                if provider_of(name) != INTERNAL:
                    users.setdefault(name, []).append(full)
        return users


def _by_subject(problems: Iterable[Problem]) -> Mapping[tuple[str, str], list[str]]:
    """Return the messages by file and subject: that of the option, and of all it stands in."""
    found: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        if problem.severity == "info" or problem.place is None:
            continue
        steps = problem.subject.split(".")
        for length in range(1, len(steps) + 1):
            found.setdefault((problem.place.file, ".".join(steps[:length])), []).append(problem.message)
    return found


def _service(service: Service) -> Shown:
    if service.load_balancer is not None:
        return {"loadBalancer": _load_balancer(service.load_balancer), "type": "loadbalancer"}
    if service.files is not None:
        files = service.files
        return {"files": files.model_dump(by_alias=True, exclude={"pending"}, exclude_none=True), "type": "files"}
    return {"type": service.pending[0].lower() if service.pending else ""}


def _load_balancer(balancer: LoadBalancer) -> Shown:
    return {
        "servers": [
            {"url": server.url, **({"weight": server.weight} if server.weight != 1 else {})}
            for server in balancer.servers
        ],
        "strategy": balancer.strategy,
        "passHostHeader": balancer.pass_host_header,
        "responseForwarding": {"flushInterval": _duration(balancer.response_forwarding.flush_interval)},
    }


def _middleware(middleware: Middleware) -> Shown:
    options = middleware.model_dump(by_alias=True, exclude={"pending"}, exclude_none=True, exclude_defaults=True)
    kind = next(iter(options), middleware.pending[0] if middleware.pending else "")
    return {**options, "type": kind.lower()}


def _duration(seconds: float) -> str:
    """Return seconds as Go writes a duration below a minute."""
    return f"{seconds:g}s" if seconds >= 1 or not seconds else f"{seconds * 1000:g}ms"


def _used(users: Sequence[str]) -> Shown:
    return {"usedBy": list(users)} if users else {}


def _count(shown: Iterable[Shown]) -> Shown:
    states = [one["status"] for one in shown]
    return {"total": len(states), "warnings": states.count("warning"), "errors": states.count("disabled")}
