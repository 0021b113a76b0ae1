"""TLS of entry points: certificates, terms by name, what answers when nothing matches."""

from __future__ import annotations

from daemun.errors import Problem
from daemun.needs import AtHand, pair_id
from daemun.plan import listener
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.origin import Origin
from daemun.plan.plan import Plan
from daemun.plan.tls import Certificate
from daemun.traefik.lower import lower
from daemun.traefik.read import load_dynamic_text, load_static

STATIC = "entryPoints: {web: {address: ':80'}, secure: {address: ':443', http: {tls: {}}}}\nproviders: {file: {filename: x}}\n"
OPTIONS = "tls: {options: {strict: {sniStrict: true}, old: {maxVersion: VersionTLS12}}}\n"
SERVICE = "  services: {s: {loadBalancer: {servers: [{url: 'http://a'}]}}}\n"


def plan_of(
    routers: str = "", more: str = OPTIONS, static: str = STATIC, at_hand: AtHand | None = None
) -> tuple[Plan, list[Problem]]:
    text = more + (f"http:\n  routers:\n{routers}{SERVICE}" if routers else "")
    dynamic, problems = load_dynamic_text(text, file="d.yml")
    assert not [problem for problem in problems if problem.is_error]
    return lower(load_static(static, file="t.yml")[0], dynamic, hostname="gate", at_hand=at_hand)


def terminates(plan: Plan, name: str = "secure") -> listener.ListenerTls:
    tls = plan.listeners[name].tls
    assert tls is not None
    return tls


def names_of(plan: Plan, name: str = "secure") -> list[tuple[listener.NamePattern, str]]:
    return [(one.name, one.host) for one in plan.listeners[name].hosts.names]


def at_hand(*names: str, fallback: bool = True, **others: tuple[str, ...]) -> AtHand:
    """Pairs of files with these names, and other certificates with theirs."""
    nowhere = Origin(name="", file="", line=0)
    pairs = {pair_id(f"{name}.crt", f"{name}.key"): (f"{name}.org",) for name in names}
    made = {name: Certificate(origin=nowhere, names=of) for name, of in {**pairs, **others}.items()}
    if fallback:
        made["fallback"] = Certificate(origin=nowhere, names=())
    return AtHand(certificates=made, fallback="fallback" if fallback else None)


def pair(name: str) -> str:
    return f"{{certFile: {name}.crt, keyFile: {name}.key}}"


def short(name: str) -> str:
    return pair_id(f"{name}.crt", f"{name}.key")


def test_only_where_it_is_needed() -> None:
    """An entry point has TLS when it says so or a router on it does."""
    plan, problems = plan_of()
    assert problems == []
    assert plan.listeners["web"].tls is None
    assert terminates(plan) == listener.ListenerTls(
        options="default", certificates=(), default_certificate="traefik-default", plain=listener.PlainOnTls.SERVE
    )
    assert list(plan.tls_options) == ["default"]
    plan, _ = plan_of("    r: {rule: Path(`/`), service: s, tls: {}, entryPoints: [web]}\n")
    assert terminates(plan, "web").options == "default"


def test_nothing_without_tls() -> None:
    """A Plan without TLS names neither options nor certificates."""
    plan, _ = plan_of(static="entryPoints: {web: {address: ':80'}}\nproviders: {file: {filename: x}}\n")
    assert plan.tls_options == {}
    assert plan.certificates == {}


def test_the_order_of_certificates() -> None:
    """Those of the files as written, then what others have; what cannot be read is left out."""
    more = f"tls: {{certificates: [{pair('b')}, {pair('a')}, {pair('gone')}]}}\n"
    plan, _ = plan_of(more=more, at_hand=at_hand("a", "b", acme=("c.org",)))
    assert terminates(plan).certificates == (short("b"), short("a"), "acme")
    assert terminates(plan).default_certificate == "fallback"
    assert set(plan.certificates) == {short("a"), short("b"), "acme", "fallback"}
    assert plan.certificates[short("a")].names == ("a.org",)


def test_the_default_certificate() -> None:
    """The default store's pair, else a resolver's for its domain, else that of local addresses, else the fallback."""
    store = f"tls: {{stores: {{default: {{defaultCertificate: {pair('d')}}}}}}}\n"
    assert terminates(plan_of(more=store, at_hand=at_hand("d"))[0]).default_certificate == short("d")
    assert terminates(plan_of(more=store, at_hand=at_hand())[0]).default_certificate == "fallback"
    static = STATIC + "certificatesResolvers: {le: {acme: {tlsChallenge: {}}}}\n"
    generated = "tls: {stores: {default: {defaultGeneratedCert: {resolver: le, domain: {main: x.org}}}}}\n"
    plan, _ = plan_of(more=generated, static=static, at_hand=at_hand(other=("y.org",), acme=("x.org", "z.org")))
    assert terminates(plan).default_certificate == "acme"
    plan, _ = plan_of(more=generated, static=static, at_hand=at_hand(other=("y.org",)))
    assert terminates(plan).default_certificate == "fallback"
    local = "    r: {rule: Host(`127.0.0.1`), service: s}\n"
    plan, _ = plan_of(local, at_hand=at_hand(local=("127.0.0.1", "::1")))
    assert terminates(plan).default_certificate == "local"


