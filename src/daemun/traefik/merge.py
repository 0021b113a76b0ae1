"""What several providers define, as one dynamic configuration.

    {"file": Dynamic, "docker": Dynamic} ── merged ──► Dynamic + Problems

Full names keep providers apart; only the one store `default` has no provider (options of that name cannot come from
labels). Decision: of two default stores the one in a file is used, and the other reported (Traefik uses neither): what a
container says must not take a certificate away from everybody. Values only; nothing is lowered here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from daemun.errors import Problem
from daemun.traefik.dynamic import Dynamic, Entry
from daemun.traefik.names import precedence
from daemun.traefik.tls import TlsOptions, TlsStore


def merged(parts: Mapping[str, Dynamic], *, providers: Collection[str]) -> tuple[Dynamic, list[Problem]]:
    """Return the whole of what the providers define, and what of it contradicts itself.

    `providers` are all that are configured, those that have said nothing yet too.
    """
    problems: list[Problem] = []
    # The last one first: what is everybody's belongs to the file.
    names = sorted(parts, key=precedence, reverse=True)
    options: dict[str, Entry[TlsOptions]] = {}
    stores: dict[str, Entry[TlsStore]] = {}
    for name in names:
        part = parts[name]
        options |= {full: entry for full, entry in part.tls_options.items() if full not in options}
        for full, entry in part.tls_stores.items():
            if full in stores:
                problems.append(_twice(entry, stores[full]))
            else:
                stores[full] = entry
    whole = Dynamic(
        routers={full: entry for name in names for full, entry in parts[name].routers.items()},
        services={full: entry for name in names for full, entry in parts[name].services.items()},
        middlewares={full: entry for name in names for full, entry in parts[name].middlewares.items()},
        rules={full: rule for name in names for full, rule in parts[name].rules.items()},
        servers_transports={full: entry for name in names for full, entry in parts[name].servers_transports.items()},
        tls_certificates=tuple(entry for name in names for entry in parts[name].tls_certificates),
        tls_options=options,
        tls_stores=stores,
        broken=frozenset(broken for name in names for broken in parts[name].broken),
        providers=tuple(sorted(providers, key=precedence)),
        silent=tuple(name for name in sorted(providers, key=precedence) if name not in parts),
    )
    return whole, problems


def _twice(entry: Entry[TlsStore], first: Entry[TlsStore]) -> Problem:
    return Problem(
        severity="error",
        kind="duplicate",
        message=f"the TLS store {entry.name!r} is defined by {first.provider} too, whose one is used",
        place=entry.place(),
        subject=entry.subject,
        related=(first.place(),),
    )
