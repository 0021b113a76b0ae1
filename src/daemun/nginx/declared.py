"""What the configuration itself defines: variables of `set`, `map` and the like, named groups of regular expressions.

Gathered in one walk before anything is lowered, for a variable may be used above the line that defines it. Names are
in lower case: nginx's variables have no case.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from daemun.errors import Place
from daemun.nginx.directive import Directive
from daemun.nginx.variable_names import KNOWN

NAMED_GROUP = re.compile(r"(?<!\\)\(\?(?:P?<([A-Za-z_][A-Za-z0-9_]*)>|'([A-Za-z_][A-Za-z0-9_]*)')")
NUMBERED = re.compile(r"\$[1-9]")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")
_BEGINS_URI = re.compile("[/?#]")
# nginx's own variables that are a name, an address or a number: no `/`, `?` or `#` is ever in them.
_NO_URI = frozenset(
    [
        "host",
        "hostname",
        "pid",
        "proxy_host",
        "proxy_port",
        "remote_addr",
        "remote_port",
        "scheme",
        "server_addr",
        "server_name",
        "server_port",
        "ssl_server_name",
    ]
)
_PATTERNED = ("rewrite", "location", "if", "server_name", "map")
LOOKUPS = ("map", "geo", "split_clients")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupKey:
    """What a `map`, `geo` or `split_clients` variable is looked up by, and where it is defined."""

    kind: str
    key: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Variables of the configuration's own, by name in lower case."""

    # Written by `set` or `auth_request_set`.
    slots: tuple[str, ...] = ()
    # Named groups, as written, and the slot their patterns write: patterns that share a name share a slot.
    groups: Mapping[str, str] = field(default_factory=dict)
    lookups: Mapping[str, LookupKey] = field(default_factory=dict)
    # `$1` to `$9` stand somewhere: patterns with groups keep what they matched.
    numbered: bool = False
    # What `set` and lookups may make of a variable, as written, each once.
    values: Mapping[str, Collection[str]] = field(default_factory=dict)

    def names(self) -> Iterator[str]:
        """Return every name."""
        yield from self.slots
        yield from self.groups
        yield from self.lookups

    def may_hold_uri(self, text: str) -> bool:
        """Tell whether a text could come to hold a `/`, `?` or `#`, by all its variables may be."""
        left, seen = [text], {text}
        while left:
            one = left.pop()
            if _BEGINS_URI.search(one) is not None:
                return True
            for found in _VARIABLE.finditer(one):
                name = (found[1] or found[2]).lower()
                if name in _NO_URI:
                    continue
                if name not in self.values or name in self.groups:
                    return True
                left += [value for value in self.values[name] if value not in seen]
                seen.update(self.values[name])
        return False


def gather(directives: Iterable[Directive]) -> Declared:
    """Return what these directives and the ones inside them define."""
    slots: dict[str, None] = {}
    lookups: dict[str, LookupKey] = {}
    values: dict[str, dict[str, None]] = {}
    sets: list[list[str]] = []
    numbered = False
    for one in _walk(directives):
        if one.name in ("set", "auth_request_set") and one.args:
            name = one.args[0].removeprefix("$").lower()
            # `set $args` writes nginx's own; any other of these is refused where it stands.
            if name not in KNOWN:
                slots[name] = None
                values.setdefault(name, {}).update(dict.fromkeys(one.args[1:2]))
        elif one.name in LOOKUPS and one.args:
            key = one.args[0] if len(one.args) > 1 else "$remote_addr"
            place = one.places[-1] if one.places else one.place
            name = one.args[-1].removeprefix("$").lower()
            lookups.setdefault(name, LookupKey(kind=one.name, key=key, place=place))
            said = (entry.args[-1] for entry in one.block or () if entry.args)
            values.setdefault(name, {}).update(dict.fromkeys(said))
        if not numbered:
            text = " ".join(one.args)
            numbered = "$" in text and NUMBERED.search(text) is not None
        if one.name in _PATTERNED:
            sets.extend(names for text in _patterns(one) if "(?" in text and (names := group_names(text)))
    groups = _shared_slots(sets)
    # A variable that `set` writes too has two slots, the pattern's one under a name no variable has.
    apart = {name: f"?{slot}" if slot in slots else slot for name, slot in groups.items()}
    return Declared(slots=tuple(slots), groups=apart, lookups=lookups, numbered=numbered, values=values)


def group_names(pattern: str) -> list[str]:
    """Return the names of a pattern's groups, in order."""
    return [found.group(1) or found.group(2) for found in NAMED_GROUP.finditer(pattern)]


def _walk(directives: Iterable[Directive]) -> Iterator[Directive]:
    """Yield them and all that stand in them, each before what it holds."""
    left = [iter(directives)]
    while left:
        for one in left[-1]:
            yield one
            if one.block is not None:
                left.append(iter(one.block))
                break
        else:
            left.pop()


def _patterns(one: Directive) -> Iterator[str]:
    """Return the words of a directive that are regular expressions."""
    if one.name == "rewrite":
        yield from one.args[:1]
    elif one.name in ("location", "if"):
        yield from one.args
    elif one.name == "server_name":
        yield from (arg for arg in one.args if arg.startswith("~"))
    elif one.name == "map" and one.block is not None:
        yield from (entry.name for entry in one.block if entry.name.startswith("~"))


def _shared_slots(sets: Iterable[list[str]]) -> dict[str, str]:
    """Return the slot of each name: the first name of those that stand together in some pattern."""
    slot: dict[str, str] = {}
    for names in sets:
        taken = [slot[name] for name in names if name in slot]
        first = taken[0] if taken else names[0]
        for name, old in slot.items():
            if old in taken:
                slot[name] = first
        slot.update(dict.fromkeys(names, first))
    return slot
