"""Whether two Plans mean the same: ids and slots by the order in which a walk from the listeners meets them.

Ids, the names in origins and how a text is cut into literals are a lowering's own affair; so is the order of exact,
prefix and named locations. Everything else counts. An object that nothing leads to does not.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from daemun.plan.plan import Plan, to_tree

# The key under which an id stands, and the kind of object it is of.
_ONE = {
    "http": "http",
    "options": "tls_options",
    "tls_options": "tls_options",
    "default_certificate": "certificates",
    "certificate": "certificates",
    "host": "hosts",
    "table": "tables",
    "index_table": "tables",
    "faults": "faults",
    "route": "routes",
    "otherwise": "routes",
    "service": "services",
    "transport": "transports",
    "types": "mime_types",
}
_MANY = {"certificates": "certificates", "filters": "filters", "logs": "logs"}
_UNORDERED = {"exact": "path", "prefixes": "path", "named": "name"}


def meaning(plan: Plan) -> dict[str, Any]:
    """Return everything that the listeners lead to, with ids that depend on nothing but the way there."""
    walk = _Walk(to_tree(plan))
    listeners = {name: walk.value(one) for name, one in sorted(walk.tree["listeners"].items())}
    return {"lifetimes": walk.tree["lifetimes"], "listeners": listeners, **dict(sorted(walk.found.items()))}


class _Walk:
    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree
        self.names: dict[tuple[str, str], str] = {}
        self.slots: dict[int, str] = {}
        self.found: dict[str, Any] = {}

    def value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.member(key, one, value) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return joined([self.value(one) for one in value])
        return value

    def member(self, key: str, one: Any, around: dict[str, Any]) -> Any:
        if key == "origin":
            return {"file": PurePath(one["file"]).name, "line": one["line"]}
        if key == "slot" and isinstance(one, int):
            return self.slots.setdefault(one, f"slot {len(self.slots)}")
        if key == "hosts":
            return {"names": self.value(one["names"]), "default": self.visit("hosts", one["default"])}
        if key == "table" and "key" in around:
            return self.visit("lookups", one)
        if isinstance(one, str) and key in _ONE and not (key == "host" and "port" in around):
            return self.visit(_ONE[key], one)
        if key in _MANY:
            return [self.visit(_MANY[key], name) for name in one]
        if key in _UNORDERED and "otherwise" in around:
            one = sorted(one, key=lambda entry: str(entry[_UNORDERED[key]]))
        if key == "names" and "origin" in around:
            return []  # what a certificate serves is read from its file
        return self.value(one)

    def visit(self, kind: str, name: str) -> str:
        known = self.names.get((kind, name))
        if known is None:
            number = sum(1 for other, _ in self.names if other == kind)
            known = self.names[kind, name] = f"{kind} {number}"
            self.found[known] = None
            self.found[known] = self.value(self.tree[kind][name])
        return known


def joined(parts: list[Any]) -> list[Any]:
    """Return a template with neighbouring literals in one; any other list as it is."""
    out: list[Any] = []
    for part in parts:
        both = isinstance(part, dict) and part.keys() == {"literal"} and out and isinstance(out[-1], dict)
        if both and out[-1].keys() == {"literal"}:
            out[-1] = {"literal": out[-1]["literal"] + part["literal"]}
        else:
            out.append(part)
    return out
