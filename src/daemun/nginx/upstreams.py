"""`upstream` blocks, and the servers that `proxy_pass` names itself, as the Plan's services.

Facts (nginx): weight 1, max_fails 1 and fail_timeout 10 s for every server; a server without a port has 80; the method
of balancing stands before `keepalive`; `backup` goes with none of `hash`, `ip_hash`, `random`; a single server is never
left alone. Decisions: `random` is always of two with the fewest connections; an upstream used over TLS and in clear
text is two services.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from daemun.errors import nearest
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.transports import Kept, Transports, kept_of
from daemun.nginx.values import complain, options, origin, parse_millis
from daemun.nginx.variables import template
from daemun.plan import service as plan
from daemun.plan.scalars import Id

_PARAMETERS = ("weight", "max_fails", "fail_timeout", "max_conns", "backup", "down")
_LATER = {
    "slow_start": "slow_start comes later: leave it out",
    "service": "SRV records come later: name the servers",
    "route": "sticky routes come later: leave it out",
    "drain": "use down",
}
_IDLE = frozenset({"resolve"})
_METHODS = ("least_conn", "ip_hash", "hash", "random", "least_time")
_NO_BACKUP = frozenset({"hash", "ip_hash", "random"})
_PORT = re.compile(r":([0-9]+)$")


@dataclass(slots=True, kw_only=True)
class Upstream:
    """A destination as `proxy_pass` finds it: how connections to it are kept, and its services by scheme."""

    kept: Kept
    strategy: plan.Strategy
    endpoints: tuple[plan.Endpoint, ...]
    directive: Directive | None
    name: str
    # Its name for people, when it is another.
    shown: str = ""


@dataclass(slots=True, kw_only=True)
class Upstreams:
    """Every destination by name in lower case; services are made when they are used."""

    making: Making
    transports: Transports
    http: Level
    known: dict[str, Upstream] = field(default_factory=dict)
    # The names of `upstream` blocks, as written.
    blocks: tuple[str, ...] = ()

    def define(self, directives: tuple[Directive, ...]) -> None:
        """Read the `upstream` blocks."""
        for directive in directives:
            name = directive.args[0].lower()
            if name in self.known:
                message = f'duplicate upstream "{directive.args[0]}"'
                complain(self.making, directive, message, argument=0, remedy="put the servers into one of them")
                continue
            self.known[name] = self._block(directive)
            self.service(self.known[name], plan.UpstreamScheme.HTTP)
            self.blocks = (*self.blocks, directive.args[0])

    def direct(self, name: str, address: str, directive: Directive) -> Upstream:
        """Return the destination that a proxy_pass names itself."""
        key = f"{name} {address}".lower()
        found = self.known.get(key)
        if found is None:
            endpoint = _endpoint(address, 0)
            found = self.known[key] = Upstream(
                kept=Kept(),
                strategy=plan.RoundRobin(),
                endpoints=(endpoint,),
                directive=directive,
                name=name,
                shown="localhost" if address.startswith("unix:") else "",
            )
        return found

    def service(self, upstream: Upstream, scheme: plan.UpstreamScheme) -> Id:
        """Return the service of a destination, made when it is the first time."""
        secure = scheme is plan.UpstreamScheme.HTTPS
        name = f"{upstream.name} (https)" if secure else upstream.name
        if name not in self.making.services:
            endpoints = upstream.endpoints
            if secure:
                endpoints = tuple(replace(one, scheme=scheme) for one in endpoints)
            self.making.services[name] = plan.Service(
                # What is written to its log as `$proxy_host`.
                origin=origin(upstream.shown or upstream.name, upstream.directive),
                kind=plan.Balanced(
                    strategy=upstream.strategy,
                    endpoints=endpoints,
                    generation=1,
                    transport=self.transports.use(self.http, upstream.kept, upstream_tls() if secure else None),
                    rest=_rest(1, 10_000),
                    retry=self.transports.retry(self.http),
                ),
            )
        return name

    def _block(self, directive: Directive) -> Upstream:
        endpoints: list[plan.Endpoint] = []
        seen: dict[str, int] = {}
        inner = directive.block or ()
        method = next((one for one in inner if one.name in _METHODS), None)
        for one in inner:
            if one.name == "server" and one.args:
                address = _with_port(one.args[0])
                endpoint = self._server(one, address, seen.get(address, 0), method)
                seen[address] = seen.get(address, 0) + 1
                endpoints.append(endpoint)
            elif one.name in _METHODS and one is not method:
                complain(self.making, one, "load balancing method redefined", severity="warning")
        if not endpoints:
            message = f'no servers are inside upstream "{directive.args[0]}"'
            complain(self.making, directive, message, kind="missing", remedy="add one: server 127.0.0.1:8000;")
        elif all(one.backup for one in endpoints):
            complain(self.making, directive, f'no servers but backups are inside upstream "{directive.args[0]}"')
        return Upstream(
            kept=kept_of(directive, self.making),
            strategy=self._strategy(method),
            endpoints=tuple(endpoints),
            directive=directive,
            name=directive.args[0],
        )

    def _server(self, one: Directive, address: str, ordinal: int, method: Directive | None) -> plan.Endpoint:
        values = {"weight": 1, "max_fails": 1, "fail_timeout": 10_000, "max_conns": 0, "backup": 0, "down": 0}
        for name, (text, index) in options(one, begin=1).items():
            if name in _LATER:
                complain(
                    self.making, one, f"not supported: {name}", argument=index, kind="not_yet", remedy=_LATER[name]
                )
                continue
            if name in _IDLE:
                continue
            value = 1 if name in {"backup", "down"} and "=" not in one.args[index] else None
            if name == "fail_timeout":
                value = parse_millis(text)
            elif name in {"weight", "max_fails", "max_conns"} and text.isascii() and text.isdigit():
                value = int(text)
            if value is None or (name == "weight" and not value):
                near = nearest(name, _PARAMETERS) if name not in _PARAMETERS else ""
                complain(self.making, one, f'invalid parameter "{one.args[index]}"', argument=index, suggestion=near)
                continue
            if name == "backup" and method is not None and method.name in _NO_BACKUP:
                message = f'balancing method does not support parameter "backup" ({method.name})'
                complain(self.making, one, message, argument=index, remedy="use least_conn, or no method")
                continue
            values[name] = value
        own = (values["max_fails"], values["fail_timeout"])
        return plan.Endpoint(
            address=address,
            scheme=plan.UpstreamScheme.HTTP,
            ordinal=ordinal,
            weight=values["weight"],
            max_connections=values["max_conns"],
            backup=bool(values["backup"]),
            down=bool(values["down"]),
            url=address,
            rest=None if own == (1, 10_000) else _rest(*own),
        )

    def _strategy(self, method: Directive | None) -> plan.Strategy:
        if method is None:
            return plan.RoundRobin()
        if method.name == "hash" and method.args:
            if method.args[1:] not in {(), ("consistent",)}:
                complain(self.making, method, f'invalid parameter "{method.args[1]}"', argument=1, remedy="consistent")
            key = template(method.args[0], self.making, method.places[0])
            return plan.Hash(key=key, consistent=method.args[1:] == ("consistent",))
        strategies: dict[str, plan.Strategy] = {
            "least_conn": plan.LeastConnections(),
            "ip_hash": plan.NginxIpHash(),
            "random": plan.PowerOfTwo(),
            "least_time": plan.LeastTime(),
        }
        return strategies.get(method.name, plan.RoundRobin())


def upstream_tls() -> plan.UpstreamTls:
    """Return nginx's TLS to upstreams: nothing is verified, no name is sent."""
    return plan.UpstreamTls(verify=False, send_name=False, server_name=None, roots=(), certificate=None)


def _with_port(text: str) -> str:
    """Return an address with its port, 80 when it has none."""
    if text.startswith("unix:") or _PORT.search(text):
        return text
    return f"{text}:80"


def _endpoint(address: str, ordinal: int) -> plan.Endpoint:
    return plan.Endpoint(
        address=address,
        scheme=plan.UpstreamScheme.HTTP,
        ordinal=ordinal,
        weight=1,
        max_connections=0,
        backup=False,
        down=False,
        url=address,
        rest=None,
    )


def _rest(failures: int, millis: int) -> plan.Rest:
    return plan.Rest(failures=failures, window_ms=millis, rest_ms=millis, spare_single=True, early_ms=1_000)
