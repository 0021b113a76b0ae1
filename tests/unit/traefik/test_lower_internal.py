"""Routers that nobody wrote: challenges before ping and redirection, whether or not it is TLS."""

from __future__ import annotations

from daemun.plan import matching, route, table
from daemun.plan.plan import Plan
from daemun.plan.service import Balanced
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.lower import lower
from daemun.traefik.read import load_static

STATIC = """
entryPoints:
  web: {address: ':80', http: {redirections: {entryPoint: {to: secure}}}}
  secure: {address: ':443', http: {tls: {}, redirections: {entryPoint: {to: ':8443'}}}}
ping: {entryPoint: secure}
accessLog: {}
certificatesResolvers:
  one: {acme: {httpChallenge: {entryPoint: web}}}
  two: {acme: {httpChallenge: {entryPoint: web}}}
  three: {acme: {httpChallenge: {entryPoint: secure}}}
  four: {acme: {tlsChallenge: {}}}
"""


def plan_of(static: str = STATIC) -> Plan:
    return lower(load_static(static, file="t.yml")[0], Dynamic(), hostname="gate", pages="/run/x/pages.sock")[0]


def rules(plan: Plan, gate: str) -> tuple[table.Rule, ...]:
    found = plan.tables[gate]
    assert isinstance(found, table.First)
    return found.rules


def test_the_way_to_challenges() -> None:
    """First on every entry point that a resolver names, once, to our own socket."""
    plan = plan_of()
    assert [rule.route for rule in rules(plan, "web")] == ["acme-http@internal", "web-to-secure@internal"]
    assert rules(plan, "web")[0].matches == matching.PathPrefix("/.well-known/acme-challenge/")
    service = plan.services["acme-http@internal"].kind
    assert isinstance(service, Balanced)
    assert [endpoint.address for endpoint in service.endpoints] == ["unix:/run/x/pages.sock"]
    action = plan.routes["acme-http@internal"].action
    assert isinstance(action, route.Proxy)
    assert action.service == "acme-http@internal"
    assert plan.routes["acme-http@internal"].logs == ()


def test_over_tls_and_not() -> None:
    """On an entry point with TLS, its routers answer over TLS; challenges are answered either way."""
    secure = matching.Tls(terminated=True)
    assert [(rule.route, rule.matches) for rule in rules(plan_of(), "secure")] == [
        ("acme-http@internal", matching.PathPrefix("/.well-known/acme-challenge/")),
        ("ping@internal", matching.All((secure, matching.PathPrefix("/ping")))),
        ("secure-to-8443@internal", matching.All((secure, rules(plan_of(), "web")[1].matches))),
    ]


def test_no_challenge() -> None:
    """Without a resolver that proves by HTTP there is no such route."""
    plan = plan_of("certificatesResolvers: {four: {acme: {tlsChallenge: {}}}}")
    assert plan.services == {}
    assert rules(plan, "http") == ()
