"""The whole: what the engine is to do, as one value, and its JSON.

`to_json` writes what the engine reads; `from_json` reads it back and refuses everything that is not exactly a Plan,
with the path to it. A Plan holds no secrets (DESIGN.md, law 7), so it may be shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from daemun.plan.codec import MalformedPlan, object_of, reader, written_all
from daemun.plan.fault import FaultAnswers
from daemun.plan.files import MimeTypes
from daemun.plan.filter import Filter
from daemun.plan.http import HttpPolicy
from daemun.plan.listener import Host, Listener
from daemun.plan.log import AccessLog
from daemun.plan.origin import Origin
from daemun.plan.route import Route
from daemun.plan.scalars import U32, Id, Millis
from daemun.plan.service import Service, Transport
from daemun.plan.table import Table
from daemun.plan.template import Lookup
from daemun.plan.tls import Certificate, TlsOptions

__all__ = ["VERSION", "Lifetimes", "MalformedPlan", "Origin", "Plan", "from_json", "to_json", "to_jsons", "to_tree"]

# The only version this control plane writes. An engine of another one is handed over to its own.
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """Bounds on what a swap leaves behind (DESIGN.md, law 4)."""

    # A tunnel or event stream whose route is gone is closed after this.
    removed_route_ms: Millis
    # The longest life of a Snapshot that exchanges still hold.
    snapshot_ms: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole configuration of the engine; every object stands once, by id."""

    # Always VERSION.
    version: U32
    lifetimes: Lifetimes
    # Listening addresses (Traefik: entry points; nginx: `listen`).
    listeners: Mapping[Id, Listener]
    # Virtual hosts (nginx: `server`; Traefik has one a listener).
    hosts: Mapping[Id, Host]
    # How HTTP messages from clients are read and judged.
    http: Mapping[Id, HttpPolicy]
    # Certificates by name; their bytes come by `put_certificate`.
    certificates: Mapping[Id, Certificate]
    # TLS settings towards clients.
    tls_options: Mapping[Id, TlsOptions]
    tables: Mapping[Id, Table]
    routes: Mapping[Id, Route]
    filters: Mapping[Id, Filter]
    services: Mapping[Id, Service]
    # How the engine talks to endpoints.
    transports: Mapping[Id, Transport]
    # What the engine itself answers when something fails.
    faults: Mapping[Id, FaultAnswers]
    # Tables of media types.
    mime_types: Mapping[Id, MimeTypes]
    # map, geo, split_clients.
    lookups: Mapping[Id, Lookup]
    logs: Mapping[Id, AccessLog]
    # Names of the slots that `set`, regex matches and sub-requests write and templates read; a slot is an index here.
    slots: tuple[str, ...]


def to_json(plan: Plan) -> bytes:
    """Return the Plan as the engine reads it: UTF-8 JSON, compact, fields in order."""
    return to_jsons(plan)[0]


def to_jsons(*plans: Plan) -> list[bytes]:
    """Return several Plans so; what they share costs once."""
    return [text.encode() for text in written_all(Plan, *plans)]


def to_tree(plan: Plan) -> dict[str, object]:
    """Return the Plan's JSON as dicts, lists and scalars."""
    tree: dict[str, object] = json.loads(to_json(plan))
    return tree


def from_json(text: bytes) -> Plan:
    """Return the Plan that stands in `text`.

    Raises MalformedPlan, whose path leads to the field that is unknown, missing or of another type.
    """
    try:
        tree = json.loads(text, object_pairs_hook=object_of, parse_constant=_no_number)
        plan: Plan = reader(Plan)(tree)
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise MalformedPlan(f"not JSON: {fault}") from None
    except RecursionError:
        raise MalformedPlan("nested too deeply") from None
    if plan.version != VERSION:
        raise MalformedPlan(f"expected {VERSION}, found {plan.version}").under("version")
    return plan


def _no_number(text: str) -> float:
    raise MalformedPlan(f"{text} is no JSON")
