"""Rules to conditions: Traefik's meaning of each matcher."""

from __future__ import annotations

import pytest

from daemun.plan import matching as plan
from daemun.traefik.lower_rules import lower_rule, re2
from daemun.traefik.rules import parse_rule


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("Host(`A.Example.COM`)", plan.Host("a.example.com")),
        ("Host(`a.`)", plan.Host("a")),
        ("Host(`*.Example.com`)", plan.HostOneLabel(".example.com")),
        ("Host(`*`)", plan.Always()),
        ("HostRegexp(`^.+$`)", plan.HostRegex(re2("^.+$"))),
        ("Path(`/A`)", plan.Path("/A")),
        ("PathPrefix(`/a`)", plan.PathPrefix("/a")),
        ("PathRegexp(`a`)", plan.PathRegex(re2("a"))),
        ("Method(`get`)", plan.Method("GET")),
        ("Header(`X-A`, `B`)", plan.Header(name="x-a", value="B")),
        ("HeaderRegexp(`X-A`, `b`)", plan.HeaderRegex(name="x-a", pattern=re2("b"))),
        ("Query(`k`)", plan.Query(key="k", value="")),
        ("Query(`k`, `v`)", plan.Query(key="k", value="v")),
        ("QueryRegexp(`k`)", plan.Query(key="k", value="")),
        ("QueryRegexp(`k`, `v`)", plan.QueryRegex(key="k", pattern=re2("v"))),
        ("ClientIP(`10.0.0.0/8`)", plan.ClientIp(("10.0.0.0/8",))),
        ("!Path(`/a`)", plan.Not(plan.Path("/a"))),
        ("Path(`/a`) && Path(`/b`)", plan.All((plan.Path("/a"), plan.Path("/b")))),
        ("Path(`/a`) || Path(`/b`)", plan.Any((plan.Path("/a"), plan.Path("/b")))),
    ],
)
def test_conditions(text: str, condition: plan.Match) -> None:
    """Every matcher becomes the condition that means the same."""
    assert lower_rule(parse_rule(text)) == condition
