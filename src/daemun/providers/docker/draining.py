"""Containers that are about to end: their routers and services stay, only their servers go.

    all containers ── configuration_of ──► whole ─┐
    those that stay ─ configuration_of ──► rest  ─┴─ without_servers ──► whole, with the servers of rest

What so changes is endpoints alone: the engine gets no new Plan, and a service without a server answers 503 until the
next list takes it away. Values only.
"""

from __future__ import annotations

from dataclasses import replace

from daemun.traefik.dynamic import Dynamic, Entry, Service


def without_servers(whole: Dynamic, rest: Dynamic) -> Dynamic:
    """Return the whole with only those servers that the rest has too."""
    return replace(
        whole, services={name: _less(entry, rest.services.get(name)) for name, entry in whole.services.items()}
    )


def _less(entry: Entry[Service], other: Entry[Service] | None) -> Entry[Service]:
    balancer = entry.value.load_balancer
    if balancer is None:
        return entry
    kept = () if other is None or other.value.load_balancer is None else other.value.load_balancer.servers
    if kept == balancer.servers:
        return entry
    less = balancer.model_copy(update={"servers": kept})
    return replace(entry, value=entry.value.model_copy(update={"load_balancer": less}))
