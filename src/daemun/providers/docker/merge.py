"""What several containers ask for, as one configuration: the containers of one service become its servers.

Facts (Traefik v3.7): a service that several containers define has the servers of all, each address once, if they agree
on everything else; routers, middlewares and stores of one name must be equal. Where they are not, nobody knows which is
meant, and the name is left out. Pure; in the order of the containers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from daemun.config.section import Section
from daemun.errors import Problem
from daemun.traefik.dynamic import Dynamic, Entry, Service

S = TypeVar("S", bound=Section)


def merge(found: Sequence[Dynamic], *, provider: str) -> tuple[Dynamic, list[Problem]]:
    """Return the configurations of all containers as one, and what contradicts itself."""
    problems: list[Problem] = []
    routers = _merged("router", [one.routers for one in found], _same, problems)
    services = _merged("service", [one.services for one in found], _joined, problems)
    middlewares = _merged("middleware", [one.middlewares for one in found], _same, problems)
    stores = _merged("TLS store", [one.tls_stores for one in found], _same, problems)
    rules = {name: rule for one in reversed(found) for name, rule in one.rules.items() if name in routers}
    sound = {("router", name) for name in rules} | {("service", name) for name in services}
    sound |= {("middleware", name) for name in middlewares} | {("TLS store", name) for name in stores}
    return (
        Dynamic(
            routers=routers,
            services=services,
            middlewares=middlewares,
            rules={name: rules[name] for name in routers if name in rules},
            tls_stores=stores,
            broken=frozenset({one for dynamic in found for one in _names(dynamic)} - sound),
            providers=(provider,),
        ),
        problems,
    )


def _merged(
    kind: str,
    found: Sequence[Mapping[str, Entry[S]]],
    join: Callable[[Entry[S], Entry[S]], Entry[S] | None],
    problems: list[Problem],
) -> dict[str, Entry[S]]:
    """Return the entries of one kind; `join` gives one for two of the same name, None when they contradict."""
    kept: dict[str, Entry[S]] = {}
    contradicted: set[str] = set()
    for entries in found:
        for name, entry in entries.items():
            if name in contradicted:
                continue
            first = kept.setdefault(name, entry)
            joined = entry if first is entry else join(first, entry)
            if joined is None:
                contradicted.add(name)
                del kept[name]
                problems.append(_contradiction(kind, first, entry))
            elif first is not entry:
                kept[name] = joined
    return kept


def _same(first: Entry[S], second: Entry[S]) -> Entry[S] | None:
    return first if first.value == second.value else None


def _joined(first: Entry[Service], second: Entry[Service]) -> Entry[Service] | None:
    """Return a service with the servers of both, None when something else differs."""
    one, other = first.value.load_balancer, second.value.load_balancer
    if one is None or other is None:
        return _same(first, second)
    if (
        second.value.model_copy(update={"load_balancer": other.model_copy(update={"servers": one.servers})})
        != first.value
    ):
        return None
    there = {server.url for server in one.servers}
    servers = (*one.servers, *(server for server in other.servers if server.url not in there))
    value = first.value.model_copy(update={"load_balancer": one.model_copy(update={"servers": servers})})
    return replace(first, value=value)


def _names(dynamic: Dynamic) -> set[tuple[str, str]]:
    """Return everything that a configuration defines, as (kind, name)."""
    named = {"router": dynamic.routers, "service": dynamic.services, "middleware": dynamic.middlewares}
    found = {(kind, name) for kind, entries in named.items() for name in entries}
    return found | {("TLS store", name) for name in dynamic.tls_stores} | dynamic.broken


def _contradiction(kind: str, first: Entry[S], second: Entry[S]) -> Problem:
    containers = f"the {first.document.file} and the {second.document.file}"
    return Problem(
        severity="error",
        kind="duplicate",
        message=f"the {kind} {first.name!r} is defined differently by {containers}: neither is used",
        place=second.place(),
        subject=second.subject,
        related=(first.place(),),
        remedy="give both the same labels, or one of them another name",
    )
