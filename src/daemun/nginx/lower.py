"""An nginx configuration to a Plan: everything explicit, nothing left to the engine's taste.

    read ─ judge ─ levels ─┬─ servers, listen ─► listeners and hosts      certificates, tls_terms ─► TLS, needs
                           ├─ locations, routes ─► tables and routes       policies ─► how clients are read
                           └─ upstreams, proxying ─► services, transports  script, access, files … ─► filters

A configuration with an error is refused as a whole, with everything wrong in it. Certificates are named by id: which
are needed is in the Draft, and `Draft.plan` names those that are at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from daemun.config.local_names import is_covered
from daemun.engine_terms import EngineTerms
from daemun.errors import ConfigError, Problem
from daemun.needs import AtHand, Needs
from daemun.nginx.certificates import REMEDY, Certificates, Resolver
from daemun.nginx.error_pages import error_pages
from daemun.nginx.headers import response_headers
from daemun.nginx.judge import judge
from daemun.nginx.level import Level
from daemun.nginx.levels import Http, build, is_fragment
from daemun.nginx.locations import Tables
from daemun.nginx.log_formats import STDOUT, ErrorLog, access_logs, error_log
from daemun.nginx.lookups import lookups
from daemun.nginx.making import Making
from daemun.nginx.pages import faults
from daemun.nginx.policies import NAMES as POLICY_NAMES
from daemun.nginx.policies import policy
from daemun.nginx.process import engine_terms
from daemun.nginx.proxying import Proxying
from daemun.nginx.read import Read
from daemun.nginx.realip import real_ip
from daemun.nginx.redirects import redirect_origin
from daemun.nginx.routes import FAULTS, Routes
from daemun.nginx.scene import Scene
from daemun.nginx.script import rewrite_phase
from daemun.nginx.servers import Address, ServerName, first_name, gather_addresses, host_names, names_of
from daemun.nginx.tls_terms import TlsTerms
from daemun.nginx.transports import Transports
from daemun.nginx.upstream_tls import UpstreamTlsMaker
from daemun.nginx.upstreams import Upstreams
from daemun.nginx.values import complain, millis, origin
from daemun.plan import listener as plan
from daemun.plan.http import HttpPolicy
from daemun.plan.plan import VERSION, Lifetimes, Plan
from daemun.plan.scalars import Id
from daemun.plan.script import Close, Return
from daemun.plan.tls import Certificate

_LIFETIMES = Lifetimes(removed_route_ms=10_000, snapshot_ms=86_400_000)
_ANYONE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A configuration lowered, but for the certificates that are at hand."""

    needs: Needs
    resolvers: Mapping[str, Resolver]
    problems: tuple[Problem, ...]
    # None when nothing is said of it.
    error_log: ErrorLog | None
    engine: EngineTerms
    secrets: Mapping[Id, bytes] = field(repr=False)
    # Files that were read beside the configuration.
    files: tuple[Path, ...]
    # Where the default server's certificate is obtained, by listener: the names it is to have.
    obtained: Mapping[Id, tuple[str, ...]]
    whole: Plan

    def plan(self, at_hand: AtHand) -> Plan:
        """Return the Plan with the certificates that are at hand."""
        others = tuple(
            name for name in at_hand.certificates if name not in self.needs.pairs and name != at_hand.fallback
        )
        listeners = dict(self.whole.listeners)
        for name, names in self.obtained.items():
            tls = listeners[name].tls
            if tls is None:
                continue
            default = tls.default_certificate or _covering(at_hand, others, names)
            changed = replace(tls, certificates=(*tls.certificates, *others), default_certificate=default)
            listeners[name] = replace(listeners[name], tls=changed)
        taken = [*self.needs.pairs, *(others if self.obtained else ())]
        certificates = {name: at_hand.certificates[name] for name in taken if name in at_hand.certificates}
        return replace(self.whole, listeners=listeners, certificates=certificates)


