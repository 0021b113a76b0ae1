"""A level to a route: its filters in nginx's order of phases, and the one thing that answers.

Facts (nginx): `proxy_pass` is not inherited, except by `if` and `limit_except`; where nothing else answers, files do;
`return` answers before anybody is asked who may come; a body's limit may be a location's own. Order of filters:
address, script, access, mirror, request fields, error pages, response fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import quote

from daemun.nginx.access import access
from daemun.nginx.alternatives import Alternative
from daemun.nginx.directive import Directive
from daemun.nginx.error_pages import error_pages
from daemun.nginx.files import files, try_files
from daemun.nginx.headers import response_headers
from daemun.nginx.level import Level
from daemun.nginx.log_formats import access_logs
from daemun.nginx.making import Making
from daemun.nginx.mirror import mirrors
from daemun.nginx.pages import answer
from daemun.nginx.passing import Passed
from daemun.nginx.proxying import Proxying
from daemun.nginx.realip import real_ip
from daemun.nginx.scene import Scene
from daemun.nginx.script import only_answer, rewrite_phase
from daemun.nginx.values import origin, size
from daemun.plan import filter as plan_filter
from daemun.plan import script
from daemun.plan.fault import FaultKind
from daemun.plan.route import Action, Fail, Route
from daemun.plan.scalars import Id
from daemun.plan.template import Literal, Variable

FAULTS: Id = "nginx"
REAL_IP = frozenset({"set_real_ip_from", "real_ip_header", "real_ip_recursive"})
# What nginx leaves of a path in a redirect: controls, white space, non-ASCII and `"#%<>?\\^`{|}` are escaped.
_PLAIN = "/!$&'()*+,-.:;=@[]_~"
# Levels without a content handler of their own have that of the location around them.
_WITHIN = frozenset({"if", "limit_except"})


# Stands under the id of a route that is being made, for those in it have ids of their own.
_RESERVED = Route(
    origin=origin("", None),
    internal=True,
    filters=(),
    action=Fail(FaultKind.INTERNAL),
    faults=FAULTS,
    logs=(),
    body_bytes=None,
)


@dataclass(slots=True, kw_only=True)
class Routes:
    """Makes routes; each has a name of its own."""

    making: Making
    proxying: Proxying
    # Why a URI may not stand in the proxy_pass of a location, by its level.
    no_uri: dict[Level, str] = field(default_factory=dict)

    def unique(self, name: str) -> Id:
        """Return a route's id that nobody has yet."""
        if name not in self.making.routes:
            return name
        number = 2
        while f"{name} {number}" in self.making.routes:
            number += 1
        return f"{name} {number}"

    def make(self, level: Level, scene: Scene, *, name: str, internal: bool = False) -> Id:
        """Add the route of a server or a location, and of the `if` blocks in it; return its id."""
        made = self.unique(name)
        self.making.routes[made] = _RESERVED
        before = self._real_ip(level, scene)
        if level.kind == "server":
            alone, script_filter = None, None
        else:
            alone = only_answer(level, self.making, scene)
            script_filter = None
            if alone is None:
                script_filter = rewrite_phase(level, self.making, scene, lambda one: self._inside(one, scene, made))
        if alone is not None:
            filters, action = before, alone
        else:
            limits = self._limits(level, scene, made)
            filters, action = self._content(level, scene, made)
            steps = () if script_filter is None else (script_filter,)
            filters = (*before, *limits, *steps, *self._named(level, scene, made), *filters)
        self.making.routes[made] = self._route(
            level, internal=internal, filters=(*filters, *self._after(level, scene)), action=action
        )
        return made

    def missing(self, directive: Directive, name: str) -> Id:
        """Add the route of a named location that is not there."""
        made = self.unique(name)
        self.making.routes[made] = replace(_RESERVED, origin=origin(name, directive))
        return made

    def slash(self, level: Level, scene: Scene, path: str) -> Id:
        """Add the redirect to a location's path, for requests that lack its last slash."""
        made = self.unique(f"{scene.name} redirect")
        location = (*scene.origin, Literal(quote(path, safe=_PLAIN)), Variable.QUERY_MARK, Variable.QUERY)
        self.making.routes[made] = self._route(
            level, internal=False, filters=self._after(level, scene), action=answer(301, location=location)
        )
        return made

    def _named(self, level: Level, scene: Scene, outer: Id) -> tuple[Id, ...]:
        """Return the filter that chooses what the variables of a proxy_pass came to."""
        handler = self._handler(level)
        found = () if handler is None else self.proxying.alternatives(handler, scene)
        if not found:
            return ()
        steps = self._chosen(found, level, scene, outer)
        return (self.making.filter(f"{outer} upstream", plan_filter.Script(steps)),)

    def _chosen(self, found: tuple[Alternative, ...], level: Level, scene: Scene, outer: Id) -> tuple[script.If, ...]:
        return tuple(
            script.If(
                when=one.when,
                steps=self._chosen(one.within, level, scene, outer),
                route=self._inside(level, scene, outer, instead=one),
            )
            for one in found
        )

    def _inside(self, level: Level, scene: Scene, outer: Id, *, instead: Alternative | None = None) -> Id:
        """Add the route of an `if` or a `limit_except`: all that it means, without a rewrite phase.

        With `instead`, the route of the level itself, when its proxy_pass comes to this.
        """
        words = " ".join((level.kind, *(level.directive.args if level.directive is not None else ())))
        made = self.unique(f"{outer} {words}" if instead is None else f"{outer} to {instead.word}")
        self.making.routes[made] = _RESERVED
        inner = replace(scene, name=made)
        chosen = self._named(level, inner, made) if instead is None else ()
        filters, action = self._content(level, inner, made, instead=None if instead is None else instead.passed)
        self.making.routes[made] = self._route(
            level,
            internal=_is_internal(level),
            filters=(*chosen, *self._real_ip(level, inner), *filters, *self._after(level, inner)),
            action=action,
        )
        return made

    def _route(self, level: Level, *, internal: bool, filters: tuple[Id, ...], action: Action) -> Route:
        words = () if level.directive is None else (level.directive.name, *level.directive.args)
        return Route(
            origin=origin(" ".join(words), level.directive),
            internal=internal,
            filters=filters,
            action=action,
            faults=FAULTS,
            logs=access_logs(level, self.making),
            body_bytes=self._body_bytes(level),
        )

    def _content(
        self, level: Level, scene: Scene, name: Id, *, instead: Passed | None = None
    ) -> tuple[tuple[Id, ...], Action]:
        """Return the filters of access and content, and what answers."""
        gate = access(level, self.making, scene)
        filters: tuple[Id, ...] = (*(() if gate is None else (gate,)), *mirrors(level, self.making, scene))
        handler = self._handler(level)
        if handler is None:
            tried = try_files(level, self.making, scene, None)
            return filters, tried if tried is not None else files(level, self.making, scene)
        forbidden = self._uri_forbidden(level, handler)
        proxied = self.proxying.proxy(level, scene, handler, uri_forbidden=forbidden, instead=instead)
        if proxied is None:
            return filters, Fail(FaultKind.INTERNAL)
        if not level.own("try_files") and level.parent is not None and not level.all("try_files"):
            return (*filters, *proxied.filters), proxied.action
        content = self.unique(f"{name} content")
        self.making.routes[content] = self._route(level, internal=True, filters=proxied.filters, action=proxied.action)
        tried = try_files(level, self.making, scene, content)
        if tried is not None:
            return filters, tried
        del self.making.routes[content]
        return (*filters, *proxied.filters), proxied.action

    def _handler(self, level: Level) -> Directive | None:
        """Return the proxy_pass that answers on this level."""
        own = level.own("proxy_pass")
        if own:
            return own[-1]
        return self._handler(level.parent) if level.kind in _WITHIN and level.parent is not None else None

    def _uri_forbidden(self, level: Level, handler: Directive) -> str:
        if level.kind in _WITHIN and level.own("proxy_pass"):
            return f'"{level.kind}" blocks'
        while level.kind in _WITHIN and level.parent is not None:
            level = level.parent
        return self.no_uri.get(level, "") if handler in level.own("proxy_pass") else ""

    def _real_ip(self, level: Level, scene: Scene) -> tuple[Id, ...]:
        """Return the filter of the client's address, where it is another than the server's."""
        owner = level.owner(REAL_IP)
        if level.kind == "server" or owner.kind in {"server", "http", "main"}:
            return ()
        made = real_ip(level, self.making, scene)
        return () if made is None else (made,)

    def _after(self, level: Level, scene: Scene) -> tuple[Id, ...]:
        pages = error_pages(level, self.making, scene)
        return (*(() if pages is None else (pages,)), *response_headers(level, self.making, scene))

    def _limits(self, level: Level, scene: Scene, name: Id) -> tuple[Id, ...]:
        """Return the filter that sends methods `limit_except` does not name through its block."""
        made: list[Id] = []
        for one in level.own("limit_except"):
            inner = Level(kind="limit_except", directive=one, block=one.block or (), parent=level)
            methods = dict.fromkeys(method.upper() for method in one.args)
            if "GET" in methods:
                methods["HEAD"] = None
            others = script.Not(
                script.Any(tuple(script.Equals(value=(Variable.METHOD,), to=(Literal(method),)) for method in methods))
            )
            step = script.If(when=others, steps=(script.Break(),), route=self._inside(inner, scene, name))
            made.append(self.making.filter(f"{name} methods", plan_filter.Script((step,))))
        return tuple(made)

    def _body_bytes(self, level: Level) -> int | None:
        """Return a location's own limit of bodies."""
        if level.owner({"client_max_body_size"}).kind in {"server", "http", "main"}:
            return None
        return size(level, "client_max_body_size", 0, self.making)


def _is_internal(level: Level) -> bool:
    while level.kind in _WITHIN and level.parent is not None:
        level = level.parent
    return bool(level.own("internal"))
