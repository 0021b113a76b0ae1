"""What of a Plan may change without an apply: the endpoints of its services, each list with a generation.

    Plan ── Generations.stamped ──► Plan (a list that is another than before has a new generation)
    Plan ── apart ──► what it is but for endpoints, as a digest; the generation of each service

Facts (docs/reference/engine.md): endpoints of a newer generation stay when a Plan with older ones is applied. So a
generation must grow over restarts of the control plane: it is the time in microseconds, and more than any that was
given before, however the clock was set. Two Plans with the same digest differ in endpoints at most, and in which of
several containers is named as the origin of what all of them define: an origin without a line is no text that moved.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import replace

from daemun.plan.origin import Origin
from daemun.plan.plan import Plan, to_json
from daemun.plan.service import Balanced, Service

_GENERATION = re.compile(rb'"generation":(\d+)')


def _microseconds() -> int:
    return time.time_ns() // 1000


def newest(plan: bytes) -> int:
    """Return the newest generation that stands in the JSON of a Plan."""
    return max((int(found) for found in _GENERATION.findall(plan)), default=0)


class Generations:
    """Remembers the endpoints it has seen. `floor` is a generation that was given before."""

    def __init__(self, *, floor: int = 0, clock: Callable[[], int] = _microseconds) -> None:
        self._last = floor
        self._clock = clock
        self._known: dict[str, Balanced] = {}

    def stamped(self, plan: Plan) -> Plan:
        """Return the Plan with the generation of each list of endpoints."""
        services = {name: self._stamped(name, service) for name, service in plan.services.items()}
        kinds = {name: service.kind for name, service in services.items()}
        self._known = {name: kind for name, kind in kinds.items() if isinstance(kind, Balanced)}
        return replace(plan, services=services)

    def _stamped(self, name: str, service: Service) -> Service:
        if not isinstance(service.kind, Balanced):
            return service
        known = self._known.get(name)
        if known is not None and known.endpoints == service.kind.endpoints:
            return replace(service, kind=replace(service.kind, generation=known.generation))
        self._last = max(self._last + 1, self._clock())
        return replace(service, kind=replace(service.kind, generation=self._last))


def apart(plan: Plan) -> tuple[bytes, dict[str, int]]:
    """Return a digest of a Plan without its endpoints, and the services' generations."""
    services: dict[str, Service] = {}
    generations: dict[str, int] = {}
    for name, service in plan.services.items():
        kind = service.kind
        if isinstance(kind, Balanced):
            generations[name] = kind.generation
            kind = replace(kind, generation=0, endpoints=())
        services[name] = replace(service, origin=_placeless(service.origin), kind=kind)
    routes = {name: replace(route, origin=_placeless(route.origin)) for name, route in plan.routes.items()}
    bare = replace(plan, services=services, routes=routes)
    return hashlib.blake2b(to_json(bare), digest_size=16).digest(), generations


def _placeless(origin: Origin) -> Origin:
    """Return an origin by its name alone where it has no line."""
    return origin if origin.line else replace(origin, file="")
