"""What certificates a configuration needs: files, wishes for resolvers, names for the local authority."""

from __future__ import annotations

import pytest

from daemun.errors import Problem
from daemun.needs import Needs, pair_id, roots_id, wildcard_problems
from daemun.traefik.certificate_needs import certificate_needs
from daemun.traefik.read import load_dynamic_text, load_static

STATIC = """
entryPoints:
  web: {address: ':80'}
  secure: {address: ':443', http: {tls: {certResolver: le}}}
providers: {file: {filename: x}}
certificatesResolvers:
  le: {acme: {httpChallenge: {entryPoint: web}}}
  dns: {acme: {dnsChallenge: {provider: x}}}
"""


def needs_of(dynamic: str, static: str = STATIC) -> tuple[Needs, list[Problem]]:
    values, problems = load_dynamic_text(dynamic, file="d.yml")
    assert [problem for problem in problems if problem.is_error] == []
    return certificate_needs(load_static(static, file="t.yml")[0], values)


def router(rule: str, more: str = "") -> str:
    return f"http:\n  routers:\n    r: {{rule: '{rule}', service: s{more}}}\n"


def wishes(needs: Needs) -> list[tuple[str, tuple[str, ...]]]:
    return [(wish.resolver, wish.names) for wish in needs.wishes]


def test_the_entry_points_resolver() -> None:
    """A router without TLS of its own has the entry point's, and asks for its hosts; it says who asked."""
    needs, problems = needs_of(router("Host(`B.org`) || Host(`a.org`)"))
    assert problems == []
    [wish] = needs.wishes
    assert (wish.resolver, wish.names) == ("le", ("b.org", "a.org"))
    assert (wish.origin.name, wish.origin.file, wish.origin.line) == ("r@file", "d.yml", 3)
    assert str(wish.place) == "t.yml:4:56"
    assert needs.terminates


