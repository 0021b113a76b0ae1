"""What changed between two Plans, by name, for the log and the API.

Objects are compared as values; nothing is said about what within them differs. The engine carries over what must
survive by identity and does not need this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daemun.plan.plan import Plan

# The kinds of named objects, in the order of a request.
KINDS = (
    "listeners",
    "hosts",
    "http",
    "certificates",
    "tls_options",
    "tables",
    "routes",
    "filters",
    "services",
    "transports",
    "faults",
    "mime_types",
    "lookups",
    "logs",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Names of one kind that are new, gone, or say something else than before; each sorted."""

    appeared: tuple[str, ...]
    vanished: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether anything is different."""
        return bool(self.appeared or self.vanished or self.changed)


def changed(old: Plan | None, new: Plan) -> dict[str, Changes]:
    """Return the changes by kind (`listeners`, `routes`, ...), only kinds that have any; all is new without `old`."""
    found = {kind: _between({} if old is None else getattr(old, kind), getattr(new, kind)) for kind in KINDS}
    return {kind: changes for kind, changes in found.items() if changes}


def _between(old: Mapping[str, object], new: Mapping[str, object]) -> Changes:
    if old is new:
        return Changes(appeared=(), vanished=(), changed=())
    return Changes(
        appeared=tuple(sorted(new.keys() - old.keys())),
        vanished=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(sorted(name for name in new.keys() & old.keys() if old[name] != new[name])),
    )
