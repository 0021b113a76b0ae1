"""Which certificates an nginx configuration needs: `ssl_certificate`, roots, and `daemun_certificate`.

Facts (nginx): several pairs stand in one server (RSA and ECDSA); files are relative to the configuration's directory; a
file that cannot be used refuses the configuration. Decisions: a server with `ssl` and no certificate has one from a
resolver: `daemun_certificate EMAIL [server=URL] [ca=FILE] [storage=FILE] [names=a,b]`, `daemun_certificate local` for
names of one's own, or `--acme-email` for all; without one it is an error that says so. Proof is by TLS-ALPN-01.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from daemun.config.local_names import is_local
from daemun.needs import Needs, PairNeed, RootsNeed, Wish, pair_id, roots_id
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.servers import names_of
from daemun.nginx.values import complain, options, origin
from daemun.plan.listener import Exact
from daemun.plan.scalars import Id
from daemun.plan.tls import Certificate

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
REMEDY = (
    "name its files (ssl_certificate, ssl_certificate_key), or let one be obtained: "
    "daemun_certificate you@example.org; or --acme-email you@example.org"
)
_OPTIONS = ("server", "ca", "storage", "names")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Who is asked for certificates; `roots` are files of roots to believe it by."""

    email: str
    server: str = LETS_ENCRYPT
    roots: tuple[str, ...] = ()
    storage: str = ""

    @property
    def name(self) -> str:
        """Its name among others: one for each account."""
        return f"{self.email} {self.server} {self.storage}".strip()


@dataclass(slots=True, kw_only=True)
class Certificates:
    """Everything needed so far, by the ids under which it is handed over."""

    making: Making
    acme: Resolver | None = None
    pairs: dict[Id, PairNeed] = field(default_factory=dict)
    roots: dict[Id, RootsNeed] = field(default_factory=dict)
    wishes: dict[tuple[str, tuple[str, ...]], Wish] = field(default_factory=dict)
    resolvers: dict[str, Resolver] = field(default_factory=dict)
    local: dict[str, None] = field(default_factory=dict)
    _shown: dict[Level, tuple[Id, ...]] = field(default_factory=dict)

    def of(self, server: Level) -> tuple[Id, ...]:
        """Return the pairs that a server names, in order."""
        chains, keys = server.all("ssl_certificate"), server.all("ssl_certificate_key")
        if not chains:
            return ()
        passwords = server.last("ssl_password_file")
        owner = server.owner({"ssl_certificate", "ssl_certificate_key", "ssl_password_file"})
        known = self._shown.get(owner)
        if known is None:
            known = self._shown[owner] = tuple(self._pairs(chains, keys, passwords))
        return known

    def pair(self, chain: Directive, key: Directive, passwords: Directive | None = None) -> Id | None:
        """Return the id of a pair; None when its files cannot be named."""
        for one in (chain, key):
            if "$" in one.args[0] or one.args[0].startswith(("data:", "engine:", "store:")):
                message = "not supported: a certificate that depends on the request, or stands in no file"
                complain(self.making, one, message, argument=0, kind="not_yet", remedy="name a file")
                return None
        files = (self.making.conf_file(chain.args[0]), self.making.conf_file(key.args[0]))
        name = pair_id(*files)
        self.pairs.setdefault(
            name,
            PairNeed(
                certificate=files[0],
                key=files[1],
                passwords="" if passwords is None else self.making.conf_file(passwords.args[0]),
                origin=origin(chain.args[0], chain),
                place=chain.places[0],
                subject=chain.name,
            ),
        )
        return name

    def roots_of(self, directive: Directive) -> Id:
        """Return the id of a file of roots."""
        file = self.making.conf_file(directive.args[0])
        name = roots_id(file)
        self.roots.setdefault(name, RootsNeed(content=file, place=directive.places[0], subject=directive.name))
        return name

    def resolve(self, server: Level) -> bool:
        """Let somebody obtain a certificate for a server that names none; tell whether somebody will."""
        said = server.last("daemun_certificate")
        if said is None:
            if self.acme is None:
                return False
            self._wish(server, self.acme, ())
            return True
        if said.args[:1] == ("off",):
            return False
        if said.args[:1] == ("local",):
            names = [name for name in self._names(server) if is_local(name)]
            self.local.update(dict.fromkeys(names or ["localhost"]))
            return True
        found = self._resolver(said)
        if found is not None:
            self._wish(server, *found)
        return True

    def needs(self, *, terminates: bool) -> Needs:
        """Return the needs of the whole."""
        return Needs(
            terminates=terminates,
            pairs=self.pairs,
            shown=tuple(self.pairs),
            default=None,
            default_names=(),
            roots=self.roots,
            wishes=tuple(self.wishes.values()),
            local=tuple(self.local),
        )

    def _pairs(
        self, chains: tuple[Directive, ...], keys: tuple[Directive, ...], passwords: Directive | None
    ) -> list[Id]:
        found: list[Id] = []
        for index, chain in enumerate(chains):
            if index >= len(keys):
                message = f'no "ssl_certificate_key" is defined for certificate "{chain.args[0]}"'
                complain(self.making, chain, message, argument=0, kind="missing", remedy="add ssl_certificate_key")
                continue
            made = self.pair(chain, keys[index], passwords)
            if made is not None:
                found.append(made)
        return found

    def _names(self, server: Level) -> tuple[str, ...]:
        """Return the names of a server that a certificate may have."""
        said = [one.pattern.name for one in names_of(server, self.making) if isinstance(one.pattern, Exact)]
        return tuple(name for name in said if name and "_" not in name)

    def _wish(self, server: Level, resolver: Resolver, names: tuple[str, ...]) -> None:
        names = names or self._names(server)
        directive = server.last("daemun_certificate") or server.directive
        if directive is None:
            return
        if not names:
            message = "no certificate can be obtained: the server has no name"
            complain(self.making, directive, message, severity="warning", kind="missing", remedy="add server_name")
            return
        self.resolvers[resolver.name] = resolver
        wish = Wish(
            resolver=resolver.name, names=names, origin=origin(f"server {names[0]}", directive), place=directive.place
        )
        self.wishes.setdefault((resolver.name, tuple(sorted(names))), wish)

    def _resolver(self, said: Directive) -> tuple[Resolver, tuple[str, ...]] | None:
        email = said.args[0] if said.args else ""
        if "@" not in email:
            message = f'"{email}" is no address of an account'
            complain(self.making, said, message, argument=0, remedy="daemun_certificate you@example.org; local; or off")
            return None
        values: dict[str, str] = {}
        for name, (value, index) in options(said, begin=1).items():
            if name not in _OPTIONS or not value:
                complain(
                    self.making,
                    said,
                    f'invalid parameter "{said.args[index]}"',
                    argument=index,
                    remedy="server=URL, ca=FILE, storage=FILE or names=a,b",
                )
            values[name] = value
        roots = (self.making.conf_file(values["ca"]),) if values.get("ca") else ()
        storage = self.making.conf_file(values["storage"]) if values.get("storage") else ""
        resolver = Resolver(email=email, server=values.get("server", LETS_ENCRYPT), roots=roots, storage=storage)
        return resolver, tuple(name.lower() for name in values.get("names", "").split(",") if name)


def named(pairs: dict[Id, PairNeed]) -> dict[Id, Certificate]:
    """Return pairs as the Plan names them before anything was read."""
    return {name: Certificate(origin=need.origin, names=()) for name, need in pairs.items()}
