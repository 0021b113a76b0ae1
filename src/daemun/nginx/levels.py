"""Directives to levels: `http`, its servers and upstreams, and the locations of a server.

Facts (nginx): a file of `conf.d` stands inside `http {}`; a location is exact (`=`), a prefix, a prefix that keeps
regular expressions away (`^~`), a regular expression (`~`, `~*`) or a name (`@name`). Decision: a file without `http {}`
that has directives of it is read as if it stood there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level

# What stands only in `http`: a file that has one of these at its top and no `http` is a fragment.
_ONLY_HTTP = frozenset({"server", "upstream", "map", "geo", "split_clients", "log_format", "proxy_pass", "location"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """A whole configuration by its blocks."""

    main: Level
    http: Level
    servers: tuple[Level, ...]
    upstreams: tuple[Directive, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Location:
    """A location and those in it. `kind` is `exact`, `prefix`, `stop`, `regex`, `iregex` or `named`."""

    kind: str
    path: str
    level: Level
    children: tuple[Location, ...]

    @property
    def directive(self) -> Directive:
        """The directive that opens it."""
        directive = self.level.directive
        if directive is None:
            raise LookupError("a location has a directive")
        return directive


def is_fragment(directives: Sequence[Directive]) -> bool:
    """Tell whether these directives stand in `http` although nobody says so."""
    names = {one.name for one in directives}
    return "http" not in names and not names.isdisjoint(_ONLY_HTTP)


def build(directives: Sequence[Directive], *, fragment: bool) -> Http:
    """Return the blocks of a configuration, or of a fragment of `http`."""
    whole = tuple(directives)
    main = Level(kind="main", directive=None, block=() if fragment else whole)
    https = [one for one in whole if one.name == "http" and one.block is not None]
    inner = whole if fragment else tuple(inside for one in https for inside in one.block or ())
    http = Level(kind="http", directive=https[0] if https else None, block=inner, parent=main)
    servers = tuple(
        Level(kind="server", directive=one, block=one.block, parent=http)
        for one in http.own("server")
        if one.block is not None
    )
    upstreams = tuple(one for one in http.own("upstream") if one.block is not None and one.args)
    return Http(main=main, http=http, servers=servers, upstreams=upstreams)


def locations(level: Level) -> tuple[Location, ...]:
    """Return the locations that stand in this block, in order, with those in them."""
    return tuple(_location(one, level) for one in level.own("location") if one.block is not None and one.args)


def _location(directive: Directive, parent: Level) -> Location:
    kind, path = split(directive.args)
    level = Level(kind="location", directive=directive, block=directive.block or (), parent=parent)
    return Location(kind=kind, path=path, level=level, children=locations(level))


def split(args: Sequence[str]) -> tuple[str, str]:
    """Return the kind and the path of a location's words; the modifier may be glued to the path."""
    kinds = {"=": "exact", "^~": "stop", "~*": "iregex", "~": "regex"}
    if len(args) == 2:
        return kinds.get(args[0], ""), args[1]
    text = args[0]
    for modifier, kind in kinds.items():
        if text.startswith(modifier):
            return kind, text[len(modifier) :]
    return ("named", text[1:]) if text.startswith("@") else ("prefix", text)
