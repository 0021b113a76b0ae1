"""Routers: order, entry points, and those that are left out."""

from __future__ import annotations

import pytest

from daemun.errors import Problem
from daemun.plan import matching, route, table
from daemun.plan.plan import Plan
from daemun.traefik.lower import lower
from daemun.traefik.read import load_dynamic_text, load_static

STATIC = "entryPoints: {web: {address: ':80'}, other: {address: ':81'}}\nproviders: {file: {filename: x}}\n"
SERVICES = """
  services:
    s: {loadBalancer: {servers: [{url: 'http://a'}]}}
    w: {weighted: {services: []}}
    bad: {loadBalancr: 1}
  middlewares:
    add: {addPrefix: {prefix: /x}}
    auth: {basicAuth: {}}
"""


def plan_of(routers: str, static: str = STATIC) -> tuple[Plan, list[Problem]]:
    dynamic, _ = load_dynamic_text(f"http:\n  routers:\n{routers}{SERVICES}", file="d.yml")
    return lower(load_static(static, file="t.yml")[0], dynamic, hostname="gate")


def order(plan: Plan, gate: str = "web") -> list[str]:
    found = plan.tables[gate]
    assert isinstance(found, table.First)
    return [rule.route for rule in found.rules]


def test_order_of_priority() -> None:
    """The longer rule first, an explicit priority before all, ties by name."""
    plan, problems = plan_of("""
    b: {rule: Path(`/aa`), service: s}
    a: {rule: Path(`/bb`), service: s}
    long: {rule: Path(`/longer`), service: s}
    low: {rule: Path(`/the-longest-of-all`), service: s, priority: -1}
    high: {rule: Path(`/`), service: s, priority: 1000}
""")
    assert problems == []
    assert order(plan) == ["high@file", "long@file", "a@file", "b@file", "low@file"]


def test_entry_points() -> None:
    """Without entryPoints a router is on all default ones, else on those it names."""
    plan, _ = plan_of(
        "    a: {rule: Path(`/a`), service: s}\n    b: {rule: Path(`/b`), service: s, entryPoints: [other]}\n"
    )
    assert order(plan, "web") == ["a@file"]
    assert order(plan, "other") == ["a@file", "b@file"]
    assert len(plan.routes) == 2


def test_route() -> None:
    """A route proxies the current target, streams both ways and says where it was written."""
    plan, _ = plan_of("    a: {rule: Path(`/a`), service: s@file, middlewares: [add]}\n")
    made = plan.routes["a@file"]
    assert isinstance(made.action, route.Proxy)
    assert made.action.service == "s@file"
    assert made.action.target == route.Current()
    assert made.action.upgrade
    assert made.filters == ("add@file",)
    assert (made.origin.name, made.origin.file, made.origin.line) == ("a@file", "d.yml", 3)


def test_middlewares_of_the_entry_point_come_first() -> None:
    """They make a route of their own for that entry point."""
    static = STATIC.replace("address: ':80'", "address: ':80', http: {middlewares: [add@file]}")
    plan, _ = plan_of("    a: {rule: Path(`/a`), service: s}\n", static)
    assert order(plan, "web") == ["web-a@file"]
    assert order(plan, "other") == ["a@file"]
    assert plan.routes["web-a@file"].filters == ("add@file",)
    assert plan.routes["web-a@file"].origin.name == "a@file"


def test_a_bad_middleware_of_an_entry_point_closes_it() -> None:
    """Serving without it might open what it closed."""
    static = STATIC.replace("address: ':80'", "address: ':80', http: {middlewares: [auth@file]}")
    plan, [problem] = plan_of("    a: {rule: Path(`/a`), service: s}\n", static)
    assert order(plan, "web") == []
    assert order(plan, "other") == ["a@file"]
    assert "serves no router" in problem.message


