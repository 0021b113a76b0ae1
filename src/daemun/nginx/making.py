"""A Plan in the making: what the parts of lowering add to, and where they say what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from daemun.errors import Place, Problem
from daemun.nginx.declared import Declared, gather
from daemun.nginx.directive import Directive
from daemun.plan.files import MimeTypes
from daemun.plan.filter import Filter
from daemun.plan.log import AccessLog
from daemun.plan.route import Name, Route
from daemun.plan.scalars import Id
from daemun.plan.service import Service, Transport
from daemun.plan.table import Table
from daemun.plan.template import Lookup

if TYPE_CHECKING:
    from daemun.nginx.files import Served
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
    mime_types: dict[Id, MimeTypes] = field(default_factory=dict)
    logs: dict[Id, AccessLog] = field(default_factory=dict)
    secrets: dict[Id, bytes] = field(default_factory=dict, repr=False)
    # Files that were read beside the configuration, or looked for: to be watched.
    files: dict[Path, None] = field(default_factory=dict)
    slots: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    # Which variables the configuration itself defines; `declare` fills it before anything is lowered.
    declared: Declared = field(default_factory=Declared)
    # nginx's two prefixes: relative paths of content and logs, and of files named beside the configuration.
    prefix: str = ""
    conf_prefix: str = ""
    # Where access is logged when nobody says where.
    unasked_log: str = "logs/access.log"
    # Named locations that somebody jumps to, by table and name, and who does.
    names: dict[tuple[Id, str], Directive] = field(default_factory=dict)
    # Where each server listens: redirects depend on it.
    listens: dict[Level, tuple[Listen, ...]] = field(default_factory=dict)
    listen_lines: dict[tuple[str, ...], list[Listen]] = field(default_factory=dict, repr=False)
    # What inherits is read once, on the level whose words it is; so what is wrong there is said once.
    types: dict[Level, MimeTypes] = field(default_factory=dict, repr=False)
    access_logs: dict[Level, tuple[Id, ...]] = field(default_factory=dict, repr=False)
    # By the slot of `$1` too.
    served: dict[tuple[Level, int | None], Served] = field(default_factory=dict, repr=False)
    # By what levels say of fields of the response, and what is around them.
    added: dict[tuple[object, ...], tuple[Id, ...]] = field(default_factory=dict, repr=False)
    # Error pages lead into a server's table, and may name what its location caught.
    error_pages: dict[tuple[Level, Id, int | None], Id | None] = field(default_factory=dict, repr=False)
    _slots: dict[str, int] = field(default_factory=dict, repr=False)
    _filter_ids: dict[Filter, Id] = field(default_factory=dict, repr=False)

    def declare(self, directives: Iterable[Directive]) -> None:
        """Gather what the configuration defines; give each variable of `set` and `auth_request_set` its slot."""
        self.declared = gather(directives)
        for name in self.declared.slots:
            self.slot(name)

    def slot(self, name: str) -> int:
        """Return the slot of this name, made when it is asked for the first time."""
        known = self._slots.get(name)
        if known is None:
            known = self._slots[name] = len(self.slots)
            self.slots.append(name)
        return known

    def filter(self, name: Id, one: Filter) -> Id:
        """Add a filter; return its id: one that says the same is there once, another of this name gets a number."""
        known = self._filter_ids.get(one)
        if known is not None:
            return known
        count, free = 1, name
        while free in self.filters:
            count += 1
            free = f"{name} {count}"
        self.filters[free] = one
        self._filter_ids[one] = free
        return free

    def named(self, table: Id, one: Directive) -> Name:
        """Return the jump to the named location that ends a directive, and note that somebody jumps there."""
        name = one.args[-1].removeprefix("@")
        self.names.setdefault((table, name), one)
        return Name(table=table, name=name)

    def wrong(
        self, place: Place | None, message: str, *, kind: str = "value", remedy: str = "", near: str = ""
    ) -> None:
        """Note an error of the configuration."""
        self.problems.append(
            Problem(severity="error", kind=kind, message=message, place=place, remedy=remedy, suggestion=near)
        )

    def doubtful(self, place: Place | None, message: str, *, kind: str = "hint", remedy: str = "") -> None:
        """Note a warning."""
        self.problems.append(Problem(severity="warning", kind=kind, message=message, place=place, remedy=remedy))

    def file(self, path: str) -> str:
        """Return the path of content or of a log: relative to nginx's prefix (`-p`)."""
        return path if path.startswith("/") or not self.prefix else f"{self.prefix.rstrip('/')}/{path}"

    def conf_file(self, path: str) -> str:
        """Return the path of a file beside the configuration (`auth_basic_user_file`)."""
        return path if path.startswith("/") or not self.conf_prefix else f"{self.conf_prefix.rstrip('/')}/{path}"
