"""X-Forwarded-* and X-Real-Ip exactly as COMPAT.md says, and what a real uvicorn makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.kit.apps import ECHO
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Request
from tests.kit.plans import FORWARDED, plan, policy
from tests.kit.uvicorn import Uvicorn

SPOOFED = [
    "X-Forwarded-For: 9.9.9.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.test",
    "X-Forwarded-Port: 1",
    "X-Forwarded-Server: evil",
    "X-Real-Ip: 8.8.8.8",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-Uri: /evil",
    "X-Forwarded-Method: EVIL",
    "X-Forwarded-Tls-Client-Cert: evil",
    "X-Forwarded-Tls-Client-Cert-Info: evil",
]


def family(request: Request) -> dict[str, str]:
    """The fields in question as the origin got them; each at most once."""
    names = {n.lower() for n, _ in request.headers if n.lower().startswith("x-forwarded") or n.lower() == "x-real-ip"}
    return {name: request.get(name) or "" for name in names}


PLAIN = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "example.org",
    "x-forwarded-port": "80",
    "x-forwarded-proto": "http",
    "x-forwarded-server": "gate.test",
    "x-real-ip": "127.0.0.1",
}


def test_plain_request() -> None:
    """The whole family, and nothing else."""
    with gate() as g:
        g.client.request()
        assert family(g.origin.requests[0]) == PLAIN


def test_port_of_host() -> None:
    """X-Forwarded-Port is the port in Host; X-Forwarded-Host is Host as it came."""
    with gate() as g:
        g.client.request(host="Example.org:8443")
        assert family(g.origin.requests[0]) == {
            **PLAIN,
            "x-forwarded-host": "Example.org:8443",
            "x-forwarded-port": "8443",
        }


def test_spoofed_fields_are_replaced() -> None:
    """What an untrusted client says of itself is dropped, in every spelling."""
    underscores = [s.replace("-", "_", s.split(":")[0].count("-")) for s in SPOOFED]
    with gate() as g:
        g.client.request("GET", "/", *SPOOFED, *[s.upper() for s in SPOOFED], *underscores)
        request = g.origin.requests[0]
        assert family(request) == PLAIN
        assert b"9.9.9.9" not in request.head
        assert b"evil" not in request.head.lower()
        assert b"X_" not in request.head


def test_underscores_of_others_are_kept_or_dropped() -> None:
    """Other fields with an underscore stay, unless the policy drops them (nginx)."""
    with gate() as g:
        g.client.request("GET", "/", "my_field: 1")
        assert g.origin.requests[0].get("my_field") == "1"
    with gate(http=policy(tolerate={"underscores": "drop"})) as g:
        g.client.request("GET", "/", "my_field: 1", "kept: 1")
        assert not g.origin.requests[0].all("my_field")
        assert g.origin.requests[0].get("kept") == "1"


@pytest.mark.parametrize(
    "trust", [{"trust_all": True}, {"trusted": ["127.0.0.0/8"]}, {"trusted": ["10.0.0.0/8", "127.0.0.1"]}]
)
def test_trusted_peers_are_believed(trust: dict[str, Any]) -> None:
    """From a trusted peer every field stays, X-Forwarded-For grows by the peer, the server is ours."""
    with gate(http=policy(forwarded=trust)) as g:
        g.client.request("GET", "/", *SPOOFED)
        got = family(g.origin.requests[0])
        assert got["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"
        assert got["x-forwarded-proto"] == "https"
        assert got["x-forwarded-host"] == "evil.test"
        assert got["x-forwarded-port"] == "1"
        assert got["x-forwarded-server"] == "gate.test"
        assert got["x-real-ip"] == "8.8.8.8"
        assert got["x-forwarded-prefix"] == "/evil"


def test_several_lines_are_joined() -> None:
    """Several X-Forwarded-For lines become one, joined by `, `, the peer last."""
    with gate(http=policy(forwarded={"trust_all": True})) as g:
        g.client.request("GET", "/", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2, 3.3.3.3")
        assert g.origin.requests[0].get("x-forwarded-for") == "1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1"


def test_trusted_range_is_per_listener_and_by_address() -> None:
    """Only addresses in the range are trusted: 127.0.0.2 is, 127.0.0.3 is not."""
    with (
        Origin() as origin,
        Engine(plan(origin.address, http=policy(forwarded={"trusted": ["127.0.0.2/32"]}))) as engine,
    ):
        for source, expected in (("127.0.0.2", "9.9.9.9, 127.0.0.2"), ("127.0.0.3", "127.0.0.3")):
            with engine.client(source=source) as client:
                client.request("GET", "/", "X-Forwarded-For: 9.9.9.9")
            assert origin.requests[-1].get("x-forwarded-for") == expected


def test_port_follows_a_trusted_proto() -> None:
    """X-Forwarded-Proto https from a trusted peer, no port in Host: 443."""
    with gate(http=policy(forwarded={"trust_all": True})) as g:
        g.client.request("GET", "/", "X-Forwarded-Proto: https")
        assert family(g.origin.requests[0])["x-forwarded-port"] == "443"


def test_not_appending() -> None:
    """`append_for` false leaves X-Forwarded-For as it is."""
    add = {"server": "gate.test", "append_for": False, "websocket_proto": True}
    with gate(http=policy(forwarded={"trust_all": True, "add": add})) as g:
        g.client.request("GET", "/", "X-Forwarded-For: 9.9.9.9")
        assert g.origin.requests[0].get("x-forwarded-for") == "9.9.9.9"


def test_nothing_is_added_when_the_policy_says_so() -> None:
    """nginx's way: nothing added, nothing stripped."""
    with gate(http=policy(forwarded={"add": None, "strip": []})) as g:
        g.client.request("GET", "/", "X-Forwarded-For: 9.9.9.9")
        assert family(g.origin.requests[0]) == {"x-forwarded-for": "9.9.9.9"}


