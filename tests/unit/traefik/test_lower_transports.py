"""Servers transports: timeouts, idle connections, TLS towards servers, and what is not served with less."""

from __future__ import annotations

import pytest

from daemun.errors import Problem
from daemun.needs import AtHand, pair_id, roots_id
from daemun.plan.plan import Plan
from daemun.plan.service import UpstreamTls
from daemun.plan.template import Literal
from daemun.traefik.lower import lower
from daemun.traefik.read import load_dynamic_text, load_static

STATIC = "entryPoints: {web: {address: ':80'}}\nproviders: {file: {filename: x}}\n"
PLAIN_VERIFIED = UpstreamTls(verify=True, send_name=True, server_name=None, roots=(), certificate=None)


def plan_of(
    transport: str, *, uses: str = "t", url: str = "https://a", static: str = "", at_hand: AtHand | None = None
) -> tuple[Plan, list[Problem]]:
    text = (
        "http:\n  routers: {r: {rule: Path(`/`), service: s}}\n"
        f"  services: {{s: {{loadBalancer: {{serversTransport: '{uses}', servers: [{{url: '{url}'}}]}}}}}}\n"
        f"  serversTransports: {{t: {transport}}}\n"
    )
    dynamic, problems = load_dynamic_text(text, file="d.yml")
    made, more = lower(load_static(STATIC + static, file="t.yml")[0], dynamic, hostname="gate", at_hand=at_hand)
    return made, [*problems, *more]


def test_defaults() -> None:
    """200 idle connections for 90 s, 30 s to connect, nothing else; unsafe requests only on fresh ones; no TLS."""
    plan, problems = plan_of("{}", uses="", url="http://a")
    assert problems == []
    transport = plan.transports["traefik"]
    assert (transport.connect_ms, transport.response_head_ms, transport.tls) == (30_000, 0, None)
    assert (transport.pool.max_idle, transport.pool.idle_ms, transport.pool.unsafe_idle_ms) == (200, 90_000, 3_000)


def test_https_by_default() -> None:
    """A server at https is verified by the system's roots for the name in its URL."""
    plan, _ = plan_of("{}", uses="")
    assert plan.transports["traefik"].tls == PLAIN_VERIFIED


def test_every_option() -> None:
    """Each arrives; HTTP/2's own are read and mean nothing."""
    plan, problems = plan_of(
        "{serverName: b.org, rootCAs: [ca.pem], certificates: [{certFile: c, keyFile: k}], disableHTTP2: true,"
        " maxIdleConnsPerHost: 7, forwardingTimeouts: {dialTimeout: 1s, responseHeaderTimeout: 2s,"
        " idleConnTimeout: 3s, readIdleTimeout: 4s, pingTimeout: 5s}}"
    )
    assert problems == []
    transport = plan.transports["t@file"]
    assert (transport.connect_ms, transport.response_head_ms, transport.pool.idle_ms) == (1000, 2000, 3000)
    assert transport.pool.max_idle == 7
    shown = pair_id("c", "k")
    assert transport.tls == UpstreamTls(
        verify=True, send_name=True, server_name=(Literal("b.org"),), roots=(roots_id("ca.pem"),), certificate=shown
    )
    assert list(plan.certificates) == [shown]


@pytest.mark.parametrize(("written", "kept"), [(0, 2), (-1, 0), (5, 5)])
def test_idle_connections(written: int, kept: int) -> None:
    """Go keeps two when it is told 0, and none below."""
    plan, _ = plan_of(f"{{maxIdleConnsPerHost: {written}}}")
    assert plan.transports["t@file"].pool.max_idle == kept


def test_without_verification() -> None:
    """insecureSkipVerify is what it says, in the static configuration too."""
    plan, _ = plan_of("{insecureSkipVerify: true}")
    tls = plan.transports["t@file"].tls
    assert tls is not None
    assert not tls.verify
    plan, _ = plan_of("{}", uses="", static="serversTransport: {insecureSkipVerify: true, rootCAs: ca.pem}\n")
    tls = plan.transports["traefik"].tls
    assert tls is not None
    assert (tls.verify, tls.roots) == (False, (roots_id("ca.pem"),))


def test_tls_only_for_servers_at_https() -> None:
    """A transport that only clear text uses has none, whatever it says."""
    plan, problems = plan_of("{rootCAs: [ca.pem]}", url="http://a", at_hand=AtHand(certificates={}))
    assert problems == []
    assert plan.transports["t@file"].tls is None


@pytest.mark.parametrize(
    ("transport", "uses", "words", "severity"),
    [
        ("{}", "tt", "there is no serversTransport 'tt'", "error"),
        ("{}", "t@docker", "no provider 'docker'", "error"),
        ("{serverNam: x}", "t", "has errors of its own", "error"),
        ("{peerCertURI: x}", "t", "peerCertURI of its serversTransport comes later", "warning"),
        ("{minVersion: VersionTLS13}", "t", "minVersion of its serversTransport comes later", "warning"),
        ("{rootCAs: [ca.pem]}", "t", "the rootCAs of its serversTransport cannot be used", "error"),
        ("{certificates: [{certFile: c, keyFile: k}]}", "t", "the certificate of its serversTransport", "error"),
    ],
)
def test_never_with_less(transport: str, uses: str, words: str, severity: str) -> None:
    """A service whose transport cannot be had is not served; it is said at the service and at the router."""
    plan, problems = plan_of(transport, uses=uses, at_hand=AtHand(certificates={}))
    assert plan.services == {}
    assert plan.routes == {}
    found = [problem for problem in problems if words in problem.message]
    assert [problem.severity for problem in found] == [severity, severity]
    assert [str(problem.place).startswith(f"d.yml:{line}:") for problem, line in zip(found, (3, 2), strict=True)] == [
        True,
        True,
    ]


def test_more_than_one_certificate() -> None:
    """The first is shown, and it is said."""
    _, [problem] = plan_of("{certificates: [{certFile: c, keyFile: k}, {certFile: d, keyFile: k}]}")
    assert (problem.kind, "the first one is shown" in problem.message) == ("not_yet", True)
