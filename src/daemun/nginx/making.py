"""A Plan in the making: what the parts of lowering add to, and where they say what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from daemun.errors import Problem
from daemun.plan.filter import Filter
from daemun.plan.log import AccessLog
from daemun.plan.route import Route
from daemun.plan.scalars import Id
from daemun.plan.service import Service, Transport
from daemun.plan.table import Table
from daemun.plan.template import Lookup

if TYPE_CHECKING:
    from daemun.nginx.level import Level
    from daemun.nginx.listen import Listen


@dataclass(slots=True, kw_only=True)
class Making:
    """Objects by id. `variables` are the slots of variables that `set`, captures and sub-requests write."""

    tables: dict[Id, Table] = field(default_factory=dict)
    routes: dict[Id, Route] = field(default_factory=dict)
    filters: dict[Id, Filter] = field(default_factory=dict)
    services: dict[Id, Service] = field(default_factory=dict)
    transports: dict[Id, Transport] = field(default_factory=dict)
    lookups: dict[Id, Lookup] = field(default_factory=dict)
    logs: dict[Id, AccessLog] = field(default_factory=dict)
    secrets: dict[Id, bytes] = field(default_factory=dict, repr=False)
    # Slots by name, in the order in which they were asked for.
    slots: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    # Where each server listens: redirects depend on it.
    listens: dict[Level, tuple[Listen, ...]] = field(default_factory=dict)

    def slot(self, name: str) -> int:
        """Return the slot of this name, made when it is asked for the first time."""
        return self.slots.setdefault(name, len(self.slots))

    def filter(self, name: Id, one: Filter) -> Id:
        """Add a filter; return its id."""
        self.filters[name] = one
        return name
