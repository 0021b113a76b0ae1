"""Traefik's dynamic configuration, typed, with Traefik's defaults: routers, services, middlewares.

    documents ── build_dynamic ──► Dynamic (every sound entry, its rule parsed) + Problems

Entries are validated one by one, so that a bad router does not stop the others. Several documents of one provider add
up; a name that stands in two is an error and the first one keeps it, as in Traefik. Providers are put together in
merge.py. References between entries are not followed here: lowering does that, knowing the entry points too.
Middlewares are in middlewares.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from daemun.config.document import Document, Path, Tree
from daemun.config.durations import Seconds
from daemun.config.section import (
    Names,
    Section,
    empty_problem,
    fold_case,
    not_yet_problem,
    read_section,
    subject,
    unknown_problem,
)
from daemun.errors import Place, Problem, RuleError
from daemun.traefik.files import Files
from daemun.traefik.middlewares import Middleware
from daemun.traefik.names import FILE, qualified
from daemun.traefik.rule_places import place_rule_problem
from daemun.traefik.rules import Rule, parse_rule
from daemun.traefik.server_url import check_url
from daemun.traefik.servers_transport import ServersTransport
from daemun.traefik.tls import DEFAULT, OptionalTls, TlsCertificate, TlsOptions, TlsStore
from daemun.traefik.value_notes import middleware_notes

S = TypeVar("S", bound=Section)
MAX_PRIORITY = 2**63 - 1 - 1000  # the rest is Traefik's own (redirections, ACME)
_STATIC = "this belongs to the static configuration (the file given with --config)"
_STATIC_NAMES = [
    "global",
    "entryPoints",
    "providers",
    "api",
    "metrics",
    "ping",
    "log",
    "accessLog",
    "tracing",
    "certificatesResolvers",
    "experimental",
    "serversTransport",
    "tcpServersTransport",
    "hostResolver",
    "core",
    "spiffe",
    "ocsp",
]
_ROOT = ("http", "tcp", "udp", "tls")
_HTTP = ("routers", "services", "middlewares", "serversTransports")
_HTTP_NOT_YET = ("models",)
_TLS = ("certificates", "options", "stores")


class RouterObservability(Section):
    """Which observations are made of a router's requests."""

    not_yet: ClassVar[tuple[str, ...]] = ("metrics", "tracing", "traceVerbosity")
    access_logs: bool | None = None


class Router(Section):
    """A rule, and where its requests go."""

    not_yet: ClassVar[tuple[str, ...]] = ("parentRefs",)
    not_yet_means: ClassVar[dict[str, str]] = {"*": "until then this router is not served"}
    rule: str
    service: str = ""
    entry_points: Names = ()
    middlewares: Names = ()
    priority: int = Field(default=0, le=MAX_PRIORITY)
    rule_syntax: Annotated[Literal["", "v2", "v3", "default"], BeforeValidator(fold_case)] = ""
    observability: RouterObservability = RouterObservability()
    tls: OptionalTls = None


class Server(Section):
    """One address of a service."""

    url: Annotated[str, AfterValidator(check_url)]
    weight: int = Field(default=1, ge=0, le=65535)
    preserve_path: bool = False


class ResponseForwarding(Section):
    """How answers go back; a negative interval flushes at once."""

    flush_interval: Seconds = 0.1


Strategy = Annotated[Literal["wrr", "p2c", "hrw", "leasttime", "leastconn", "iphash"], BeforeValidator(fold_case)]


class LoadBalancer(Section):
    """Servers and how one is chosen; leastconn and iphash are ours."""

    not_yet: ClassVar[tuple[str, ...]] = ("sticky", "healthCheck", "passiveHealthCheck")
    servers: tuple[Server, ...] = ()
    strategy: Strategy = "wrr"
    pass_host_header: bool = True
    response_forwarding: ResponseForwarding = ResponseForwarding()
    servers_transport: str = ""


class Service(Section):
    """Where requests may go: servers, or files (ours). Without either it is of a kind that comes later (`pending`)."""

    not_yet: ClassVar[tuple[str, ...]] = ("weighted", "mirroring", "failover", "highestRandomWeight", "middlewares")
    not_yet_means: ClassVar[dict[str, str]] = {"*": "until then routers that use this service are not served"}
    load_balancer: LoadBalancer | None = None
    files: Files | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[S]):
    """A named section, who defines it and where it stands."""

    name: str
    value: S
    provider: str = FILE
    document: Document = field(repr=False, compare=False)
    path: Path = field(repr=False, compare=False)

    @property
    def full_name(self) -> str:
        """Return the name by which everybody may refer to it, such as `web@file`."""
        return qualified(self.name, self.provider)

    def place(self, *steps: str | int, value: bool = False) -> Place:
        """Return the place of an option below this entry, or of the entry itself."""
        return self.document.place((*self.path, *steps), value=value)

    def has_place(self, *steps: str | int) -> bool:
        """Tell whether something stands exactly there."""
        return self.document.find((*self.path, *steps))[1]

    @property
    def line(self) -> int:
        """Return the line where the entry begins."""
        return self.document.line(self.path)

    @property
    def subject(self) -> str:
        """Return its full name, such as `http.routers.web`."""
        return subject(self.path)


