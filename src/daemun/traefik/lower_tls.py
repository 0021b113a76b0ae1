"""TLS of entry points to the Plan: which certificates a listener shows, and on which terms for which name.

Facts (Traefik v3.7): every entry point with TLS has the certificates of the one store; terms go by the SNI, those of
the routers whose rule asks for that host; routers that disagree about a host get the default terms, which is said; a
rule without Host has the default ones. An address with TLS answers in clear text too. Decisions: a host with other
terms than the default becomes a virtual host with the same table, so that a request for it on a connection with other
terms is answered 421; terms that are broken refuse the handshakes of their hosts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from daemun.config.local_names import address_of, is_covered
from daemun.errors import Problem
from daemun.needs import AtHand, Needs
from daemun.plan import listener, matching
from daemun.plan.scalars import Id
from daemun.plan.tls import TlsOptions as PlanOptions
from daemun.traefik.dynamic import Entry, Router
from daemun.traefik.lower_filters import Refusal
from daemun.traefik.lower_listeners import Gate, GateTls
from daemun.traefik.lower_rules import re2
from daemun.traefik.lower_tls_options import Terms, refuse_all
from daemun.traefik.router_tls import host_names, tls_of
from daemun.traefik.rules import Rule
from daemun.traefik.tls import DEFAULT

REFUSED: Id = "refused"


@dataclass(frozen=True, kw_only=True)
class _Claim:
    """A router that wants these terms for a host."""

    options: Id
    router: Entry[Router]


@dataclass(kw_only=True)
class TlsGates:
    """Which entry points speak TLS, and who claims which terms there; `problems` collects."""

    terms: Terms
    gates: dict[str, dict[str, list[_Claim]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def open(self, gate: Gate) -> None:
        """Let an entry point with a `tls` of its own speak TLS, whoever is on it."""
        if gate.entry_point.http.tls is not None:
            self.gates.setdefault(gate.name, {})

    def claim(self, entry: Entry[Router], rule: Rule | None, gate: Gate) -> None:
        """Take note of a router on an entry point, be it served or not: its hosts have its terms."""
        tls = tls_of(entry.value, gate)
        if tls is None:
            return
        claims = self.gates.setdefault(gate.name, {})
        resolved = self.terms.resolve(tls.options, entry.provider)
        options = REFUSED if isinstance(resolved, Refusal) else resolved
        hosts = host_names(rule) if rule is not None else ()
        for host in hosts:
            claims.setdefault(host, []).append(_Claim(options=options, router=entry))
        if rule is not None and not hosts and options not in {DEFAULT, REFUSED}:
            self._say(
                f"the TLS options {tls.options!r} of the router {entry.name!r} are never chosen: its rule asks for no Host",
                entry,
            )

    def refusal(self, entry: Entry[Router], gate: Gate) -> Refusal | None:
        """Return why a router cannot be served on an entry point: its terms are broken."""
        tls = tls_of(entry.value, gate)
        resolved = None if tls is None else self.terms.resolve(tls.options, entry.provider)
        return resolved if isinstance(resolved, Refusal) else None

    def condition(self, gate: str, *, tls: bool, match: matching.Match) -> matching.Match:
        """Let a rule match only over TLS, or only in clear text, where both are spoken."""
        if gate not in self.gates:
            return match
        rest = match.of if isinstance(match, matching.All) else (match,)
        return matching.All((matching.Tls(tls), *rest))

    def lower(self, gate: Gate, needs: Needs, at_hand: AtHand) -> tuple[GateTls, dict[Id, Id]]:
        """Return what TLS adds to a listener, and the extra virtual hosts: their options by id."""
        if gate.name not in self.gates:
            return GateTls(), {}
        options = {host: self._agreed(host, claims) for host, claims in self.gates[gate.name].items()}
        special = {host: chosen for host, chosen in options.items() if chosen != DEFAULT}
        wild = any(host.startswith("*") for host in special)
        # A name with the default terms must not be taken for one of a wildcard's.
        named = options if wild else special
        terminates = listener.ListenerTls(
            options=DEFAULT,
            certificates=shown_certificates(needs, at_hand),
            default_certificate=default_certificate(needs, at_hand),
            plain=listener.PlainOnTls.SERVE,
        )
        names = tuple(
            listener.HostName(name=_pattern(host), host=_host_id(gate.name, chosen))
            for host, chosen in named.items()
            if host != "*"
        )
        extra = {_host_id(gate.name, chosen): chosen for host, chosen in special.items() if host != "*"}
        return GateTls(terminates=terminates, names=names), extra

    def options_of(self, used: set[Id]) -> dict[Id, PlanOptions]:
        """Return the options that the Plan must hold."""
        made = {name: value for name, value in self.terms.options.items() if name in used}
        return {**made, REFUSED: refuse_all()} if REFUSED in used else made

    def _agreed(self, host: str, claims: list[_Claim]) -> Id:
        first = claims[0]
        other = next((claim for claim in claims if claim.options != first.options), None)
        if other is None:
            return first.options
        names = f"{first.router.name!r} and {other.router.name!r}"
        self._say(
            f"the routers {names} have different TLS options for {host}: the default ones are used",
            other.router,
            first.router,
        )
        return DEFAULT

    def _say(self, message: str, entry: Entry[Router], *others: Entry[Router]) -> None:
        problem = Problem(
            severity="warning",
            kind="value",
            message=message,
            place=entry.place("tls", "options"),
            subject=f"{entry.subject}.tls.options",
            related=tuple(other.place("tls", "options") for other in others),
        )
        if problem not in self.problems:
            self.problems.append(problem)


def shown_certificates(needs: Needs, at_hand: AtHand) -> tuple[Id, ...]:
    """Return the certificates that every listener with TLS chooses from, in order of preference."""
    named = [name for name in needs.shown if name in at_hand.certificates]
    others = [name for name in at_hand.certificates if name not in needs.pairs and name != at_hand.fallback]
    return tuple(dict.fromkeys([*named, *others]))


def default_certificate(needs: Needs, at_hand: AtHand) -> Id | None:
    """Return what is shown when no name matches.

    The default store's, else the one for addresses, which no SNI can ask for (RFC 6066 section 3), else the fallback.
    """
    if needs.default is not None and needs.default in at_hand.certificates:
        return needs.default
    choice = {name: at_hand.certificates[name].names for name in shown_certificates(needs, at_hand)}
    wanted = needs.default_names or tuple(name for name in needs.local if address_of(name) is not None)[:1]
    if wanted:
        for name, names in choice.items():
            if all(is_covered(one, names) for one in wanted):
                return name
    return at_hand.fallback


def _host_id(gate: str, options: Id) -> Id:
    return gate if options == DEFAULT else f"{gate}#{options}"


def _pattern(host: str) -> listener.NamePattern:
    """Return the pattern of a host as rules know it: `*.` stands for exactly one label."""
    if not host.startswith("*."):
        return listener.Exact(host)
    return listener.Regex(re2(f"^[^.]+{re.escape(host[1:])}$"))
