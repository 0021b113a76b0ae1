"""A block and the blocks around it: what a directive means where it is inherited.

nginx's rule: a directive given on a level replaces what the levels above say of it, all of it (`proxy_set_header`,
`add_header`, `access_log`, `allow`, `error_page` … are inherited only by a level that has none itself).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from daemun.nginx.directive import Directive


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """`main`, `http`, a `server`, a `location`, or an `if` or `limit_except` in one of these.

    `directive` is None for `main` and for an implied `http`. Two levels are the same only when they are one.
    """

    kind: str
    directive: Directive | None
    block: tuple[Directive, ...]
    parent: Level | None = None
    # What stands in this block, and what holds in it, by name: found once, for a location asks for a hundred names.
    _own: Mapping[str, tuple[Directive, ...]] = field(init=False, repr=False)
    _holding: Mapping[str, tuple[Directive, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Sort the block by names."""
        found: dict[str, list[Directive]] = {}
        for one in self.block:
            found.setdefault(one.name, []).append(one)
        own = {name: tuple(some) for name, some in found.items()}
        object.__setattr__(self, "_own", own)
        above = {} if self.parent is None else self.parent._holding  # noqa: SLF001 - another Level
        object.__setattr__(self, "_holding", {**above, **own} if above else own)

    def own(self, name: str) -> tuple[Directive, ...]:
        """Return the directives of this name that stand in this very block, in order."""
        return self._own.get(name, ())

    def has(self, names: Collection[str]) -> bool:
        """Tell whether one of these stands in this very block."""
        return not self._own.keys().isdisjoint(names)

    def all(self, name: str) -> tuple[Directive, ...]:
        """Return those of the nearest level that has any."""
        return self._holding.get(name, ())

    def last(self, name: str) -> Directive | None:
        """Return the one that counts of a directive that may stand once; None when no level has it."""
        found = self._holding.get(name)
        return found[-1] if found else None

    def value(self, name: str, default: str) -> str:
        """Return its first argument, else nginx's default."""
        found = self._holding.get(name)
        return found[-1].args[0] if found and found[-1].args else default

    def beyond(self, names: frozenset[str]) -> Level:
        """Return the nearest level, outermost at last, that says something else than these."""
        level = self
        while level.parent is not None and level._own.keys() <= names:
            level = level.parent
        return level

    def words(self) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
        """Return all that this block says, where it is no more than words: two that say the same are alike."""
        found: list[tuple[str, tuple[str, ...]]] = []
        for one in self.block:
            if one.block is not None:
                return None
            found.append((one.name, one.args))
        return tuple(found)

    def owner(self, names: Collection[str]) -> Level:
        """Return the nearest level, outermost at last, that has one of these: where they mean the same as here."""
        level = self
        while level.parent is not None and level._own.keys().isdisjoint(names):
            level = level.parent
        return level