@dataclass(frozen=True, kw_only=True)
class Dynamic:
    """Every sound entry by its full name; TLS options and stores named `default` have no provider.

    `providers` are those it came from, or will; `silent` those of them that have not said yet what they define. `broken` names those left out, as (kind, name). A router whose rule cannot be read is among both, for what else is
    wrong with it is to be said too.
    """

    routers: Mapping[str, Entry[Router]] = field(default_factory=dict)
    services: Mapping[str, Entry[Service]] = field(default_factory=dict)
    middlewares: Mapping[str, Entry[Middleware]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    servers_transports: Mapping[str, Entry[ServersTransport]] = field(default_factory=dict)
    tls_certificates: tuple[Entry[TlsCertificate], ...] = ()
    tls_options: Mapping[str, Entry[TlsOptions]] = field(default_factory=dict)
    tls_stores: Mapping[str, Entry[TlsStore]] = field(default_factory=dict)
    broken: frozenset[tuple[str, str]] = frozenset()
    providers: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


def build_dynamic(documents: Sequence[Document], *, provider: str = FILE) -> tuple[Dynamic, list[Problem]]:
    """Return what is sound in a provider's documents, in their order, and every Problem."""
    builder = _Builder(provider)
    for document in documents:
        builder.add(document)
    return builder.finish(), builder.problems


class _Builder:
    def __init__(self, provider: str) -> None:
        self._provider = provider
        self.problems: list[Problem] = []
        self._routers: dict[str, Entry[Router]] = {}
        self._services: dict[str, Entry[Service]] = {}
        self._middlewares: dict[str, Entry[Middleware]] = {}
        self._rules: dict[str, Rule] = {}
        self._transports: dict[str, Entry[ServersTransport]] = {}
        self._certificates: list[Entry[TlsCertificate]] = []
        self._options: dict[str, Entry[TlsOptions]] = {}
        self._stores: dict[str, Entry[TlsStore]] = {}
        self._broken: set[tuple[str, str]] = set()
        self._seen: dict[tuple[str, str], tuple[Document, Path]] = {}

    def add(self, document: Document) -> None:
        """Read one document's sections."""
        self._find_template(document)
        elsewhere = {name.lower() for name in _STATIC_NAMES}
        for written, tree in document.data.items():
            path = (written,)
            lower = written.lower()
            if lower == "http":
                self._http(document, path, tree)
            elif lower == "tls":
                self._tls(document, path, tree)
            elif lower in _ROOT:
                self.problems.append(not_yet_problem(document, path))
            else:
                remedy = _STATIC if lower in elsewhere else ""
                self.problems.append(unknown_problem(document, path, known=list(_ROOT), remedy=remedy))

    def finish(self) -> Dynamic:
        """Return everything read so far."""
        return Dynamic(
            routers=self._routers,
            services=self._services,
            middlewares=self._middlewares,
            rules=self._rules,
            servers_transports=self._transports,
            tls_certificates=tuple(self._certificates),
            tls_options=self._options,
            tls_stores=self._stores,
            broken=frozenset(self._broken),
            providers=(self._provider,),
        )

    def _http(self, document: Document, path: Path, tree: Tree) -> None:
        for written, below in self._table(document, path, tree):
            here = (*path, written)
            lower = written.lower()
            if lower == "routers":
                self._entries(document, here, below, "router", Router, self._routers)
            elif lower == "services":
                self._entries(document, here, below, "service", Service, self._services)
            elif lower == "middlewares":
                self._entries(document, here, below, "middleware", Middleware, self._middlewares)
            elif lower == "serverstransports":
                self._entries(document, here, below, "serversTransport", ServersTransport, self._transports)
            elif lower in {name.lower() for name in _HTTP_NOT_YET}:
                self.problems.append(not_yet_problem(document, here))
            else:
                self.problems.append(unknown_problem(document, here, known=[*_HTTP, *_HTTP_NOT_YET]))

    def _tls(self, document: Document, path: Path, tree: Tree) -> None:
        for written, below in self._table(document, path, tree):
            here = (*path, written)
            lower = written.lower()
            if lower == "certificates":
                self._pairs(document, here, below)
            elif lower == "options":
                self._entries(document, here, below, "TLS options", TlsOptions, self._options)
            elif lower == "stores":
                self._entries(document, here, below, "TLS store", TlsStore, self._stores)
            else:
                self.problems.append(unknown_problem(document, here, known=list(_TLS)))

    def _pairs(self, document: Document, path: Path, tree: Tree) -> None:
        """Read the list of certificates: each stands or falls alone."""
        if not isinstance(tree, list):
            message = f"{subject(path)} must be a list of pairs, each with certFile and keyFile"
            place = document.place(path, value=True)
            self.problems.append(
                Problem(severity="error", kind="value", message=message, place=place, subject=subject(path))
            )
            return
        for index, below in enumerate(tree):
            here = (*path, index)
            value, problems = read_section(TlsCertificate, document, path=here, tree=below)
            self.problems.extend(problems)
            if value is not None:
                self._certificates.append(
                    Entry(name=str(index), value=value, provider=self._provider, document=document, path=here)
                )

    def _entries(
        self, document: Document, path: Path, tree: Tree, kind: str, model: type[S], into: dict[str, Entry[S]]
    ) -> None:
        for name, below in self._table(document, path, tree):
            here = (*path, name)
            first = self._seen.setdefault((kind, name), (document, here))
            if first != (document, here):
                self._twice(kind, name, document.place(here), first[0].place(first[1]))
                continue
            value, problems = read_section(model, document, path=here, tree=below)
            self.problems.extend(problems)
            full = self._full(kind, name)
            if value is None:
                self._broken.add((kind, full))
                if kind == "router" and isinstance(below, dict):
                    self._broken_rule(document, here, below)
                continue
            if isinstance(value, Middleware):
                self.problems.extend(middleware_notes(value, document, here))
            entry = Entry(name=name, value=value, provider=self._provider, document=document, path=here)
            if "@" in name:
                self._at_sign(kind, name, entry.place())
            else:
                into[full] = entry
                if isinstance(value, Router):
                    self._rule(full, value, document, here)

    def _full(self, kind: str, name: str) -> str:
        """Return a full name; options and stores named `default` are everybody's."""
        return name if name == DEFAULT and kind in {"TLS options", "TLS store"} else qualified(name, self._provider)

    def _rule(self, name: str, router: Router, document: Document, path: Path) -> None:
        """Parse the router's rule; a v2 rule is not read at all. A router without one stays, to be checked."""
        if router.rule_syntax == "v2":
            self.problems.append(not_yet_problem(document, (*path, "ruleSyntax"), remedy="write the rule in v3 syntax"))
            self._broken.add(("router", name))
            return
        try:
            self._rules[name] = parse_rule(router.rule)
        except RuleError as error:
            self.problems.append(place_rule_problem(error, document, (*path, "rule")))
            self._broken.add(("router", name))

    def _broken_rule(self, document: Document, path: Path, tree: dict[str, Tree]) -> None:
        """Check the rule of a router that has other errors too, so that all are seen at once."""
        rule = next((value for key, value in tree.items() if key.lower() == "rule"), None)
        if isinstance(rule, str) and not any(key.lower() == "rulesyntax" for key in tree):
            try:
                parse_rule(rule)
            except RuleError as error:
                self.problems.append(place_rule_problem(error, document, (*path, "rule")))

    def _table(self, document: Document, path: Path, tree: Tree) -> Iterator[tuple[str, Tree]]:
        """Yield a table's names and values, reporting what is no table or has no value."""
        if tree is None:
            self.problems.append(empty_problem(document, path))
        elif not isinstance(tree, dict):
            message = f"{subject(path)} must be a table of names"
            place = document.place(path, value=True)
            self.problems.append(
                Problem(severity="error", kind="value", message=message, place=place, subject=subject(path))
            )
        else:
            for name, below in tree.items():
                if below is None:
                    self.problems.append(empty_problem(document, (*path, name)))
                else:
                    yield name, below

    def _twice(self, kind: str, name: str, place: Place, first: Place) -> None:
        self.problems.append(
            Problem(
                severity="error",
                kind="duplicate",
                message=f"the {kind} {name!r} is defined twice; the first one is used",
                place=place,
                subject=name,
                related=(first,),
            )
        )

    def _at_sign(self, kind: str, name: str, place: Place) -> None:
        self._broken.add((kind, name))
        message = f"the name of the {kind} {name!r} cannot contain @"
        remedy = "@ separates a name from its provider, as in web@file"
        self.problems.append(
            Problem(severity="error", kind="value", message=message, place=place, subject=name, remedy=remedy)
        )

    def _find_template(self, document: Document) -> None:
        """Say that Go templates in files are taken literally."""
        if "{{" not in document.text:
            return
        for number, line in enumerate(document.lines):
            if "{{" in line and not line.lstrip().startswith("#"):
                self.problems.append(
                    Problem(
                        severity="warning",
                        kind="not_yet",
                        message="not yet: Go templates in files come later; {{ … }} is taken as it stands",
                        place=document.at(number, len(line[: line.index("{{")].encode()), 2),
                    )
                )
                return
