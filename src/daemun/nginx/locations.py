"""The locations of a server to its route table.

Facts (nginx): a nested location lies inside the prefix around it; nothing lies in an exact or a named one; a prefix that
ends in `/` and passes requests on answers the path without the slash with 301, unless a location of that very path is
there, before any regular expression; what no location takes is the server's own. Decision: that answer is an exact
location.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from daemun.nginx.level import Level
from daemun.nginx.levels import Location, locations
from daemun.nginx.making import Making
from daemun.nginx.patterns import pattern
from daemun.nginx.redirects import redirect_origin
from daemun.nginx.routes import Routes
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain
from daemun.plan import table as plan
from daemun.plan.scalars import Id

_REDIRECTS = frozenset({"absolute_redirect", "port_in_redirect", "server_name_in_redirect"})
# The table of servers that answer everything themselves; no server is called so.
_EMPTY: Id = "{}"
_PASSES = ("proxy_pass",)


@dataclass(slots=True)
class _Block:
    exact: list[plan.Exact] = field(default_factory=list)
    prefixes: list[plan.Prefix] = field(default_factory=list)
    regexes: list[plan.Regex] = field(default_factory=list)
    named: list[plan.Named] = field(default_factory=list)
    seen: dict[tuple[str, str], Location] = field(default_factory=dict)
    # Paths without their last slash, and where they are sent.
    slashes: dict[str, tuple[Level, Scene, str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Tables:
    """Makes the table of each server."""

    making: Making
    routes: Routes

    def make(self, server: Level, scene: Scene, *, answers: bool) -> Id:
        """Add a server's table, return its id; `answers` when the server answers everything before it is searched."""
        found = locations(server)
        if answers and not found:
            self.making.tables[_EMPTY] = self._locations(_Block(), None)
            return _EMPTY
        block = self._block(found, scene, None)
        everything = any(one.path == "/" for one in block.prefixes)
        otherwise = None if everything else self.routes.make(server, scene, name=scene.name)
        self.making.tables[scene.table] = self._locations(block, otherwise)
        return scene.table

    def complete(self) -> None:
        """Answer jumps to named locations that are not there with 500, as nginx does, and say so."""
        for (name, wanted), directive in self.making.names.items():
            table = self.making.tables.get(name)
            if not isinstance(table, plan.Locations) or any(one.name == wanted for one in table.named):
                continue
            message = f'could not find named location "@{wanted}"'
            remedy = f"add location @{wanted} {{ … }} to the server: without it the answer is 500"
            last = len(directive.args) - 1
            complain(
                self.making, directive, message, argument=last, severity="warning", kind="reference", remedy=remedy
            )
            route = self.routes.missing(directive, f"{name} @{wanted}")
            self.making.tables[name] = replace(table, named=(*table.named, plan.Named(name=wanted, route=route)))

    def _block(self, found: tuple[Location, ...], scene: Scene, outer: Location | None) -> _Block:
        block = _Block()
        for one in found:
            if self._stands(one, outer, block):
                self._add(one, scene, block)
        for path, (level, inner, target) in block.slashes.items():
            taken = ("exact", path) in block.seen or ("prefix", path) in block.seen
            if not taken:
                block.exact.append(plan.Exact(path=path, route=self.routes.slash(level, inner, target)))
        return block

    def _add(self, one: Location, outer: Scene, block: _Block) -> None:
        words = " ".join(one.directive.args)
        made = None
        if one.kind in {"regex", "iregex"}:
            made = pattern(one.path, self.making, one.directive.places[-1], ignore_case=one.kind == "iregex")
            self.routes.no_uri[one.level] = "location given by regular expression"
        elif one.kind == "named":
            self.routes.no_uri[one.level] = "named location"
        own_redirects = one.level.owner(_REDIRECTS).kind == "location"
        scene = replace(
            outer,
            name=f"{outer.table} {words}",
            origin=redirect_origin(one.level, self.making) if own_redirects else outer.origin,
            path=one.path if one.kind in {"exact", "prefix", "stop"} else "",
            exact=one.kind == "exact",
            captures=made.slot if made is not None else outer.captures,
        )
        route = self.routes.make(one.level, scene, name=scene.name, internal=bool(one.level.own("internal")))
        children = self._children(one, scene)
        if one.kind == "exact":
            block.exact.append(plan.Exact(path=one.path, route=route))
        elif one.kind == "named":
            block.named.append(plan.Named(name=one.path, route=route))
        elif made is not None:
            block.regexes.append(plan.Regex(pattern=made, route=route, children=children))
        else:
            block.prefixes.append(
                plan.Prefix(
                    path=one.path,
                    stop=one.kind == "stop",
                    route=route,
                    redirect_without_slash=False,
                    children=children,
                )
            )
        passes = any(one.level.own(name) for name in _PASSES)
        if passes and len(one.path) > 1 and one.path.endswith("/") and one.kind in {"exact", "prefix", "stop"}:
            block.slashes[one.path[:-1]] = (one.level, scene, one.path)

    def _children(self, one: Location, scene: Scene) -> plan.Locations | None:
        if not one.children:
            return None
        return self._locations(self._block(one.children, scene, one), None)

    def _locations(self, block: _Block, otherwise: Id | None) -> plan.Locations:
        return plan.Locations(
            exact=tuple(block.exact),
            prefixes=tuple(block.prefixes),
            regexes=tuple(block.regexes),
            named=tuple(block.named),
            otherwise=otherwise,
        )

    def _stands(self, one: Location, outer: Location | None, block: _Block) -> bool:
        """Tell whether a location may stand where it does; if not, say why."""
        making, directive = self.making, one.directive
        if not one.kind:
            message = f'invalid location modifier "{directive.args[0]}"'
            complain(making, directive, message, argument=0, remedy="one of = ^~ ~ ~*")
            return False
        shown = f'"@{one.path}"' if one.kind == "named" else f'"{one.path}"'
        key = ("prefix" if one.kind == "stop" else one.kind, one.path)
        if key in block.seen and one.kind not in {"regex", "iregex"}:
            message = f"duplicate location {shown}"
            complain(making, directive, message, kind="duplicate", remedy="put what they say into one of them")
            return False
        block.seen[key] = one
        if outer is None:
            return True
        around = f'"@{outer.path}"' if outer.kind == "named" else f'"{outer.path}"'
        message = ""
        if outer.kind == "exact":
            message = f"location {shown} cannot be inside the exact location {around}"
        elif outer.kind == "named":
            message = f"location {shown} cannot be inside the named location {around}"
        elif one.kind == "named":
            message = f"named location {shown} can be on the server level only"
        elif one.kind not in {"regex", "iregex"} and not one.path.startswith(outer.path):
            message = f"location {shown} is outside location {around}"
        if message:
            complain(making, directive, message, kind="placement", remedy="put it beside that location, in the server")
        return not message
