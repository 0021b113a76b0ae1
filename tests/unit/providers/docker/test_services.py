"""Services of a container: what their labels say of the server, and what may go wrong."""

from __future__ import annotations

import pytest

from tests.kit.containers import both, container, labelled, read, said, servers


@pytest.mark.parametrize(
    ("labels", "url"),
    [
        ({}, "http://10.0.0.1:8000"),
        ({"port": "9000"}, "http://10.0.0.1:9000"),
        ({"scheme": "https"}, "https://10.0.0.1:8000"),
        ({"scheme": "HTTPS", "port": "8443"}, "https://10.0.0.1:8443"),
        ({"scheme": "h2c"}, "h2c://10.0.0.1:8000"),
        ({"url": "http://app.internal:81"}, "http://app.internal:81"),
    ],
)
def test_the_servers_url(labels: dict[str, str], url: str) -> None:
    """Put together from what the container tells and what its labels say."""
    given = {f"traefik.http.services.s.loadbalancer.server.{name}": value for name, value in labels.items()}
    dynamic = read(container(labels={**given, "traefik.http.services.s.loadbalancer.passhostheader": "true"}))
    assert servers(dynamic, "s@docker") == [url]


def test_a_server_has_weight_and_path() -> None:
    """As in files."""
    dynamic = read(
        labelled(
            services__s__loadbalancer__server__weight="3",
            services__s__loadbalancer__server__preservepath="true",
            services__s__loadbalancer__server__url="http://a/base",
        )
    )
    balancer = dynamic.services["s@docker"].value.load_balancer
    assert balancer is not None
    assert [(one.weight, one.preserve_path) for one in balancer.servers] == [(3, True)]


def test_options_of_the_balancer_are_kept() -> None:
    """Case does not matter, and the server is added beside them."""
    dynamic = read(
        labelled(services__s__LoadBalancer__passHostHeader="false", services__s__loadbalancer__strategy="leastconn")
    )
    balancer = dynamic.services["s@docker"].value.load_balancer
    assert balancer is not None
    assert (balancer.pass_host_header, balancer.strategy, len(balancer.servers)) == (False, "leastconn", 1)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"server__port": "http"}, "expected a whole number"),
        ({"server__port": "0"}, "expected at least 1"),
        ({"server__port": "70000"}, "expected at most 65535"),
        ({"server__scheme": "ftp"}, "expected http, https or h2c"),
        ({"server__url": "ftp://a"}, "expected http, https, h2c or unix"),
        ({"server__url": "unix:///var/run/docker.sock"}, "a label cannot name a Unix socket"),
        ({"server__url": "UNIX:/x"}, "a label cannot name a Unix socket"),
        ({"server__url": "http://a", "server__port": "80"}, "the url says both"),
        ({"server__url": "http://a", "server__scheme": "https"}, "the url says both"),
        ({"server__prot": "80"}, "unknown option 'prot'"),
        ({"servers[0]__url": "http://a"}, "unknown option 'servers'"),
        ({"server": "http://a"}, "expected a table of options"),
    ],
)
def test_a_wrong_server_spoils_its_service_alone(labels: dict[str, str], message: str) -> None:
    """The label is named; another service of the container works."""
    given = {f"services__bad__loadbalancer__{name}": value for name, value in labels.items()}
    dynamic, problems = both(
        labelled(
            **given,
            services__good__loadbalancer__server__port="81",
            routers__r__service="good",
            routers__r__rule="Host(`a`)",
        )
    )
    assert servers(dynamic, "good@docker") == ["http://10.0.0.1:81"]
    assert list(dynamic.services) == ["good@docker"]
    assert ("service", "bad@docker") in dynamic.broken
    (problem,) = problems
    assert message in problem.message
    assert problem.place is not None
    assert "label traefik.http.services.bad.loadbalancer.server" in problem.place.file


def test_a_server_without_a_port_is_an_error_where_one_was_asked_for() -> None:
    """The remedy is the label to write."""
    dynamic, problems = both(container(labels={"traefik.http.routers.r.rule": "Host(`a`)"}, ports=()))
    assert said(problems) == [
        (
            "container web: error: the service 'web' has no server here: "
            "the container 'web' exposes no TCP port, and none is named\n"
            "  name it by the label traefik.http.services.web.loadbalancer.server.port=8000"
        )
    ]
    assert ("service", "web@docker") in dynamic.broken


def test_a_container_that_asks_for_nothing_may_have_no_port() -> None:
    """Workers are like that: it is worth knowing and no more, and there is no router without a server."""
    dynamic, problems = both(container(ports=()))
    assert [problem.severity for problem in problems] == ["info"]
    assert dict(dynamic.routers) == {}


def test_a_container_without_an_address_is_unreachable() -> None:
    """In no network at all."""
    _, problems = both(labelled(routers__r__rule="Host(`a`)"), container("x", networks={}))
    assert [problem.message for problem in problems] == [
        "the service 'x' has no server here: the container 'x' has no address in any network"
    ]
