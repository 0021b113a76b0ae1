"""What labels must not reach is refused by name."""

from __future__ import annotations

import pytest

from tests.kit.containers import both, container, labelled


@pytest.mark.parametrize(
    ("label", "refused"),
    [
        ("traefik.http.serverstransports.t.insecureskipverify", "http.serverstransports"),
        ("traefik.HTTP.ServersTransports.t.rootcas", "HTTP.ServersTransports"),
        ("traefik.tls.options.default.minversion", "tls.options"),
        ("traefik.tls.certificates[0].certfile", "tls.certificates"),
        ("traefik.tls.stores.default.defaultcertificate.certfile", "tls.stores.default.defaultcertificate"),
        ("traefik.tls.stores.other.defaultgeneratedcert.resolver", "tls.stores.other"),
    ],
)
def test_what_belongs_to_everybody_is_not_for_labels(label: str, refused: str) -> None:
    """Transports, TLS and files: the label is named, the container is served."""
    dynamic, problems = both(container(labels={label: "x"}))
    assert [(problem.kind, problem.message) for problem in problems] == [
        ("placement", f"{refused} cannot be set by a label")
    ]
    assert problems[0].place is not None
    assert problems[0].place.file == f"container web (label {label})"
    assert list(dynamic.routers) == ["web@docker"]
    assert (dict(dynamic.servers_transports), dict(dynamic.tls_options), dynamic.tls_certificates) == ({}, {}, ())
    assert dict(dynamic.tls_stores) == {}


@pytest.mark.parametrize(
    "option",
    [
        "weighted__services[0]__name",
        "mirroring__service",
        "failover__service",
        "highestrandomweight__services[0]__name",
        "files__root",
        "Files__Root",
    ],
)
def test_other_kinds_of_services_are_not_for_labels(option: str) -> None:
    """Least of all a directory of this machine: the service is left out, and nothing takes its place."""
    dynamic, problems = both(labelled(**{f"services__s__{option}": "/etc"}))
    assert dict(dynamic.services) == {}
    assert ("service", "s@docker") in dynamic.broken
    assert [problem.kind for problem in problems] == ["placement"]


def test_a_forbidden_option_spoils_its_service_alone() -> None:
    """Even where the service has servers too."""
    dynamic, _ = both(
        labelled(
            services__s__files__root="/etc",
            services__s__loadbalancer__server__port="80",
            services__t__loadbalancer__server__port="81",
        )
    )
    assert list(dynamic.services) == ["t@docker"]


def test_a_parent_is_not_for_labels() -> None:
    """The router is left out."""
    dynamic, problems = both(labelled(routers__r__rule="Host(`a`)", routers__r__parentrefs="x"))
    assert dict(dynamic.routers) == {}
    assert [problem.kind for problem in problems] == ["placement"]


def test_what_a_file_defines_may_be_named() -> None:
    """A label names options and transports of the file provider; it does not make them."""
    dynamic, problems = both(
        labelled(
            routers__r__rule="Host(`a`)",
            routers__r__tls__options="strict@file",
            services__s__loadbalancer__serverstransport="own@file",
        )
    )
    assert problems == []
    assert dynamic.routers["r@docker"].value.tls is not None