def test_websocket_proto() -> None:
    """A WebSocket upgrade has X-Forwarded-Proto ws, and port 80; http where the policy does not want it."""
    upgrade = [
        "Connection: Upgrade",
        "Upgrade: WebSocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with gate() as g:
        g.client.request("GET", "/", *upgrade)
        assert family(g.origin.requests[0]) == {**PLAIN, "x-forwarded-proto": "ws"}
    add = {"server": "gate.test", "append_for": True, "websocket_proto": False}
    with gate(http=policy(forwarded={"add": add})) as g:
        g.client.request("GET", "/", *upgrade)
        assert family(g.origin.requests[0])["x-forwarded-proto"] == "http"


def test_connection_cannot_remove_the_family() -> None:
    """Naming our own fields in Connection does not take them from the origin."""
    with gate() as g:
        g.client.request("GET", "/", "Connection: " + ", ".join([*FORWARDED, "x-mine"]), "X-Mine: 1")
        assert family(g.origin.requests[0]) == PLAIN
        assert not g.origin.requests[0].all("x-mine")


def test_no_host_no_forwarded_host() -> None:
    """An HTTP/1.0 request without Host still says who asked."""
    with gate() as g:
        g.client.send(b"GET / HTTP/1.0\r\n\r\n")
        g.client.read_response()
        got = family(g.origin.requests[0])
        assert got["x-forwarded-for"] == "127.0.0.1"
        assert got["x-real-ip"] == "127.0.0.1"


@pytest.mark.parametrize("unix", [False, True])
def test_uvicorn_sees_the_client(*, unix: bool) -> None:
    """A real uvicorn with --proxy-headers sees the client's address and scheme; over a Unix socket with allow-ips '*'."""
    allow = "*" if unix else "127.0.0.1"
    forwarded = policy(forwarded={"trusted": ["127.0.0.9"]})
    with (
        Uvicorn(ECHO, "--proxy-headers", "--forwarded-allow-ips", allow, unix=unix) as app,
        Engine(plan(app.address, http=forwarded)) as engine,
    ):
        with engine.client(source="127.0.0.7") as client:
            told = json.loads(
                client.request("GET", "/who", "X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https").body
            )
            assert (told["client"][0], told["scheme"]) == ("127.0.0.7", "http")
        with engine.client(source="127.0.0.9") as client:
            told = json.loads(
                client.request("GET", "/who", "X-Forwarded-For: 8.8.8.8", "X-Forwarded-Proto: https").body
            )
            assert told["scheme"] == "https"
            assert told["client"][0] in ("8.8.8.8", "127.0.0.9")
        host, port = engine.tcp()
        with connect(f"ws://{host}:{port}/ws", proxy=None) as ws:
            told = json.loads(ws.recv())
            assert (told["client"][0], told["scheme"]) == ("127.0.0.1", "ws")