def test_terms_of_a_host() -> None:
    """A host with other terms is a virtual host with the same table; both leads to the same routes."""
    plan, problems = plan_of("    r: {rule: Host(`A.org`) || Host(`b.org`), service: s, tls: {options: strict}}\n")
    assert problems == []
    assert names_of(plan) == [
        (listener.Exact("a.org"), "secure#strict@file"),
        (listener.Exact("b.org"), "secure#strict@file"),
    ]
    special, default = plan.hosts["secure#strict@file"], plan.hosts["secure"]
    assert (special.tls_options, default.tls_options) == ("strict@file", None)
    assert special.table == default.table == "secure"
    assert special.http == default.http
    assert set(plan.tls_options) == {"default", "strict@file"}
    assert plan.listeners["secure"].hosts.default == "secure"


def test_terms_of_the_entry_point() -> None:
    """They are those of its routers that say nothing."""
    static = STATIC.replace("{tls: {}}", "{tls: {options: old}}")
    plan, _ = plan_of("    r: {rule: Host(`a.org`), service: s, entryPoints: [secure]}\n", static=static)
    assert names_of(plan) == [(listener.Exact("a.org"), "secure#old@file")]


def test_routers_that_disagree() -> None:
    """The host gets the default terms, and both routers are named at their places."""
    plan, [problem] = plan_of("""
    a: {rule: Host(`x.org`), service: s, tls: {options: strict}}
    b: {rule: Host(`x.org`) && Path(`/b`), service: s, tls: {options: old}}
    c: {rule: Host(`y.org`), service: s, tls: {options: old}}
""")
    assert names_of(plan) == [(listener.Exact("y.org"), "secure#old@file")]
    assert "the routers 'a' and 'b' have different TLS options for x.org: the default ones are used" in problem.message
    assert problem.severity == "warning"
    assert str(problem.place).startswith("d.yml:6:")
    assert str(problem.related[0]).startswith("d.yml:5:")


def test_a_wildcard() -> None:
    """One label; a host with the default terms is not taken for one of the wildcard's."""
    plan, _ = plan_of("""
    a: {rule: Host(`*.x.org`), service: s, tls: {options: strict}}
    b: {rule: Host(`b.x.org`), service: s, tls: {}}
""")
    one_label = Pattern(regex=r"^[^.]+\.x\.org$", dialect=Dialect.RE2, ignore_case=False, slot=None)
    assert names_of(plan) == [
        (listener.Regex(one_label), "secure#strict@file"),
        (listener.Exact("b.x.org"), "secure"),
    ]


def test_terms_that_are_never_chosen() -> None:
    """A rule without Host has the default terms, which is said."""
    plan, [problem] = plan_of("    r: {rule: Path(`/`), service: s, tls: {options: strict}}\n")
    assert names_of(plan) == []
    assert "are never chosen" in problem.message


def test_broken_terms() -> None:
    """The router is not served, and handshakes for its host are refused rather than made on other terms."""
    more = "tls: {options: {mtls: {clientAuth: {caFiles: [x]}}}}\n"
    plan, problems = plan_of("    r: {rule: Host(`a.org`), service: s, tls: {options: mtls}}\n", more=more)
    assert names_of(plan) == [(listener.Exact("a.org"), "secure#refused")]
    assert plan.tls_options["refused"].reject
    assert "r@file" not in plan.routes
    assert [problem.kind for problem in problems] == ["not_yet", "not_yet"]
    assert "the router 'r' is not served: its TLS options 'mtls' (clientAuth) come later" in problems[1].message


def test_broken_default_terms() -> None:
    """Nobody gets through, and no router is served over TLS."""
    more = "tls: {options: {default: {maxVersion: VersionTLS10}}}\n"
    plan, problems = plan_of("    r: {rule: Host(`a.org`), service: s}\n", more=more)
    assert plan.tls_options["default"].reject
    assert [rule.route for rule in plan.tables["secure"].rules] == []  # type: ignore[union-attr]
    assert [rule.route for rule in plan.tables["web"].rules] == ["r@file"]  # type: ignore[union-attr]
    assert [str(problem.place).partition(":")[0] for problem in problems if problem.is_error] == ["d.yml", "t.yml"]