@pytest.mark.parametrize(
    ("router", "words", "severity"),
    [
        ("{rule: Path(`/`), service: nope}", "there is no service 'nope'", "error"),
        ("{rule: Path(`/`)}", "names no service", "error"),
        ("{rule: Path(`/`), service: bad}", "errors of its own", "error"),
        ("{rule: Path(`/`), service: w}", "(weighted) comes later", "warning"),
        ("{rule: Path(`/`), service: s@docker}", "no provider 'docker'", "error"),
        ("{rule: Path(`/`), service: dashboard@internal}", "comes later", "warning"),
        ("{rule: Path(`/`), service: api@internal}", "needs the api option", "error"),
        ("{rule: Path(`/`), service: ping@internal}", "needs the ping option", "error"),
        ("{rule: Path(`/`), service: pong@internal}", "there is no service pong@internal", "error"),
        ("{rule: Path(`/`), service: s, middlewares: [nope]}", "there is no middleware 'nope'", "error"),
        ("{rule: Path(`/`), service: s, middlewares: [auth]}", "(basicAuth) comes later", "warning"),
        ("{rule: Path(`/`), service: s, tls: {options: nope}}", "there are no TLS options 'nope'", "error"),
        ("{rule: Path(`/`), service: s, tls: {options: a@docker}}", "no provider 'docker'", "error"),
        ("{rule: Path(`/`), service: s, entryPoints: [wbe]}", "there is no entry point 'wbe'", "error"),
    ],
)
def test_one_bad_router_is_left_out(router: str, words: str, severity: str) -> None:
    """It is said at its place, and the others are served."""
    plan, [problem] = plan_of(f"    r: {router}\n    ok: {{rule: Path(`/ok`), service: s}}\n")
    assert order(plan) == ["ok@file"]
    assert words in problem.message
    assert problem.severity == severity
    assert problem.place is not None
    assert problem.place.line == 3


def test_tls_and_clear_text() -> None:
    """Where one router has `tls` both are spoken, and each router is served on one of them only."""
    plan, problems = plan_of("""
    t: {rule: Path(`/t`), service: s, tls: {}, entryPoints: [web]}
    p: {rule: Host(`a`) && Path(`/p`), service: s}
""")
    assert problems == []
    web, other = plan.tables["web"], plan.tables["other"]
    assert isinstance(web, table.First)
    assert isinstance(other, table.First)
    assert [rule.matches for rule in web.rules] == [
        matching.All((matching.Tls(terminated=False), matching.Host("a"), matching.Path("/p"))),
        matching.All((matching.Tls(terminated=True), matching.Path("/t"))),
    ]
    assert other.rules[0].matches == matching.All((matching.Host("a"), matching.Path("/p")))


def test_the_tls_of_an_entry_point() -> None:
    """It is for the routers that have none of their own."""
    static = STATIC.replace("address: ':80'", "address: ':80', http: {tls: {}}")
    plan, _ = plan_of("    a: {rule: Path(`/a`), service: s, entryPoints: [web]}\n", static)
    found = plan.tables["web"]
    assert isinstance(found, table.First)
    assert found.rules[0].matches == matching.All((matching.Tls(terminated=True), matching.Path("/a")))
    assert plan.listeners["other"].tls is None


def test_the_place_is_that_of_the_list_item() -> None:
    """The caret stands under the one middleware that is missing."""
    _, [problem] = plan_of("    r: {rule: Path(`/`), service: s, middlewares: [add, nope]}\n")
    assert problem.place is not None
    assert problem.place.source[problem.place.column - 1 :].startswith("nope]")


def test_access_logs_of_a_router() -> None:
    """A router may keep its requests out of the log."""
    routers = "    a: {rule: Path(`/a`), service: s}\n    b: {rule: Path(`/b`), service: s, observability: {accessLogs: false}}\n"
    plan, _ = plan_of(routers, STATIC + "accessLog: {}\n")
    assert plan.routes["a@file"].logs == ("access",)
    assert plan.routes["b@file"].logs == ()


def test_internal_services() -> None:
    """noop answers 418; ping by hand is the engine's answer."""
    static = STATIC + "ping: {manualRouting: true}\n"
    plan, _ = plan_of(
        "    n: {rule: Path(`/n`), service: noop@internal}\n    p: {rule: Path(`/p`), service: ping@internal}\n", static
    )
    assert isinstance(plan.routes["n@file"].action, route.Respond)
    assert plan.routes["p@file"].action == route.Ping(terminating_status=503)
    assert "ping@internal" not in plan.routes


def test_rules_reach_the_table() -> None:
    """A rule's condition stands in the table with its route."""
    plan, _ = plan_of("    a: {rule: Host(`a`), service: s}\n")
    assert plan.tables["web"] == table.First((table.Rule(matches=matching.Host("a"), route="a@file"),))
