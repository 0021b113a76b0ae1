"""From containers to a dynamic configuration: the whole way, and the names on it."""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random

import pytest
import yaml

from daemun.providers.docker.configuration import service_name
from daemun.traefik.lower import lower
from daemun.traefik.static import Static
from tests.kit.containers import both, container, labelled, read, said, servers

SEED = Path(__file__).parents[3] / "seed"
COMPOSE = {"com.docker.compose.service": "web_app", "com.docker.compose.project": "my.shop"}


def seed_labels() -> dict[str, str]:
    """The labels of the user's own document."""
    lines: list[str] = yaml.safe_load((SEED / "docker-labels.yml").read_text())["labels"]
    return dict(line.split("=", 1) for line in lines)


def test_the_seeds_labels_make_a_router_over_https() -> None:
    """Two labels: a router with a certificate of its own, and the container as its service."""
    dynamic = read(container("fastapi-1", seed_labels()))
    router = dynamic.routers["fastapi@docker"].value
    assert (router.rule, router.service) == ("Host(`yourdomain.com`)", "fastapi-1")
    assert router.tls is not None
    assert router.tls.cert_resolver == "letsencrypt"
    assert servers(dynamic, "fastapi-1@docker") == ["http://10.0.0.1:8000"]
    assert dynamic.providers == ("docker",)


def test_the_seeds_labels_become_a_plan() -> None:
    """What the engine gets: one route to one endpoint."""
    static = Static.model_validate(
        {
            "entryPoints": {"https": {"address": ":443"}},
            "certificatesResolvers": {"letsencrypt": {"acme": {"email": "a@example.com", "tlsChallenge": {}}}},
        }
    )
    plan, problems = lower(static, read(container("fastapi-1", seed_labels())), hostname="test")
    assert said([problem for problem in problems if problem.is_error]) == []
    assert "fastapi@docker" in plan.routes
    assert plan.services["fastapi-1@docker"].kind.endpoints[0].address == "10.0.0.1:8000"  # type: ignore[union-attr]
    assert plan.routes["fastapi@docker"].origin.file == "container fastapi-1"


def test_a_container_without_labels_has_the_default_rule() -> None:
    """Router, service and host are named after the container."""
    dynamic = read(container("web_app"))
    assert dynamic.routers["web-app@docker"].value.rule == "Host(`web-app`)"
    assert servers(dynamic, "web-app@docker") == ["http://10.0.0.1:8000"]


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("web_app", {}, "web-app"),
        ("shop-web-1", COMPOSE, "web-app-my-shop"),
        ("x", {"com.docker.compose.service": "web"}, "x"),
        ("x", {"com.docker.compose.service": "web", "com.docker.compose.project": ""}, "x"),
        ("__a..b--c_", {}, "a-b-c"),
        ("größe_²", {}, "größe-²"),
    ],
)
def test_names_are_those_of_traefik(name: str, labels: dict[str, str], expected: str) -> None:
    """Compose's service and project, else the container's name; each run of other characters is one dash."""
    assert service_name(container(name, labels)) == expected


def test_scaled_containers_are_servers_of_one_service() -> None:
    """Three containers of a Compose service, in the order of their names."""
    three = [container(f"shop-web-{n}", COMPOSE, networks={"front": f"10.0.0.{n}"}) for n in (3, 1, 2)]
    dynamic = read(*three)
    assert list(dynamic.routers) == ["web-app-my-shop@docker"]
    assert servers(dynamic, "web-app-my-shop@docker") == [f"http://10.0.0.{n}:8000" for n in (1, 2, 3)]


def test_the_order_of_containers_makes_no_difference() -> None:
    """Whatever order an engine lists them in, configuration and problems are the same."""
    some = [
        labelled("a", routers__a__rule="Host(`a`)"),
        labelled("b", routers__a__rule="Host(`b`)"),
        labelled("c", routers__c__rul="Host(`c`)"),
        container("d", COMPOSE),
    ]
    results = [both(*order) for order in itertools.permutations(some)]
    assert all(one == results[0] and list(one[0].services) == list(results[0][0].services) for one in results)


def test_a_mistake_spoils_only_its_router() -> None:
    """The label and the nearest known one are named; the other router works."""
    dynamic, problems = both(labelled(routers__good__rule="Host(`a.org`)", routers__bad__rul="Host(`b.org`)"))
    assert list(dynamic.routers) == ["good@docker"]
    assert ("router", "bad@docker") in dynamic.broken
    assert said(problems) == [
        (
            "container web (label traefik.http.routers.bad.rul): error: unknown option 'rul' in http.routers.bad\n"
            "  did you mean 'rule'?"
        )
    ]


def test_a_mistake_in_a_middleware_spoils_only_that() -> None:
    """Whoever uses it is not served, by lowering; everybody else is."""
    dynamic, problems = both(
        labelled(
            middlewares__m__stripprefix__prefixs="/a",
            middlewares__n__stripprefix__prefixes="/b,/c",
            routers__r__rule="Host(`a.org`)",
        )
    )
    assert list(dynamic.middlewares) == ["n@docker"]
    assert ("middleware", "m@docker") in dynamic.broken
    assert list(dynamic.routers) == ["r@docker"]
    assert problems[0].suggestion == "prefixes"


