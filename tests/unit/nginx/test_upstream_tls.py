"""`proxy_ssl_…`: TLS towards upstreams."""

from __future__ import annotations

import pytest

from daemun.plan import route, service
from daemun.plan.plan import Plan
from daemun.plan.template import Literal
from tests.kit.nginx_language import draft_of, messages, server


def tls_of(plan: Plan) -> service.UpstreamTls:
    """The TLS of the only proxying route: its own, else its service's."""
    [action] = [one.action for one in plan.routes.values() if isinstance(one.action, route.Proxy)]
    kind = plan.services[action.service].kind
    assert isinstance(kind, service.Balanced)
    tls = plan.transports[action.transport or kind.transport].tls
    assert tls is not None
    return tls


def test_defaults() -> None:
    """Nothing is verified, no name is sent; the name would be the one of proxy_pass without its port."""
    tls = tls_of(server("location / { proxy_pass https://a.test:8443; }"))
    assert (tls.verify, tls.send_name, tls.server_name, tls.roots) == (False, False, (Literal("a.test"),), ())


def test_an_upstream_over_tls() -> None:
    """Its name is the block's; the same block in clear text is another service."""
    plan = server(
        "location /a { proxy_pass https://app; } location /b { proxy_pass http://app; }",
        before="upstream app { server 127.0.0.1:9000; }",
    )
    schemes = {
        name: one.kind.endpoints[0].scheme
        for name, one in plan.services.items()
        if isinstance(one.kind, service.Balanced)
    }
    assert schemes == {"app": service.UpstreamScheme.HTTP, "app (https)": service.UpstreamScheme.HTTPS}


def test_what_is_verified_and_shown() -> None:
    """Roots and a pair are needs of the configuration."""
    draft = draft_of(
        "server { listen 80; proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_server_name on;"
        "proxy_ssl_name b.test; proxy_ssl_certificate c.crt; proxy_ssl_certificate_key c.key;"
        "location / { proxy_pass https://a.test; } }"
    )
    tls = tls_of(draft.whole)
    assert (tls.verify, tls.send_name, tls.server_name) == (True, True, (Literal("b.test"),))
    assert tls.roots == tuple(draft.needs.roots)
    assert [tls.certificate] == list(draft.needs.pairs)


@pytest.mark.parametrize("url", ["https://$host", "https://$arg_to", "$arg_url"])
def test_the_name_of_a_host_in_a_variable(url: str) -> None:
    """It is the endpoint's own: the engine knows it with the request."""
    plan = server(f"location / {{ proxy_ssl_name $proxy_host; proxy_pass {url}; }}")
    names = {one.tls.server_name for one in plan.transports.values() if one.tls is not None}
    assert names == {None}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("proxy_ssl_verify on;", "no proxy_ssl_trusted_certificate for proxy_ssl_verify"),
        ("proxy_ssl_name $host;", "the name cannot be a variable"),
        ("proxy_ssl_certificate a;", 'no "proxy_ssl_certificate_key" is defined for certificate "a"'),
    ],
)
def test_what_is_refused(more: str, message: str) -> None:
    """Each is said."""
    assert messages(f"server {{ listen 80; location / {{ {more} proxy_pass https://a; }} }}") == [message]