def lower(read: Read, *, prefix: str | None = None, unasked_log: str = STDOUT, acme: Resolver | None = None) -> Draft:
    """Lower what was read. Raises ConfigError, with everything that is wrong, when one of it is an error.

    `prefix` is nginx's (`-p`), for content and logs; the directory of the main file when absent. `unasked_log` is where
    access is logged when nothing says where. `acme` obtains certificates for servers with `ssl` that name none.
    """
    conf_prefix = read.files[0].parent if read.files else Path()
    making = Making(prefix=str(conf_prefix) if prefix is None else prefix, conf_prefix=str(conf_prefix))
    making.unasked_log = unasked_log
    making.problems.extend(read.problems)
    fragment = is_fragment(read.directives)
    directives, wrong = judge(read.directives, fragment=fragment)
    making.problems.extend(wrong)
    http = build(directives, fragment=fragment)
    draft = _Lowering(http=http, making=making, certificates=Certificates(making=making, acme=acme)).lower()
    if any(problem.is_error for problem in draft.problems):
        raise ConfigError(problems=draft.problems)
    return draft


@dataclass(slots=True, kw_only=True)
class _Lowering:
    http: Http
    making: Making
    certificates: Certificates
    policies: dict[Id, HttpPolicy] = field(default_factory=dict)
    hosts: dict[Id, plan.Host] = field(default_factory=dict)
    _policy_ids: dict[HttpPolicy, Id] = field(default_factory=dict)
    _policies: dict[Level, Id] = field(default_factory=dict)

    def lower(self) -> Draft:
        making, http = self.making, self.http
        making.declare(http.http.block)
        lookups(http.http.block, making)
        transports = Transports(making=making)
        upstreams = Upstreams(making=making, transports=transports, http=http.http)
        upstreams.define(http.upstreams)
        tls = UpstreamTlsMaker(making=making, certificates=self.certificates)
        routes = Routes(
            making=making,
            proxying=Proxying(making=making, transports=transports, upstreams=upstreams, tls=tls),
        )
        tables = Tables(making=making, routes=routes)
        ids = _ids(http.servers)
        addresses = gather_addresses(list(http.servers), making)
        names = {server: names_of(server, making) for server in http.servers}
        self._certified(addresses)
        secured = {server for address in addresses.values() if address.ssl for server in address.servers}
        terms = TlsTerms(making=making, challenges=bool(self.certificates.resolvers))
        for server in http.servers:
            self._server(server, ids[server], tables, names[server])
        tables.complete()
        self._terms(addresses, ids, terms, secured)
        listeners = {address.listen.name: self._listener(address, ids, names, terms) for address in addresses.values()}
        obtained = {
            address.listen.name: tuple(
                one.pattern.name
                for one in names[address.default_server]
                if isinstance(one.pattern, plan.Exact) and one.pattern.name
            )
            for address in addresses.values()
            if address.ssl and not all(self.certificates.of(server) for server in address.servers)
        }
        needs = self.certificates.needs(terminates=bool(obtained))
        whole = Plan(
            version=VERSION,
            lifetimes=_LIFETIMES,
            listeners=listeners,
            hosts=self.hosts,
            http=self.policies,
            certificates={name: Certificate(origin=need.origin, names=()) for name, need in needs.pairs.items()},
            tls_options=terms.made,
            mime_types=making.mime_types,
            tables=making.tables,
            routes=making.routes,
            filters=making.filters,
            services=making.services,
            transports=making.transports,
            faults={FAULTS: faults()},
            lookups=making.lookups,
            logs=making.logs,
            slots=tuple(making.slots),
        )
        draft = Draft(
            problems=(),
            needs=needs,
            resolvers=self.certificates.resolvers,
            error_log=error_log(http.http, making) if http.http.last("error_log") is not None else None,
            engine=engine_terms(http.main, http.http, making),
            secrets=making.secrets,
            files=tuple(making.files),
            obtained=obtained,
            whole=whole,
        )
        return replace(draft, problems=tuple(making.problems))

    def _server(self, server: Level, name: Id, tables: Tables, names: list[ServerName]) -> None:
        making = self.making
        captures = next((one.pattern.pattern.slot for one in names if isinstance(one.pattern, plan.Regex)), None)
        scene = Scene(name=name, table=name, origin=redirect_origin(server, making), captures=captures)
        address = real_ip(server, making, scene)
        script = rewrite_phase(server, making, scene, None)
        pages = error_pages(server, making, scene)
        answers = pages is None and script is not None and _answers(making, script)
        table = tables.make(server, scene, answers=answers)
        self.hosts[name] = plan.Host(
            origin=origin(f"server {first_name(server)}".strip(), server.directive),
            server_name=first_name(server),
            http=self._policy(server),
            tls_options=None,
            certificates=(),
            # What the server itself answers has its fields; what a route answers has the route's.
            filters=(
                *(one for one in (address, script, pages) if one is not None),
                *response_headers(server, making, scene),
            ),
            table=table,
            faults=FAULTS,
            logs=access_logs(server, making),
        )

    def _certified(self, addresses: Mapping[str, Address]) -> None:
        """Find who speaks TLS without a certificate, and let one be obtained."""
        asked: dict[Level, bool] = {}
        for address in addresses.values():
            if not address.ssl:
                continue
            for server in address.servers:
                if self.certificates.of(server):
                    continue
                if server not in asked:
                    asked[server] = self.certificates.resolve(server)
                rejects = server.value("ssl_reject_handshake", "off").lower() == "on"
                if not asked[server] and not rejects and server is address.default_server:
                    message = 'no "ssl_certificate" is defined for the "listen ... ssl" directive'
                    complain(self.making, address.listen.directive, message, kind="missing", remedy=REMEDY)

    def _terms(
        self, addresses: Mapping[str, Address], ids: Mapping[Level, Id], terms: TlsTerms, secured: set[Level]
    ) -> None:
        """Give hosts what they show and on which terms, where these are not their address's own."""
        for address in addresses.values():
            if not address.ssl:
                continue
            default = terms.of(address.default_server, http2=address.http2)
            for server in address.servers:
                own = terms.of(server, http2=address.http2)
                host = self.hosts[ids[server]]
                if own != default and host.tls_options is None:
                    self.hosts[ids[server]] = host = replace(host, tls_options=own)
                if not host.certificates and server in secured and (pairs := self.certificates.of(server)):
                    self.hosts[ids[server]] = replace(host, certificates=pairs)

    def _listener(
        self, address: Address, ids: dict[Level, Id], names: dict[Level, list[ServerName]], terms: TlsTerms
    ) -> plan.Listener:
        default = address.default_server
        grace = millis(self.http.main, "worker_shutdown_timeout", 0, self.making)
        pairs = self.certificates.of(default)
        secure = (
            plan.ListenerTls(
                options=terms.of(default, http2=address.http2),
                certificates=pairs,
                default_certificate=pairs[0] if pairs else None,
                plain=plan.PlainOnTls.REFUSE,
            )
            if address.ssl
            else None
        )
        protocols = (plan.Protocol.HTTP1, plan.Protocol.HTTP2) if address.http2 else (plan.Protocol.HTTP1,)
        return plan.Listener(
            origin=origin(address.listen.name, address.listen.directive),
            bind=address.listen.bind,
            backlog=address.backlog,
            max_connections=0,
            proxy_protocol=plan.ProxyProtocol(trusted=_ANYONE) if address.proxy_protocol else None,
            tls=secure,
            protocols=protocols,
            http=self._policy(default),
            hosts=plan.Hosts(names=host_names(address, ids, names, self.making), default=ids[default]),
            closing=plan.Closing(accept_grace_ms=0, grace_ms=grace),
        )

    def _policy(self, server: Level) -> Id:
        owner = server.owner(POLICY_NAMES)
        known = self._policies.get(owner)
        if known is None:
            made = policy(owner, self.making)
            known = self._policy_ids.get(made)
            if known is None:
                known = self._policy_ids[made] = f"nginx {len(self.policies) + 1}" if self.policies else "nginx"
                self.policies[known] = made
            self._policies[owner] = known
        return known


def _ids(servers: tuple[Level, ...]) -> dict[Level, Id]:
    """Return an id for each server: its name, with a number when another has it."""
    seen: dict[str, int] = {}
    found: dict[Level, Id] = {}
    for server in servers:
        name = first_name(server) or "server"
        seen[name] = seen.get(name, 0) + 1
        found[server] = name if seen[name] == 1 else f"{name} #{seen[name]}"
    return found


def _answers(making: Making, script: Id) -> bool:
    """Tell whether a script answers every request."""
    steps = getattr(making.filters[script], "steps", ())
    return any(isinstance(step, (Return, Close)) for step in steps)


def _covering(at_hand: AtHand, among: tuple[Id, ...], names: tuple[str, ...]) -> Id | None:
    for name in among:
        if any(is_covered(one, at_hand.certificates[name].names) for one in names):
            return name
    return None
