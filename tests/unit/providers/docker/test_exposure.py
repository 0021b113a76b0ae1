"""Which containers are routed to, and what is said of those that are not."""

from __future__ import annotations

from typing import Any

import pytest

from daemun.errors import Problem
from daemun.providers.docker.container import Health
from tests.kit.containers import both, container, read, said, servers


def hidden(problems: list[Problem]) -> list[str]:
    """The reasons given for what is hidden."""
    assert all(problem.severity == "info" for problem in problems if problem.kind == "hidden")
    return [problem.message for problem in problems if problem.kind == "hidden"]


def test_a_container_is_exposed_by_default() -> None:
    """As in Traefik."""
    assert list(read(container("web")).routers) == ["web@docker"]


def test_a_hidden_container_names_the_label_it_lacks() -> None:
    """With exposedByDefault off a container says nothing and is not served; that is said."""
    rule = {"traefik.http.routers.r.rule": "Host(`a`)"}
    dynamic, problems = both(container("web", rule), exposed_by_default=False)
    assert (dict(dynamic.routers), dict(dynamic.services)) == ({}, {})
    assert said(problems) == [
        (
            "container web: info: the container 'web' is not routed to: it lacks the label traefik.enable=true\n"
            "  add it, or set providers.docker.exposedByDefault"
        )
    ]
    dynamic = read(container("web", {**rule, "traefik.enable": "true"}), exposed_by_default=False)
    assert list(dynamic.routers) == ["r@docker"]


@pytest.mark.parametrize("value", ["true", "True", "1", "t", "TRUE"])
@pytest.mark.parametrize("name", ["traefik.enable", "Traefik.Enable"])
def test_enabled_is_enabled_however_it_is_written(name: str, value: str) -> None:
    """Traefik reads truth values as Go does."""
    assert list(read(container("web", {name: value}), exposed_by_default=False).routers) == ["web@docker"]


@pytest.mark.parametrize("value", ["false", "0", "F"])
def test_a_container_may_say_no(value: str) -> None:
    """Where containers are exposed by default."""
    dynamic, problems = both(container("web", {"traefik.enable": value}))
    assert dict(dynamic.routers) == {}
    assert hidden(problems) == [
        f"the container 'web' is not routed to: its label traefik.enable says {value!r}",
    ]


def test_what_is_neither_yes_nor_no_hides() -> None:
    """A container is not shown to the world by a mistake; the mistake is an error."""
    dynamic, problems = both(container("web", {"traefik.enable": "maybe"}))
    assert dict(dynamic.routers) == {}
    assert [(problem.kind, problem.severity) for problem in problems] == [("value", "error"), ("hidden", "info")]
    assert "expected true or false" in problems[0].message


def test_a_mistyped_enable_is_found_though_the_container_is_hidden() -> None:
    """The label that was meant is suggested."""
    _, problems = both(container("web", {"traefik.enabled": "true"}), exposed_by_default=False)
    assert [(problem.kind, problem.suggestion) for problem in problems] == [("unknown", "enable"), ("hidden", "")]


@pytest.mark.parametrize(
    ("label", "kind", "severity", "advice"),
    [
        ("traefik.htpp.routers.r.rule", "unknown", "error", "http"),
        ("traefik.constraint-label", "unknown", "info", ""),
        ("traefik.frontend.rule", "placement", "error", "traefik.http.routers.<name>.rule"),
        ("traefik.port", "placement", "error", "traefik.http.services.<name>.loadbalancer.server.port"),
        ("traefik.swarm.network", "placement", "error", "Swarm"),
    ],
)
def test_unknown_sections_are_said(label: str, kind: str, severity: str, advice: str) -> None:
    """A mistake gets the nearest word, Traefik v1 its v3, a label of one's own a mere mention."""
    dynamic, (problem,) = both(container("web", {label: "x"}))
    assert (problem.kind, problem.severity) == (kind, severity)
    assert advice in f"{problem.suggestion} {problem.remedy}"
    assert list(dynamic.routers) == ["web@docker"]


def test_a_label_that_constraints_name_has_a_meaning() -> None:
    """Nothing is said of it."""
    label = "traefik.constraint-label"
    one, other = container("one", {label: "public"}), container("other", {label: "private"})
    dynamic, problems = both(one, other, constraints=f"Label(`{label}`, `public`)")
    assert list(dynamic.routers) == ["one@docker"]
    assert hidden(problems) == [
        "the container 'other' is not routed to: its labels are not what providers.docker.constraints asks for"
    ]
    assert len(problems) == 1


def test_a_stopped_container_is_not_spoken_of() -> None:
    """Nobody expects it to be served, and engines list many."""
    dynamic, problems = both(container("web", {"traefik.htpp": "x"}, running=False), exposed_by_default=False)
    assert (dict(dynamic.routers), problems) == ({}, [])


def test_a_stopped_container_may_keep_its_router() -> None:
    """With allowNonRunning: the answer is 503 instead of 404, for a middleware may start it."""
    dynamic = read(container("web", {"traefik.docker.allownonrunning": "true"}, running=False))
    assert list(dynamic.routers) == ["web@docker"]
    assert servers(dynamic, "web@docker") == []


@pytest.mark.parametrize("health", ["starting", "unhealthy"])
def test_a_container_waits_for_its_health(health: Health) -> None:
    """It gets no requests until its check says healthy, and it is said why."""
    dynamic, problems = both(container("web", health=health))
    assert dict(dynamic.routers) == {}
    assert hidden(problems) == [f"the container 'web' is not routed to while its health is {health}"]
    assert list(read(container("web", health="healthy")).routers) == ["web@docker"]


@pytest.mark.parametrize("options", [{"allow_empty_services": True}, {"label": "true"}])
def test_an_unhealthy_container_may_keep_an_empty_service(options: dict[str, Any]) -> None:
    """With allowEmptyServices, or allowNonRunning: router and service stay, without this server."""
    labels = {"traefik.http.services.s.loadbalancer.server.port": "80"}
    if options.pop("label", None):
        labels["traefik.docker.allownonrunning"] = "true"
    sick = container("sick", labels, health="unhealthy")
    assert servers(read(sick, **options), "s@docker") == []
    well = container("well", {"traefik.http.services.s.loadbalancer.server.port": "80"}, networks={"n": "10.0.0.9"})
    assert servers(read(sick, well, **options), "s@docker") == ["http://10.0.0.9:80"]


def test_a_mistyped_option_of_the_provider_is_said_and_no_more() -> None:
    """The container is served all the same."""
    dynamic, problems = both(container("web", {"traefik.docker.netwrok": "front"}))
    assert said(problems) == [
        (
            "container web (label traefik.docker.netwrok): error: unknown option 'netwrok' in docker\n"
            "  did you mean 'network'?"
        )
    ]
    assert servers(dynamic, "web@docker") == ["http://10.0.0.1:8000"]
