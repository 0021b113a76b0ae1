"""What of a Plan may change without an apply: the endpoints of its services, each list with a generation.

    Plan ── Generations.stamped ──► Plan (a list that is another than before has a new generation)
    Plan ── bare ──► Plan without endpoints; its JSON ── digest ──► what two Plans have in common but for endpoints
    Plan ── balanced ──► the endpoints of each service

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
from typing import TypeVar

from daemun.plan.plan import Plan
from daemun.plan.route import Route
from daemun.plan.service import Balanced, Service

T = TypeVar("T", Route, Service)

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
        stamped = replace(plan, services=services)
        self._known = balanced(stamped)
        return stamped

    def _stamped(self, name: str, service: Service) -> Service:
        if not isinstance(service.kind, Balanced):
            return service
        known = self._known.get(name)
        if known is not None and known.endpoints == service.kind.endpoints:
            return replace(service, kind=replace(service.kind, generation=known.generation))
        self._last = max(self._last + 1, self._clock())
        return replace(service, kind=replace(service.kind, generation=self._last))


def bare(plan: Plan) -> Plan:
    """Return a Plan without its endpoints; what has none stays the very same, so that writing both costs little."""
    services = {name: _bare_service(service) for name, service in plan.services.items()}
    routes = {name: _placeless(route) for name, route in plan.routes.items()}
    return replace(plan, services=services, routes=routes)


def balanced(plan: Plan) -> dict[str, Balanced]:
    """Return what has endpoints, by the service's name."""
    return {name: kind for name, service in plan.services.items() if isinstance(kind := service.kind, Balanced)}


def digest(bare_plan: bytes) -> bytes:
    """Return what two Plans' JSON without endpoints have in common when it is the same."""
    return hashlib.blake2b(bare_plan, digest_size=16).digest()


def _bare_service(service: Service) -> Service:
    service = _placeless(service)
    if not isinstance(service.kind, Balanced):
        return service
    return replace(service, kind=replace(service.kind, generation=0, endpoints=()))


def _placeless(one: T) -> T:
    """Return what has an origin with that by its name alone where it has no line."""
    origin = one.origin
    return one if origin.line or not origin.file else replace(one, origin=replace(origin, file=""))
