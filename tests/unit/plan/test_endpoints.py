"""Generations of endpoints, and what of a Plan is more than endpoints."""

from __future__ import annotations

from dataclasses import replace

from daemun.config.read import read_text
from daemun.engine.bundle import Bundle, bundle_of
from daemun.plan.endpoints import Generations, newest
from daemun.plan.plan import Plan, to_json
from daemun.plan.service import Balanced, Endpoint
from daemun.traefik.dynamic import build_dynamic
from daemun.traefik.lower import lower
from daemun.traefik.read import load_static

STATIC = load_static("[entryPoints.web]\naddress = ':80'\n")[0]


def plan_of(*urls: str, rule: str = "Path(`/`)", other: str = "http://o") -> Plan:
    """A Plan with the service `s` at these URLs, and `o`."""
    servers = ", ".join(f"{{url: '{url}'}}" for url in urls)
    text = f"""http:
  routers: {{r: {{rule: {rule}, service: s}}}}
  services:
    s: {{loadBalancer: {{servers: [{servers}]}}}}
    o: {{loadBalancer: {{servers: [{{url: '{other}'}}]}}}}
"""
    return lower(STATIC, build_dynamic([read_text(text, file="d.yml")])[0], hostname="gate")[0]


def balanced(plan: Plan, name: str = "s@file") -> Balanced:
    kind = plan.services[name].kind
    assert isinstance(kind, Balanced)
    return kind


def bundle(plan: Plan, generations: Generations) -> Bundle:
    return bundle_of(generations.stamped(plan), materials={}, roots={}, secrets={}, moving=True)


def test_a_generation_stays_as_long_as_the_endpoints() -> None:
    """Other endpoints, and only they, get a newer one."""
    times = iter([100, 200, 300])
    generations = Generations(clock=lambda: next(times))
    first = generations.stamped(plan_of("http://a"))
    assert {balanced(first).generation, balanced(first, "o@file").generation} == {100, 200}
    same = generations.stamped(plan_of("http://a", rule="Path(`/x`)"))
    assert [balanced(same, name).generation for name in first.services] == [
        balanced(first, name).generation for name in first.services
    ]
    other = generations.stamped(plan_of("http://a", "http://b"))
    assert balanced(other).generation == 300
    assert balanced(other, "o@file") == balanced(first, "o@file")


def test_a_generation_grows_whatever_the_clock_says() -> None:
    """Over a restart too: the Plan that was kept has the last one."""
    generations = Generations(floor=1_000, clock=lambda: 5)
    first = generations.stamped(plan_of("http://a"))
    assert min(balanced(first, name).generation for name in first.services) > 1_000
    again = Generations(floor=newest(to_json(first)), clock=lambda: 5)
    second = again.stamped(plan_of("http://a"))
    assert balanced(second).generation > newest(to_json(first))
    assert newest(b"{}") == 0


def test_only_endpoints_differ() -> None:
    """A moved server is told by the service's name; anything else is more than that."""
    generations = Generations()
    first = bundle(plan_of("http://a"), generations)
    assert first.moved(first) == []
    assert first.moved(bundle(plan_of("http://a", "http://b"), generations)) == ["s@file"]
    assert first.moved(bundle(plan_of(), generations)) == ["s@file"]
    assert first.moved(bundle(plan_of("http://a", rule="Path(`/x`)"), generations)) is None
    # A server at https changes how all are spoken to.
    assert first.moved(bundle(plan_of("https://a"), generations)) is None


def test_without_a_shape_everything_differs() -> None:
    """Where nobody asked for it, a Plan is applied whole."""
    plan = plan_of("http://a")
    plain = bundle_of(plan, materials={}, roots={}, secrets={})
    assert plain.moved(plain) is None


def test_a_weight_is_of_the_endpoint() -> None:
    """Whatever differs in an endpoint makes a new generation."""
    generations = Generations()
    plan = plan_of("http://a")
    first = generations.stamped(plan)
    kind = balanced(plan)
    heavier: tuple[Endpoint, ...] = (replace(kind.endpoints[0], weight=7),)
    service = replace(plan.services["s@file"], kind=replace(kind, endpoints=heavier))
    second = generations.stamped(replace(plan, services={**plan.services, "s@file": service}))
    assert balanced(second).generation > balanced(first).generation
