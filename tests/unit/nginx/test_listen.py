"""`listen`: addresses, ports, sockets, and what they share."""

from __future__ import annotations

import pytest

from daemun.plan.listener import Bind, Protocol, Tcp, Unix
from tests.kit.nginx_language import messages, plan_of


@pytest.mark.parametrize(
    ("written", "bind"),
    [
        ("80", Tcp(host="0.0.0.0", port=80)),
        ("*:81", Tcp(host="0.0.0.0", port=81)),
        ("127.0.0.1", Tcp(host="127.0.0.1", port=80)),
        ("127.0.0.1:82", Tcp(host="127.0.0.1", port=82)),
        ("localhost:83", Tcp(host="127.0.0.1", port=83)),
        ("[::1]:84", Tcp(host="::1", port=84)),
        ("[::]:85", Tcp(host="::", port=85)),
        ("[::]:86 ipv6only=off", Tcp(host="", port=86)),
        ("unix:/run/n.sock", Unix(path="/run/n.sock", mode=0o666)),
    ],
)
def test_addresses(written: str, bind: Bind) -> None:
    """A port, an address, a name, IPv6 alone or with IPv4, a Unix socket."""
    assert bind in [one.bind for one in plan_of(f"server {{ listen {written}; }}").listeners.values()]


def test_a_range_of_ports() -> None:
    """Each is an address of its own."""
    plan = plan_of("server { listen 127.0.0.1:9000-9002; }")
    assert list(plan.listeners) == ["127.0.0.1:9000", "127.0.0.1:9001", "127.0.0.1:9002"]


def test_what_is_said_of_an_address_holds_for_all_its_servers() -> None:
    """TLS, HTTP/2, the PROXY protocol and the backlog, whoever says so."""
    plan = plan_of(
        "ssl_certificate a.crt; ssl_certificate_key a.key;"
        "server { listen 443 backlog=99; } server { listen 443 ssl; http2 on; } server { listen 443 proxy_protocol; }"
    )
    [listener] = plan.listeners.values()
    assert listener.tls is not None
    assert listener.protocols == (Protocol.HTTP1, Protocol.HTTP2)
    assert listener.proxy_protocol is not None
    assert listener.backlog == 99


def test_what_the_engine_chooses_itself() -> None:
    """Options of sockets are accepted."""
    assert messages("server { listen 80 reuseport deferred so_keepalive=on rcvbuf=8k fastopen=16 bind; }") == []


@pytest.mark.parametrize("written", ["0", "65536", "127.0.0.1:http", "80-79"])
def test_ports_that_are_none(written: str) -> None:
    """They are said as nginx says them."""
    assert messages(f"server {{ listen {written}; }}") == [f'invalid port in "{written}" of the "listen" directive']
