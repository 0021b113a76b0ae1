"""Upgrade: WebSocket through a real uvicorn, and raw tunnels both ways (RFC 9110 section 7.8, RFC 6455)."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.kit.apps import ECHO
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Visit
from tests.kit.plans import plan
from tests.kit.uvicorn import Uvicorn
from tests.kit.waiting import until
from tests.kit.wire import Client

ASK = b"GET /chat?x=1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo/1\r\nX-Kept: 1\r\n\r\n"
AGREED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\nX-Said: 2\r\n\r\n"


def tunnel(visit: Visit) -> None:
    """Agrees to any upgrade and gives back what comes, to the end."""
    visit.read_head()
    visit.send(AGREED)
    while True:
        if visit.taken < len(visit.data):
            part = bytes(visit.data[visit.taken :])
            visit.taken += len(part)
            visit.send(part)
        visit.read_more()


def upgraded(client: Client) -> None:
    client.send(ASK)
    response = client.read_head()
    assert response.status == 101
    assert response.get("upgrade") == "echo/1"
    assert "upgrade" in (response.get("connection") or "").lower()
    assert response.get("x-said") == "2"


def test_websocket_through_uvicorn() -> None:
    """Text, binary and a large message go both ways; subprotocol, ping and close codes pass (RFC 6455)."""
    with Uvicorn(ECHO) as app, Engine(plan(app.address)) as engine:
        host, port = engine.tcp()
        with connect(f"ws://{host}:{port}/ws", subprotocols=["chat"], max_size=None, proxy=None) as ws:  # type: ignore[list-item]
            assert ws.subprotocol == "chat"
            ws.recv()
            ws.send("hello")
            assert ws.recv() == "olleh"
            ws.send(b"\0\xff" * 10)
            assert ws.recv() == b"\0\xff" * 10
            ws.send(b"x" * 5_000_000)
            assert ws.recv() == b"x" * 5_000_000
            assert ws.ping().wait(10)
            ws.close(1000)
            assert ws.close_code == 1000


def test_websocket_refused_by_the_application() -> None:
    """A WebSocket the application does not know gets its 403 as an ordinary answer."""
    with Uvicorn(ECHO) as app, Engine(plan(app.address)) as engine:
        host, port = engine.tcp()
        with pytest.raises(InvalidStatus) as caught:
            connect(f"ws://{host}:{port}/nothing", proxy=None)
        assert caught.value.response.status_code in (403, 404)


def test_request_of_an_upgrade() -> None:
    """Connection and Upgrade go upstream for an upgrade, and the other fields of the hop do not."""
    with gate(tunnel) as g:
        upgraded(g.client)
        head = g.origin.visit().data.decode()
        assert head.startswith("GET /chat?x=1 HTTP/1.1\r\n")
        fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in head.split("\r\n")[1:] if line}
        assert fields["upgrade"] == "echo/1"
        assert fields["connection"].lower() == "upgrade"
        assert fields["x-kept"] == "1"


def test_bytes_both_ways() -> None:
    """After 101 every byte passes as it is, both ways, any size."""
    with gate(tunnel) as g:
        upgraded(g.client)
        for data in (b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)), b"x" * 300_000):
            g.client.send(data)
            assert g.client.read_exactly(len(data)) == data


def test_bytes_sent_early() -> None:
    """Bytes that come with the request's head belong to the tunnel, and so do those that come with the 101."""

    def eager(visit: Visit) -> None:
        visit.read_head()
        visit.send(AGREED + b"first")
        assert visit.read_exactly(5) == b"early"
        visit.send(b"second")
        visit.read_to_end()

    with gate(eager) as g:
        g.client.send(ASK + b"early")
        assert g.client.read_head().status == 101
        assert g.client.read_exactly(11) == b"firstsecond"


def test_origin_speaks_first() -> None:
    """A tunnel in which the client says nothing still carries the origin's bytes."""

    def speaking(visit: Visit) -> None:
        visit.read_head()
        visit.send(AGREED)
        for number in range(3):
            visit.send(b"%d" % number)
        visit.read_to_end()

    with gate(speaking) as g:
        upgraded(g.client)
        assert g.client.read_exactly(3) == b"012"


def test_client_half_closes() -> None:
    """The client's end reaches the origin, which may still speak, and then the tunnel ends."""

    def last_word(visit: Visit) -> None:
        visit.read_head()
        visit.send(AGREED)
        visit.read_to_end()
        visit.send(b"last word")

    with gate(last_word) as g:
        upgraded(g.client)
        g.client.finish_writing()
        assert g.client.read_to_end() == b"last word"


def test_origin_half_closes() -> None:
    """The origin's end reaches the client, which may still speak, and then the tunnel ends."""

    def done(visit: Visit) -> None:
        visit.read_head()
        visit.send(AGREED)
        visit.finish_writing()
        visit.read_to_end()

    with gate(done) as g:
        upgraded(g.client)
        assert g.client.read_to_end() == b""
        g.client.send(b"still here")
        until(lambda: b"still here" in g.origin.received, what="the client's word")
        g.client.close()
        assert g.origin.visit().ended.wait(10)


def test_client_vanishes() -> None:
    """A client that resets ends the origin's side, and the engine forgets the tunnel."""
    with gate(tunnel) as g:
        upgraded(g.client)
        g.client.reset()
        assert g.origin.visit().ended.wait(10)
        until(lambda: sum(t["connections"] for t in g.engine.stats()["threads"]) == 0, what="no connection")


def test_upgrade_not_taken() -> None:
    """An origin that answers 200 to an upgrade: an ordinary exchange, and the connection goes on (RFC 9110 section 7.8)."""
    with gate() as g:
        g.client.send(ASK)
        assert g.client.read_response().status == 200
        assert json.loads(g.client.request("GET", "/next").body)["line"] == "GET /next HTTP/1.1"


def test_upgrade_not_allowed_by_the_route() -> None:
    """A route without `upgrade` forwards the request without Upgrade."""
    with gate(action={"upgrade": False}) as g:
        g.client.send(ASK)
        assert g.client.read_response().status == 200
        assert not g.origin.requests[0].all("upgrade")
        assert "upgrade" not in ",".join(g.origin.requests[0].all("connection")).lower()


def test_upgrade_without_connection() -> None:
    """Upgrade without `Connection: upgrade` is no upgrade and does not go upstream (RFC 9110 section 7.8)."""
    with gate() as g:
        assert g.client.request("GET", "/", "Upgrade: echo/1").status == 200
        assert not g.origin.requests[0].all("upgrade")


def test_h2c_upgrade_is_not_passed_on() -> None:
    """`Upgrade: h2c` is a hop's own matter: it would smuggle HTTP/2 past the engine (RFC 9113 section 3.1)."""
    with gate(tunnel) as g:
        g.client.send(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
        )
        until(lambda: b"\r\n\r\n" in g.origin.received, what="the request")
        assert b"h2c" not in g.origin.received
        assert b"http2-settings" not in g.origin.received.lower()


def test_http10_cannot_upgrade() -> None:
    """Upgrade in an HTTP/1.0 request is ignored (RFC 9110 section 7.8)."""
    with gate() as g:
        g.client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n")
        assert g.client.read_response().status == 200
        assert not g.origin.requests[0].all("upgrade")
