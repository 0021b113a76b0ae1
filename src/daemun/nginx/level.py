"""A block and the blocks around it: what a directive means where it is inherited.

nginx's rule: a directive given on a level replaces what the levels above say of it, all of it (`proxy_set_header`,
`add_header`, `access_log`, `allow`, `error_page` … are inherited only by a level that has none itself).
"""

from __future__ import annotations

from dataclasses import dataclass

from daemun.nginx.directive import Directive


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """`http`, a `server`, a `location`, or an `if` in one of these; `directive` is None for the implied `http`."""

    kind: str
    directive: Directive | None
    block: tuple[Directive, ...]
    parent: Level | None = None

    def own(self, name: str) -> tuple[Directive, ...]:
        """Return the directives of this name that stand in this very block, in order."""
        return tuple(one for one in self.block if one.name == name)

    def all(self, name: str) -> tuple[Directive, ...]:
        """Return those of the nearest level that has any."""
        found = self.own(name)
        if found or self.parent is None:
            return found
        return self.parent.all(name)

    def last(self, name: str) -> Directive | None:
        """Return the one that counts of a directive that may stand once; None when no level has it."""
        found = self.all(name)
        return found[-1] if found else None

    def value(self, name: str, default: str) -> str:
        """Return its first argument, else nginx's default."""
        found = self.last(name)
        return found.args[0] if found is not None and found.args else default
