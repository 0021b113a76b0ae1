"""The whole: a Plan that is complete, refers only to what it has, and survives its JSON."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from daemun.errors import Problem
from daemun.plan import matching, route, table
from daemun.plan.listener import Protocol
from daemun.plan.plan import Plan, from_json, to_json
from daemun.plan.service import Balanced
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.lower import lower
from daemun.traefik.read import load_dynamic_text, load_static

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"

STATIC = """
entryPoints:
  web:
    address: ":80"
    http: {redirections: {entryPoint: {to: secure}}}
  secure: {address: ":8443"}
providers: {file: {filename: d.yml}}
ping: {}
accessLog: {format: json}
"""
DYNAMIC = """
http:
  routers:
    a: {rule: Host(`a`), service: s, middlewares: [m, h]}
    b: {rule: "HostRegexp(`^b`) && !Query(`x`)", service: s, entryPoints: [secure]}
  services:
    s: {loadBalancer: {passHostHeader: false, servers: [{url: 'http://a/x', preservePath: true}]}}
  middlewares:
    m: {stripPrefix: {prefixes: [/x]}}
    h: {headers: {customRequestHeaders: {X: y}, customResponseHeaders: {Server: ''}}}
"""


def whole(static: str = STATIC, dynamic: str = DYNAMIC) -> tuple[Plan, list[Problem]]:
    return lower(load_static(static, file="t.yml")[0], load_dynamic_text(dynamic, file="d.yml")[0], hostname="gate")


def test_json_and_back() -> None:
    """A Plan with every piece of this language is what the twin types read back."""
    plan, problems = whole()
    assert problems == []
    assert from_json(to_json(plan)) == plan


@pytest.mark.parametrize("name", ["traefik-dev", "traefik-prod"])
def test_the_users_files_mean_their_golden_plans(name: str) -> None:
    """The seed's files lower to the Plans that stand beside them; HTTP/2 is spoken where they have it."""
    static, _ = load_static((GOLDEN / f"{name}.toml").read_text(), file=f"{name}.toml")
    made, problems = lower(static, Dynamic(), hostname="gate")
    golden = from_json((GOLDEN / f"{name}.json").read_bytes())
    assert problems == []
    assert with_http1(made) == with_http1(golden)


def with_http1(plan: Plan) -> Plan:
    """The Plan with nothing but HTTP/1: whether a listener speaks HTTP/2 is tested where it is decided."""
    listeners = {name: replace(one, protocols=(Protocol.HTTP1,)) for name, one in plan.listeners.items()}
    return replace(plan, listeners=listeners)


def test_every_id_exists() -> None:
    """Routes, filters, services, transports, faults and logs refer to what stands in the Plan."""
    plan, _ = whole()
    for listener in plan.listeners.values():
        assert listener.hosts.default in plan.hosts
        assert listener.http in plan.http
    for host in plan.hosts.values():
        assert host.table in plan.tables
        assert host.faults in plan.faults
        assert set(host.logs) <= set(plan.logs)
    for found in plan.tables.values():
        assert isinstance(found, table.First)
        assert {rule.route for rule in found.rules} <= set(plan.routes)
    for made in plan.routes.values():
        assert set(made.filters) <= set(plan.filters)
        assert set(made.logs) <= set(plan.logs)
        if isinstance(made.action, route.Proxy):
            assert made.action.service in plan.services
    for service in plan.services.values():
        assert isinstance(service.kind, Balanced)
        assert service.kind.transport in plan.transports


def test_redirection_comes_before_every_router() -> None:
    """Every host on the entry point is sent to the other one, with its port."""
    plan, _ = whole()
    found = plan.tables["web"]
    assert isinstance(found, table.First)
    assert found.rules[0].route == "web-to-secure@internal"
    assert isinstance(found.rules[0].matches, matching.HostRegex)
    assert plan.routes["web-to-secure@internal"].logs == ()


def test_a_redirection_may_yield() -> None:
    """With a priority of its own it stands among the routers."""
    plan, _ = whole(STATIC.replace("{to: secure}", "{to: ':444', priority: 1}"))
    found = plan.tables["web"]
    assert isinstance(found, table.First)
    assert [rule.route for rule in found.rules] == ["a@file", "web-to-444@internal"]


def test_ping_has_its_entry_point() -> None:
    """Ping opens `traefik` on :8080 unless it is put elsewhere."""
    plan, _ = whole()
    assert plan.listeners["traefik"].bind.port == 8080  # type: ignore[union-attr]
    assert plan.routes["ping@internal"].action == route.Ping(terminating_status=503)
    plan, _ = whole(STATIC.replace("ping: {}", "ping: {entryPoint: secure}"))
    assert "traefik" not in plan.listeners
    found = plan.tables["secure"]
    assert isinstance(found, table.First)
    assert found.rules[0].route == "ping@internal"


def test_nothing_configured() -> None:
    """An empty static file opens :80 and answers 404 to all."""
    plan, _ = whole("{}", "{}")
    assert list(plan.listeners) == ["http"]
    assert plan.tables["http"] == table.First(())
    assert plan.logs == {}


def test_the_same_plan_twice() -> None:
    """Lowering is a function: equal configuration, equal Plan."""
    assert whole()[0] == whole()[0]


def test_the_hosts_name_is_the_default() -> None:
    """X-Forwarded-Server is the machine's name unless told."""
    static, _ = load_static(STATIC, file="t.yml")
    plan, _ = lower(static, load_dynamic_text(DYNAMIC, file="d.yml")[0])
    add = plan.http["web"].forwarded.add
    assert add is not None
    assert add.server


def test_ten_thousand_routers_are_quick() -> None:
    """Text to JSON of the Plan in far less than the five seconds a change may take (10 s here: busy machines)."""
    text = "http:\n  routers:\n" + "".join(
        f"    r{n}:\n      rule: Host(`h{n}.example`) && PathPrefix(`/p{n}`)\n      service: s\n" for n in range(10_000)
    )
    text += "  services: {s: {loadBalancer: {servers: [{url: 'http://a'}]}}}\n"
    start = time.process_time()
    plan, problems = whole(dynamic=text)
    to_json(plan)
    assert time.process_time() - start < 10
    assert problems == []
    assert len(plan.routes) == 10_002