def test_a_wrong_rule_is_shown_with_a_caret() -> None:
    """The caret stands under the fault, in the label's value."""
    _, problems = both(labelled(routers__r__rule="Host(`a`) & Path(`/`)"))
    assert said(problems) == [
        (
            "container web (label traefik.http.routers.r.rule): error: in the rule, byte 11: '&' has no meaning in a rule\n"
            "   | Host(`a`) & Path(`/`)\n"
            "   |           ^\n"
            "  AND is written &&"
        )
    ]


def test_a_value_of_the_wrong_kind_names_its_label() -> None:
    """Numbers, switches and choices are judged as in files."""
    _, problems = both(labelled(routers__r__priority="high", services__s__loadbalancer__strategy="fastest"))
    messages = {problem.place.file: problem.message for problem in problems if problem.place is not None}
    assert messages["container web (label traefik.http.routers.r.priority)"].endswith("expected a whole number")
    assert "cannot be 'fastest'" in messages["container web (label traefik.http.services.s.loadbalancer.strategy)"]


def test_what_comes_later_is_said() -> None:
    """An option that this version does not serve is reported, and the service is kept."""
    dynamic, problems = both(labelled(services__s__loadbalancer__healthcheck__path="/ok"))
    assert [(problem.kind, problem.severity) for problem in problems] == [("not_yet", "warning")]
    assert servers(dynamic, "s@docker") == ["http://10.0.0.1:8000"]


def test_a_container_of_tcp_alone_gets_no_router_for_http() -> None:
    """It asks for nothing that speaks HTTP."""
    dynamic, problems = both(container(labels={"traefik.tcp.routers.db.rule": "HostSNI(`*`)"}))
    assert (dict(dynamic.routers), dict(dynamic.services)) == ({}, {})
    assert [problem.message for problem in problems] == ["not yet: tcp comes later"]


def test_tcp_beside_http_changes_nothing() -> None:
    """The labels for HTTP mean what they mean alone."""
    dynamic, _ = both(
        container(labels={"traefik.tcp.routers.db.rule": "HostSNI(`*`)", "traefik.http.routers.r.rule": "Host(`a`)"})
    )
    assert list(dynamic.routers) == ["r@docker"]


def test_another_engine_has_names_and_places_of_its_own() -> None:
    """Two engines may both have a container `web`."""
    dynamic, problems = both(labelled(routers__r__rul="x", routers__s__rule="Host(`a`)"), provider="docker-west")
    assert list(dynamic.routers) == ["s@docker-west"]
    assert problems[0].place is not None
    assert problems[0].place.file == "container web of docker-west (label traefik.http.routers.r.rul)"


def test_a_generated_default_certificate_can_be_asked_for() -> None:
    """It names a resolver and no file."""
    dynamic = read(
        container(
            labels={
                "traefik.tls.stores.default.defaultgeneratedcert.resolver": "letsencrypt",
                "traefik.tls.stores.default.defaultgeneratedcert.domain.main": "example.org",
                "traefik.tls.stores.default.defaultgeneratedcert.domain.sans": "a.example.org, b.example.org",
            }
        )
    )
    generated = dynamic.tls_stores["default"].value.default_generated_cert
    assert generated is not None
    assert (generated.resolver, generated.domain.names) == (
        "letsencrypt",
        ("example.org", "a.example.org", "b.example.org"),
    )


def test_a_name_with_an_at_sign_is_refused() -> None:
    """`@` separates a name from its provider."""
    dynamic, problems = both(container(labels={"traefik.http.services.a@file.loadbalancer.server.port": "80"}))
    assert dict(dynamic.services) == {}
    assert any("cannot contain @" in problem.message for problem in problems)


def test_no_containers_are_an_empty_configuration() -> None:
    """An engine with nothing in it is no mistake."""
    dynamic = read()
    assert (dict(dynamic.routers), dynamic.providers) == ({}, ("docker",))


STARTS = (
    "http.routers.a",
    "http.services.a",
    "http.middlewares.a",
    "http.services.a.loadBalancer",
    "http",
    "tls",
    "docker",
)
STEPS = (
    *(
        "routers",
        "services",
        "middlewares",
        "loadBalancer",
        "server",
        "servers[0]",
        "port",
        "url",
        "rule",
        "service",
        "tls",
    ),
    *("domains[0]", "domains[1]", "main", "enable", "network", "stores", "default", "headers", "customRequestHeaders"),
    *("stripPrefix", "prefixes", "files", "root", "priority", "[0]", "a[", "]b", "a@file", "ü", "", " "),
)
VALUES = (
    "",
    "true",
    "false",
    "Host(`a`)",
    "Host(`",
    "a,b",
    "80",
    "9" * 30,
    "-1",
    "{{",
    "\n",
    "\0",
    "unix:///x",
    "http://[",
    "ü",
)


@pytest.mark.parametrize("seed", range(60))
def test_no_label_stops_the_others(seed: int) -> None:
    """Whatever labels say, reading and lowering go on, and every problem names its container."""
    random = Random(seed)  # noqa: S311 - the same labels each time
    labels = {
        ".".join(["traefik", random.choice(STARTS), *random.choices(STEPS, k=random.randint(0, 4))]): random.choice(
            VALUES
        )
        for _ in range(6)
    }
    dynamic, problems = both(container("odd", labels), labelled("good", routers__good__rule="Host(`good`)"))
    assert "good@docker" in dynamic.routers
    assert all(problem.place is not None and problem.place.file.startswith("container ") for problem in problems)
    static = Static.model_validate({"entryPoints": {"web": {"address": ":80"}}})
    plan, _ = lower(static, dynamic, hostname="test")
    assert "good@docker" in plan.routes
