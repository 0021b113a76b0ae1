"""Routers of a container: default rule and automatic service."""

from __future__ import annotations

import pytest

from tests.kit.containers import both, container, labelled, read, said

ONE = {"services__s__loadbalancer__server__port": "80"}
TWO = {**ONE, "services__t__loadbalancer__server__port": "81"}


def rules(**options: str) -> dict[str, str]:
    """The rule of each router of a Compose container, under some options."""
    labels = {"com.docker.compose.service": "web", "com.docker.compose.project": "shop", "domain": "example.org"}
    dynamic = read(container("shop-web-1", labels), **options)
    return {name: entry.value.rule for name, entry in dynamic.routers.items()}


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("Host(`{{ normalize .Name }}`)", "Host(`web-shop`)"),
        ("Host(`{{ .ContainerName }}.local`)", "Host(`shop-web-1.local`)"),
        ('Host(`{{ index .Labels "domain" }}`)', "Host(`example.org`)"),
        ("Host(`{{ trimSuffix `-shop` .Name }}.{{ .Labels.domain }}`)", "Host(`web.example.org`)"),
        ('{{ if index .Labels "path" }}Path(`/x`){{ else }}Path(`/`){{ end }}', "Path(`/`)"),
    ],
)
def test_the_default_rule_is_a_template(template: str, rule: str) -> None:
    """Name, container's name and labels are what it may use."""
    assert rules(default_rule=template) == {"web-shop@docker": rule}


def test_a_router_without_a_rule_has_the_default_one() -> None:
    """As if there were no router at all, but under its own name."""
    dynamic = read(labelled(routers__r__priority="7"))
    assert (dynamic.routers["r@docker"].value.rule, dynamic.routers["r@docker"].value.priority) == ("Host(`web`)", 7)
    assert read(labelled(routers__r__rule="")).routers["r@docker"].value.rule == "Host(`web`)"


def test_the_only_service_is_linked() -> None:
    """The container's own, or the one its labels define."""
    assert read(labelled(routers__r__rule="Host(`a`)")).routers["r@docker"].value.service == "web"
    assert read(labelled(routers__r__rule="Host(`a`)", **ONE)).routers["r@docker"].value.service == "s"
    named = read(labelled(routers__r__rule="Host(`a`)", routers__r__service="x@file", **TWO))
    assert named.routers["r@docker"].value.service == "x@file"


def test_several_services_and_none_named_is_an_error() -> None:
    """The router is left out, another one with its service stays."""
    dynamic, problems = both(
        labelled(routers__r__rule="Host(`a`)", routers__q__rule="Host(`b`)", routers__q__service="t", **TWO)
    )
    assert list(dynamic.routers) == ["q@docker"]
    assert ("router", "r@docker") in dynamic.broken
    assert said(problems) == [
        (
            "container web (label traefik.http.routers.r.rule): error: "
            "the router 'r' names no service, and the container has several: s, t\n"
            "  choose one: traefik.http.routers.r.service=s"
        )
    ]


def test_several_services_and_no_router_make_none() -> None:
    """Whoever has routers elsewhere may mean that: it is worth knowing."""
    dynamic, problems = both(labelled(**TWO))
    assert dict(dynamic.routers) == {}
    assert [(problem.severity, problem.message) for problem in problems] == [
        ("info", "no router is made for the container 'web': it has several services, s, t")
    ]


def test_an_empty_default_rule_makes_no_router() -> None:
    """For a router that labels define that is an error; a container without any may be meant so."""
    empty = '{{ index .Labels "nothing" }}'
    dynamic, problems = both(labelled(routers__r__priority="1"), default_rule=empty)
    assert dict(dynamic.routers) == {}
    assert [(problem.severity, problem.message) for problem in problems] == [
        ("error", "the router 'r' has no rule, and the default rule is empty for this container")
    ]
    assert [problem.severity for problem in both(container(), default_rule=empty)[1]] == ["info"]


def test_a_template_that_fails_names_the_container() -> None:
    """Only this container has what made it fail."""
    template = 'Host(`{{ index (splitList "-" .Name) 1 }}`)'
    dynamic, problems = both(container("a-b"), container("c"), default_rule=template)
    assert list(dynamic.routers) == ["a-b@docker"]
    assert said(problems) == [
        "container c: error: the default rule of the router 'c': index: there is no item 1: there are 1"
    ]


def test_a_default_rule_that_is_no_rule_says_where_it_comes_from() -> None:
    """No label holds it."""
    _, problems = both(container("web"), default_rule="Host({{ .Name }})")
    assert problems[0].place is not None
    assert problems[0].place.file == "container web (defaultRule)"
    assert problems[0].message.startswith("in the rule, byte 6")


def test_a_router_is_linked_to_a_broken_service_and_not_to_another() -> None:
    """Lowering says why it is not served; no service is made up in its place."""
    dynamic, _ = both(labelled(routers__r__rule="Host(`a`)", services__s__loadbalancer__server__port="x"))
    assert dynamic.routers["r@docker"].value.service == "s"
    assert dict(dynamic.services) == {}


def test_a_router_whose_name_was_lost_is_not_replaced() -> None:
    """A label that defines some router is a reason to make up none."""
    dynamic, problems = both(container(labels={"traefik.http.routers..rule": "Host(`a`)"}))
    assert dict(dynamic.routers) == {}
    assert len(problems) == 1


def test_a_service_whose_name_was_lost_is_not_replaced() -> None:
    """Neither by one that is made up, nor in the words of an error."""
    labels = {"traefik.http.services..loadbalancer.server.port": "80"}
    for more in ({}, {"traefik.http.routers.r.rule": "Host(`a`)"}):
        dynamic, problems = both(container(labels={**labels, **more}))
        assert (dict(dynamic.routers), dict(dynamic.services)) == ({}, {})
        assert [problem.kind for problem in problems] == ["syntax"]
