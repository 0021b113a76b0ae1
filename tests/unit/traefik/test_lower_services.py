"""Services to endpoints: strategy, identity, Host, what comes later."""

from __future__ import annotations

import pytest

from daemun.errors import Problem
from daemun.needs import AtHand
from daemun.plan import service as plan
from daemun.plan.template import Literal, Variable
from daemun.traefik.dynamic import Dynamic
from daemun.traefik.lower_filters import Refusal
from daemun.traefik.lower_services import Destination, lower_service
from daemun.traefik.lower_transports import Transports
from daemun.traefik.read import load_dynamic_text
from daemun.traefik.static import Static


def lowered(balancer: str) -> tuple[plan.Balanced, Destination, list[Problem]]:
    dynamic, problems = load_dynamic_text(f"http: {{services: {{s: {{loadBalancer: {balancer}}}}}}}", file="d.yml")
    assert problems == []
    transports = Transports(static=Static(), dynamic=Dynamic(), at_hand=AtHand(certificates={}))
    made = lower_service(dynamic.services["s@file"], transports)
    assert not isinstance(made, Refusal)
    service, destination, problems = made
    assert isinstance(service.kind, plan.Balanced)
    return service.kind, destination, problems


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("wrr", plan.RoundRobin()),
        ("P2C", plan.PowerOfTwo()),
        ("hrw", plan.IpHash()),
        ("leasttime", plan.LeastTime()),
        ("leastconn", plan.LeastConnections()),
        ("iphash", plan.IpHash()),
    ],
)
def test_strategies(name: str, strategy: plan.Strategy) -> None:
    """Traefik's names and ours."""
    assert lowered(f"{{strategy: {name}}}")[0].strategy == strategy


def test_endpoints() -> None:
    """Addresses, weights, sockets; equal addresses are told apart by ordinal; weight 0 is never used."""
    servers = "[{url: 'http://a'}, {url: 'http://a:80', weight: 3}, {url: 'unix:///s'}, {url: 'http://b', weight: 0}]"
    balanced, destination, _ = lowered(f"{{servers: {servers}}}")
    found = [(one.address, one.ordinal, one.weight, one.down) for one in balanced.endpoints]
    assert found == [("a:80", 0, 1, False), ("a:80", 1, 3, False), ("unix:/s", 0, 1, False), ("b:80", 0, 0, True)]
    assert destination == Destination(service="s@file", host=None, prefix="", flush_ms=100)


def test_a_dead_server_costs_no_client_an_error() -> None:
    """Unsent and reset requests go on, unsafe ones that were sent do not."""
    balanced, _, _ = lowered("{servers: []}")
    assert balanced.retry.on == (plan.Unsent(), plan.Error())
    assert not balanced.retry.non_idempotent
    assert balanced.retry.resend_on_stale
    assert balanced.rest.failures == 1
    assert balanced.rest.spare_single


@pytest.mark.parametrize(
    ("servers", "host"),
    [
        ("[{url: 'http://app'}]", (Literal("app"),)),
        ("[{url: 'http://app:81'}, {url: 'http://app:81'}]", (Literal("app:81"),)),
        ("[{url: 'http://a'}, {url: 'http://b'}]", (Variable.UPSTREAM_ADDRESS,)),
        ("[{url: 'unix:///s'}]", (Literal("localhost"),)),
    ],
)
def test_pass_host_header_false(servers: str, host: object) -> None:
    """The server's own name goes upstream as Host."""
    assert lowered(f"{{passHostHeader: false, servers: {servers}}}")[1].host == host


def test_preserve_path() -> None:
    """A URL's path counts only with preservePath; different ones in a service come later."""
    assert lowered("{servers: [{url: 'http://a/x'}]}")[1].prefix == ""
    assert lowered("{servers: [{url: 'http://a/x', preservePath: true}]}")[1].prefix == "/x"
    _, destination, problems = lowered("{servers: [{url: 'http://a/x', preservePath: true}, {url: 'http://b'}]}")
    assert destination.prefix == ""
    assert [problem.kind for problem in problems] == ["not_yet"]


def test_a_scheme_that_comes_later() -> None:
    """A server of such a scheme is left out and said."""
    balanced, _, [problem] = lowered("{servers: [{url: 'h2c://a'}, {url: 'http://b'}]}")
    assert [one.address for one in balanced.endpoints] == ["b:80"]
    assert (problem.kind, str(problem.place)) == ("not_yet", "d.yml:1:54")


def test_https() -> None:
    """A server at https is spoken to over TLS, at 443 unless its URL says otherwise, beside others in clear text."""
    balanced, _, problems = lowered("{servers: [{url: 'https://a'}, {url: 'https://a:8443'}, {url: 'http://b'}]}")
    assert problems == []
    assert [(one.address, one.scheme) for one in balanced.endpoints] == [
        ("a:443", plan.UpstreamScheme.HTTPS),
        ("a:8443", plan.UpstreamScheme.HTTPS),
        ("b:80", plan.UpstreamScheme.HTTP),
    ]
    assert balanced.transport == "traefik"
