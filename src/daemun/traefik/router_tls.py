"""What TLS means for a router: whose settings it has, and which hosts its rule asks for.

Facts (Traefik v3.7): a router that has `tls` is served over TLS only, one without in clear text only; the `tls` of an
entry point is for its routers that have none of their own, whole or not at all. Used by whoever needs certificates
(certificate_needs.py) and by lowering (lower_tls.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from daemun.traefik.dynamic import Router
from daemun.traefik.lower_listeners import Gate
from daemun.traefik.rules import And, Match, Not, Or, Rule
from daemun.traefik.tls import Tls


def tls_of(router: Router, gate: Gate) -> Tls | None:
    """Return the TLS of a router on an entry point; None when it is served in clear text."""
    return router.tls if router.tls is not None else gate.entry_point.http.tls


def host_names(rule: Rule) -> tuple[str, ...]:
    """Return the hosts a rule asks for, in order and once: lower-case, no patterns, nothing behind `!`."""
    return tuple(dict.fromkeys(_hosts(rule, negated=False)))


def _hosts(rule: Rule, *, negated: bool) -> Iterator[str]:
    match rule:
        case Match("Host", (name,)) if not negated:
            yield name.lower().removesuffix(".")
        case Not(item):
            yield from _hosts(item, negated=not negated)
        case And(items) | Or(items):
            for item in items:
                yield from _hosts(item, negated=negated)
        case _:
            return