@pytest.mark.parametrize(
    ("rule", "more", "expected"),
    [
        ("Host(`a.org`)", ", entryPoints: [web]", []),
        ("Host(`a.org`)", ", entryPoints: [web], tls: {certResolver: le}", [("le", ("a.org",))]),
        ("Host(`a.org`)", ", tls: {}", []),
        ("PathPrefix(`/`)", "", []),
        ("HostRegexp(`^a$`)", "", []),
        (
            "Host(`x`)",
            ", tls: {certResolver: le, domains: [{main: a.org, sans: [b.org]}, {main: c.org}]}",
            [("le", ("a.org", "b.org")), ("le", ("c.org",))],
        ),
        ("Host(`*`) || Host(`a.org`)", "", [("le", ("a.org",))]),
        ("Host(`*.a.org`)", ", tls: {certResolver: dns}", [("dns", ("*.a.org",))]),
    ],
)
def test_wishes(rule: str, more: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    """The domains, else the rule's hosts; only over TLS and with a resolver that can prove something."""
    needs, problems = needs_of(router(rule, more))
    assert [problem.message for problem in problems] == []
    assert wishes(needs) == expected


def test_domains_of_an_entry_point() -> None:
    """They are asked for once, and no router's hosts beside them."""
    static = STATIC.replace("{certResolver: le}", "{certResolver: le, domains: [{main: all.org}]}")
    needs, _ = needs_of(router("Host(`a.org`)"), static)
    assert wishes(needs) == [("le", ("all.org",))]


def test_the_same_names_are_asked_for_once() -> None:
    """Two routers with the same hosts, whatever their order, share a certificate."""
    text = router("Host(`a.org`) || Host(`b.org`)") + "    q: {rule: 'Host(`b.org`) || Host(`a.org`)', service: s}\n"
    assert len(needs_of(text)[0].wishes) == 1


def test_a_wildcard_comes_later() -> None:
    """It is wished for, since one may be there already; to obtain one needs DNS, which is said by whoever cannot know."""
    needs, problems = needs_of(router("Host(`*.a.org`) || Host(`a.org`)"))
    assert wishes(needs) == [("le", ("*.a.org", "a.org"))]
    assert problems == []
    [problem] = wildcard_problems(needs)
    assert (problem.kind, "for *.a.org needs dnsChallenge" in problem.message) == ("not_yet", True)
    assert str(problem.place) == "t.yml:4:56"


def test_an_unknown_resolver() -> None:
    """It is an error with the nearest name, said once however many routers have it from their entry point."""
    static = STATIC.replace("certResolver: le", "certResolver: lee")
    text = router("Host(`a.org`)") + "    q: {rule: 'Host(`nas`)', service: s}\n"
    needs, [problem] = needs_of(text, static)
    assert (problem.severity, problem.kind, problem.suggestion) == ("error", "reference", "le")
    assert str(problem.place) == "t.yml:4:56"
    assert needs.wishes == ()
    assert needs.local == ("nas",)


def test_local_names() -> None:
    """Routers with TLS and no resolver leave local names to the local authority; public ones have the default."""
    text = router("Host(`localhost`) || Host(`a.org`) || Host(`127.0.0.1`)", ", tls: {}")
    assert needs_of(text)[0].local == ("localhost", "127.0.0.1")
    text = router("Path(`/`)", ", tls: {domains: [{main: app.localhost}]}")
    assert needs_of(text)[0].local == ("app.localhost",)
    assert needs_of(router("Host(`localhost`)", ", entryPoints: [web]"))[0].local == ()
    assert needs_of(router("Host(`localhost`)"))[0].local == ()


def test_files() -> None:
    """Pairs of certificates, of the default store and of transports, and roots; each once, with its place."""
    needs, _ = needs_of("""
tls:
  certificates:
    - {certFile: a.crt, keyFile: a.key}
    - {certFile: b.crt, keyFile: b.key}
    - {certFile: a.crt, keyFile: a.key}
  stores:
    default: {defaultCertificate: {certFile: d.crt, keyFile: d.key}}
    other: {}
http:
  serversTransports:
    t: {rootCAs: [ca.pem], certificates: [{certFile: c.crt, keyFile: c.key}]}
""")
    names = [pair_id(f"{name}.crt", f"{name}.key") for name in "abdc"]
    assert list(needs.pairs) == names
    assert needs.shown == tuple(names[:2])
    assert needs.default == names[2]
    assert [str(need.place) for need in needs.pairs.values()] == [
        "d.yml:4:18",
        "d.yml:5:18",
        "d.yml:8:46",
        "d.yml:12:54",
    ]
    assert list(needs.roots) == [roots_id("ca.pem")]
    assert [str(need.place) for need in needs.roots.values()] == ["d.yml:12:19"]


def test_without_tls_no_file_is_read() -> None:
    """Certificates that no listener shows are not needed."""
    static = "entryPoints: {web: {address: ':80'}}\nproviders: {file: {filename: x}}"
    needs, _ = needs_of("tls: {certificates: [{certFile: a, keyFile: b}]}", static)
    assert not needs.terminates
    assert needs.pairs == {}


def test_a_text_in_place_of_a_file() -> None:
    """It has a name that tells nothing of the key, and its line is not shown."""
    key = "-----BEGIN PRIVATE KEY-----secret"
    text = f'tls: {{certificates: [{{certFile: "-----BEGIN CERTIFICATE-----", keyFile: "{key}"}}]}}'
    needs, _ = needs_of(text)
    [(name, need)] = needs.pairs.items()
    assert name.startswith("inline-")
    assert need.place.source == ""
    assert "secret" not in repr(needs)


def test_generated_default() -> None:
    """The default store may have a resolver's certificate."""
    needs, _ = needs_of("tls: {stores: {default: {defaultGeneratedCert: {resolver: le, domain: {main: a.org}}}}}")
    assert needs.default_names == ("a.org",)
    assert wishes(needs) == [("le", ("a.org",))]
    _, [problem] = needs_of("tls: {stores: {default: {defaultGeneratedCert: {resolver: nope, domain: {main: a.org}}}}}")
    assert "no certificate resolver 'nope'" in problem.message
    _, [problem] = needs_of("tls: {stores: {default: {defaultGeneratedCert: {resolver: le}}}}")
    assert "needs a resolver and a domain" in problem.message
