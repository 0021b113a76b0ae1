"""Which certificates a configuration needs: what it names, and what somebody must obtain for it. Pure.

    Static, Dynamic ──► needs ──► pairs and roots to read, wishes for resolvers, names for the local authority

Facts (Traefik v3.7): a router's `tls.domains` say what its certificate is for, else the `Host` of its rule, not its
patterns; one certificate a domain, or one for all hosts of a rule. Decisions: what stands behind `!` is no name to
obtain. Nothing is read here; whether a name is covered already, or can be obtained at all, is judged by whoever obtains
certificates (`daemun.acme`), who knows those that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from daemun.config.local_names import is_local
from daemun.config.section import Section, subject
from daemun.errors import Place, Problem, Severity, nearest
from daemun.needs import Needs, PairNeed, RootsNeed, Wish, is_pem, pair_id, roots_id
from daemun.plan.origin import Origin
from daemun.plan.scalars import Id
from daemun.traefik.dynamic import Dynamic, Entry
from daemun.traefik.lower_listeners import Gate, default_gates, gates_of, open_gates
from daemun.traefik.router_tls import host_names, tls_of
from daemun.traefik.static import Static
from daemun.traefik.tls import DEFAULT, KeyPair, Tls

S = TypeVar("S", bound=Section)


def certificate_needs(static: Static, dynamic: Dynamic) -> tuple[Needs, list[Problem]]:
    """Return what the configuration needs, and what of it cannot be had."""
    seeker = _Seeker(static=static, dynamic=dynamic, gates=open_gates(static))
    seeker.look()
    return seeker.needs(), seeker.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """What asks for something: its origin, its full name, and where its options stand."""

    origin: Origin
    subject: str
    place: Callable[..., Place]


@dataclass(kw_only=True)
class _Seeker:
    static: Static
    dynamic: Dynamic
    gates: Mapping[str, Gate]
    problems: list[Problem] = field(default_factory=list)
    terminates: bool = False
    pairs: dict[Id, PairNeed] = field(default_factory=dict)
    shown: dict[Id, None] = field(default_factory=dict)
    default: Id | None = None
    default_names: tuple[str, ...] = ()
    roots: dict[Id, RootsNeed] = field(default_factory=dict)
    wishes: dict[tuple[str, tuple[str, ...]], Wish] = field(default_factory=dict)
    local: dict[str, None] = field(default_factory=dict)

    def needs(self) -> Needs:
        return Needs(
            terminates=self.terminates,
            pairs=self.pairs,
            shown=tuple(self.shown),
            default=self.default,
            default_names=self.default_names,
            roots=self.roots,
            wishes=tuple(self.wishes.values()),
            local=tuple(self.local),
        )

    def look(self) -> None:
        self._gate_domains()
        self._routers()
        if self.terminates:
            for entry in self.dynamic.tls_certificates:
                self.shown[self._pair(entry.value, _of_entry(entry, name="tls.certificates"))] = None
            self._stores()
        self._transports()

    def _gate_domains(self) -> None:
        """An entry point's own domains are asked for whether or not a router uses them, as in Traefik."""
        for gate in self.gates.values():
            tls = gate.entry_point.http.tls
            if tls is not None:
                self.terminates = True
                if tls.domains:
                    self._ask(tls, (), self._of_gate(gate))

    def _routers(self) -> None:
        defaults = default_gates(dict(self.gates))
        for entry in self.dynamic.routers.values():
            rule = self.dynamic.rules.get(entry.full_name)
            for name in gates_of(entry.value, self.gates, defaults):
                gate = self.gates[name]
                tls = tls_of(entry.value, gate)
                if tls is None:
                    continue
                self.terminates = True
                own = entry.value.tls is not None
                if rule is not None and not entry.value.pending and (own or not tls.domains):
                    asker = _of_entry(entry, "tls") if own else self._of_gate(gate)
                    self._ask(tls, host_names(rule), replace(asker, origin=_of_entry(entry).origin))

    def _ask(self, tls: Tls, hosts: tuple[str, ...], asker: _Asker) -> None:
        """Wish for certificates, or leave names to the local authority."""
        sets = [domain.names for domain in tls.domains] or [hosts]
        if not tls.cert_resolver or not self._is_resolver(tls.cert_resolver, asker, "certResolver"):
            self.local.update(dict.fromkeys(name for names in sets for name in names if is_local(name)))
            return
        for index, names in enumerate(sets):
            steps = ("domains", index) if tls.domains else ("certResolver",)
            self._wish(tls.cert_resolver, names, asker, steps)

    def _wish(self, resolver: str, names: tuple[str, ...], asker: _Asker, steps: tuple[str | int, ...]) -> None:
        named = tuple(name for name in names if name != "*")
        if named and self.static.certificates_resolvers[resolver].acme is not None:
            place = asker.place(*steps, value=True)
            wish = Wish(resolver=resolver, names=named, origin=asker.origin, place=place)
            self.wishes.setdefault((resolver, tuple(sorted(named))), wish)

    def _is_resolver(self, name: str, asker: _Asker, option: str) -> bool:
        known = self.static.certificates_resolvers
        if name in known:
            return True
        message = f"there is no certificate resolver {name!r}: the default certificate is shown"
        remedy = "" if known else "define it in the static configuration: certificatesResolvers"
        self._say("error", "reference", message, asker, (option,), suggestion=nearest(name, known), remedy=remedy)
        return False

    def _stores(self) -> None:
        for name, entry in self.dynamic.tls_stores.items():
            asker = _of_entry(entry)
            if name != DEFAULT:
                message = f"the store {entry.name!r} is never used: there is only one, default"
                self._say("warning", "value", message, asker, ())
            elif entry.value.default_certificate is not None:
                self.default = self._pair(entry.value.default_certificate, _of_entry(entry, "defaultCertificate"))
            elif entry.value.default_generated_cert is not None:
                generated = entry.value.default_generated_cert
                asker = _of_entry(entry, "defaultGeneratedCert")
                if not generated.resolver or not generated.domain.names:
                    message = "defaultGeneratedCert needs a resolver and a domain: a self-signed certificate is shown"
                    self._say("error", "missing", message, asker, ())
                elif self._is_resolver(generated.resolver, asker, "resolver"):
                    self.default_names = generated.domain.names
                    self._wish(generated.resolver, generated.domain.names, asker, ("domain",))

    def _transports(self) -> None:
        self._roots_of(self.static.servers_transport.root_cas, self._of_static("serversTransport"))
        for entry in self.dynamic.servers_transports.values():
            self._roots_of(entry.value.root_cas, _of_entry(entry))
            for index, pair in enumerate(entry.value.certificates):
                self._pair(pair, _of_entry(entry, "certificates", index))

    def _roots_of(self, contents: Sequence[str], asker: _Asker) -> None:
        for index, content in enumerate(contents):
            place = _guarded(asker.place("rootCAs", index, value=True), content)
            need = RootsNeed(content=content, place=place, subject=f"{asker.subject}.rootCAs[{index}]")
            self.roots.setdefault(roots_id(content), need)

    def _pair(self, pair: KeyPair, asker: _Asker) -> Id:
        name = pair_id(pair.cert_file, pair.key_file)
        self.pairs.setdefault(
            name,
            PairNeed(
                certificate=pair.cert_file,
                key=pair.key_file,
                origin=asker.origin,
                place=_guarded(asker.place("certFile", value=True), pair.cert_file, pair.key_file),
                subject=asker.subject,
            ),
        )
        return name

    def _of_gate(self, gate: Gate) -> _Asker:
        return replace(self._of_static("entryPoints", gate.name, "http", "tls"), origin=gate.origin)

    def _of_static(self, *path: str) -> _Asker:
        def place(*steps: str | int, value: bool = False) -> Place:
            return self.static.place(*path, *steps, value=value)

        origin = Origin(name=".".join(path), file=place().file, line=place().line)
        return _Asker(origin=origin, subject=".".join(path), place=place)

    def _say(
        self,
        severity: Severity,
        kind: str,
        message: str,
        asker: _Asker,
        steps: tuple[str | int, ...],
        *,
        suggestion: str = "",
        remedy: str = "",
    ) -> None:
        """Say something once, however many routers have it from their entry point."""
        problem = Problem(
            severity=severity,
            kind=kind,
            message=message,
            place=asker.place(*steps, value=True),
            subject=subject((asker.subject, *steps)),
            suggestion=suggestion,
            remedy=remedy,
        )
        if problem not in self.problems:
            self.problems.append(problem)


def _of_entry(entry: Entry[S], *prefix: str | int, name: str = "") -> _Asker:
    def place(*steps: str | int, value: bool = False) -> Place:
        return entry.place(*prefix, *steps, value=value)

    return _Asker(
        origin=Origin(name=name or entry.full_name, file=entry.document.file, line=entry.line),
        subject=subject((entry.subject, *prefix)),
        place=place,
    )


def _guarded(place: Place, *texts: str) -> Place:
    """Return the place without its line when that may show a key."""
    return replace(place, source="") if any(is_pem(text) for text in texts) else place
