"""What of a Plan may change without an apply: the endpoints of its services, each list with a generation.

    Plan ── Generations.stamped ──► Plan (a list that is another than before has a new generation)
    tree of a Plan ── apart ──► what it is but for endpoints, as a digest; the generation of each service

Facts (docs/reference/engine.md): endpoints of a newer generation stay when a Plan with older ones is applied. So a
generation must grow over restarts of the control plane: it is the time in microseconds, and more than any that was
given before, however the clock was set. Two Plans with the same digest differ in endpoints at most, and in which of
several containers is named as the origin of what all of them define: an origin without a line is no text that moved.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from daemun.plan.plan import Plan
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


def apart(tree: Mapping[str, object]) -> tuple[bytes, dict[str, int]]:
    """Return a digest of a Plan (as json.dumps takes it) without its endpoints, and the services' generations."""
    generations: dict[str, int] = {}
    services = _placeless(tree["services"])
    for name, service in services.items():
        if isinstance(balanced := service["kind"].get("balanced"), dict):
            generations[name] = balanced["generation"]
            services[name] = {**service, "kind": {"balanced": {**balanced, "generation": 0, "endpoints": []}}}
    bare = {**tree, "services": services, "routes": _placeless(tree["routes"])}
    text = json.dumps(bare, separators=(",", ":"), check_circular=False)
    return hashlib.blake2b(text.encode(), digest_size=16).digest(), generations


def _placeless(named: Any) -> dict[str, dict[str, Any]]:
    """Return objects without those origins that have no line."""
    return {
        name: value if value["origin"]["line"] else {**value, "origin": value["origin"]["name"]}
        for name, value in named.items()
    }
