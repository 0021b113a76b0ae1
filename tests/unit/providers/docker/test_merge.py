"""What several containers say of one name."""

from __future__ import annotations

from tests.kit.containers import both, container, labelled, read, said, servers

PORT = "traefik.http.services.s.loadbalancer.server.port"


def test_servers_add_up() -> None:
    """Each with its own port."""
    dynamic = read(
        container("a", {PORT: "80"}, networks={"n": "10.0.0.1"}),
        container("b", {PORT: "81"}, networks={"n": "10.0.0.2"}),
    )
    assert servers(dynamic, "s@docker") == ["http://10.0.0.1:80", "http://10.0.0.2:81"]


def test_an_address_counts_once() -> None:
    """Two containers behind one address are one server."""
    assert servers(read(container("a", {PORT: "80"}), container("b", {PORT: "80"})), "s@docker") == [
        "http://10.0.0.1:80"
    ]


def test_services_that_differ_are_not_used() -> None:
    """Both containers are named, a third changes nothing, other services stay."""
    differing = {"services__s__loadbalancer__passhostheader": "false"}
    dynamic, problems = both(
        labelled("a", **differing),
        labelled("b", services__s__loadbalancer__server__port="80"),
        labelled("c", **differing),
        container("d"),
    )
    assert "s@docker" not in dynamic.services
    assert ("service", "s@docker") in dynamic.broken
    assert "d@docker" in dynamic.services
    assert said(problems) == [
        (
            "container b (label traefik.http.services.s.loadbalancer.server.port): error: "
            "the service 's' is defined differently by the container a and the container b: neither is used\n"
            "  give both the same labels, or one of them another name\n"
            "  also at container a (label traefik.http.services.s.loadbalancer.passhostheader)"
        )
    ]


def test_equal_routers_and_middlewares_are_one() -> None:
    """Replicas carry the same labels."""
    labels = {
        "routers__r__rule": "Host(`a`)",
        "routers__r__service": "s",
        "routers__r__middlewares": "m",
        "middlewares__m__addprefix__prefix": "/x",
        "services__s__loadbalancer__server__port": "80",
    }
    dynamic = read(labelled("a", **labels), labelled("b", **labels))
    assert (list(dynamic.routers), list(dynamic.middlewares), list(dynamic.rules)) == (
        ["r@docker"],
        ["m@docker"],
        ["r@docker"],
    )


def test_routers_and_middlewares_that_differ_are_not_used() -> None:
    """Nobody knows which is meant."""
    dynamic, problems = both(
        labelled("a", routers__r__rule="Host(`a`)", middlewares__m__addprefix__prefix="/a"),
        labelled("b", routers__r__rule="Host(`b`)", middlewares__m__addprefix__prefix="/b"),
    )
    assert (dict(dynamic.routers), dict(dynamic.middlewares), dict(dynamic.rules)) == ({}, {}, {})
    assert {("router", "r@docker"), ("middleware", "m@docker")} <= dynamic.broken
    assert [problem.kind for problem in problems] == ["duplicate", "duplicate"]


def test_a_sound_definition_outlives_a_broken_one() -> None:
    """One replica with a mistake in its labels does not take the others down."""
    dynamic, problems = both(
        labelled("a", services__s__loadbalancer__server__port="80"),
        labelled("b", services__s__loadbalancer__server__port="x"),
    )
    assert servers(dynamic, "s@docker") == ["http://10.0.0.1:80"]
    assert ("service", "s@docker") not in dynamic.broken
    assert [problem.severity for problem in problems] == ["error"]


def test_a_rule_that_cannot_be_read_stays_broken() -> None:
    """However many containers have it."""
    labels = {"routers__r__rule": "Host(", "routers__r__service": "x@file"}
    dynamic, _ = both(labelled("a", **labels), labelled("b", **labels))
    assert ("router", "r@docker") in dynamic.broken
    assert dict(dynamic.rules) == {}


def test_stores_that_differ_are_not_used() -> None:
    """The one default certificate is not for the faster container."""
    label = "traefik.tls.stores.default.defaultgeneratedcert.resolver"
    dynamic, problems = both(container("a", {label: "le"}), container("b", {label: "other"}))
    assert dict(dynamic.tls_stores) == {}
    assert [problem.kind for problem in problems] == ["duplicate"]
