"""Bodies that nobody reads to their end never become the next request: the quiet way to smuggle one (RFC 9112 section 9.3).

In each case a client's body holds what looks like a request, and the answer comes before the body is over. The engine
may close or read on; the origin must never see that request.
"""

from __future__ import annotations

import contextlib

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import Gate, gate
from tests.kit.origin import Origin, Visit, raw
from tests.kit.plans import plan, policy, route, text
from tests.kit.waiting import until
from tests.kit.wire import Closed

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def rest_then_next(g: Gate, rest: bytes, *, closes: bool) -> None:
    """Sends the rest of the body and a good request; whatever becomes of it, nothing was smuggled."""
    with contextlib.suppress(OSError):
        g.client.send(rest)
        g.client.send(b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    if closes:
        g.client.assert_ended()
    else:
        assert g.client.read_response().status == 200
    targets = [r.line.split(" ")[1] for r in g.origin.requests]
    assert "/smuggled" not in targets
    for visit in g.origin.visits:
        assert not visit.data.startswith(SMUGGLED)


@pytest.mark.parametrize("say_close", [False, True])
def test_early_answer_of_the_origin(*, say_close: bool) -> None:
    """The origin answers after the head, with or without `close`; the rest of the body comes later."""

    def early(visit: Visit) -> None:
        while True:
            head = visit.read_head()
            visit.answer(b"early", *(["Connection: close"] if say_close else []))
            if head.get("content-length"):
                visit.read_exactly(int(head.get("content-length") or 0))
            visit.requests.append(head)

    with gate(early) as g:
        g.client.send(b"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\nfirst" % (5 + len(SMUGGLED)))
        response = g.client.read_response()
        assert response.body == b"early"
        rest_then_next(g, SMUGGLED, closes=response.closes)


def test_unfinished_upstream_connection_is_not_used_again() -> None:
    """An upstream connection whose request was not sent whole serves nobody else: its origin would take a head for a body."""

    def early(visit: Visit) -> None:
        visit.read_head()
        visit.answer(b"early")
        visit.read_to_end()

    with gate(early) as g:
        g.client.send(b"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nfirst")
        assert g.client.read_response().body == b"early"
        g.client.close()
        with g.engine.client() as other:
            assert other.request("GET", "/other").body == b"early"
        assert b"/other" not in g.origin.visits[0].data


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_answer_of_our_own(framing: str) -> None:
    """A route that answers by itself reads no body: what follows in it is no request."""
    own = {"own": route({"respond": {"status": 200, "headers": [], "body": text("own")}})}
    rules = [{"match": {"path": "/own"}, "route": "own"}, {"match": "always", "route": "app"}]
    head = b"Content-Length: %d" % len(SMUGGLED) if framing == "length" else b"Transfer-Encoding: chunked"
    body = SMUGGLED if framing == "length" else b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    with gate(rules=rules, routes=own) as g:
        g.client.send(b"POST /own HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % head)
        response = g.client.read_response()
        assert response.body == b"own"
        rest_then_next(g, body, closes=response.closes)


@pytest.mark.parametrize("at_once", [False, True])
def test_no_route(*, at_once: bool) -> None:
    """The same for 404, with the body in the same packet or after."""
    with gate(rules=[{"match": {"path": "/next"}, "route": "app"}]) as g:
        head = b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
        g.client.send(head + (SMUGGLED if at_once else b""))
        response = g.client.read_response()
        assert response.status == 404
        rest_then_next(g, b"" if at_once else SMUGGLED, closes=response.closes)


def test_expectation_that_is_answered_at_once() -> None:
    """A client that waits for 100 and gets 404 may send its body or not: the engine must not guess (RFC 9110 section 10.1.1)."""
    with gate(rules=[{"match": {"path": "/next"}, "route": "app"}]) as g:
        g.client.send(
            b"POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
        )
        response = g.client.read_response()
        assert response.status == 404
        rest_then_next(g, SMUGGLED, closes=response.closes)


def test_refused_body_with_more_behind_it() -> None:
    """413 for a length beyond the limit ends the connection; nothing behind it is run."""
    with gate(http=policy(limits={"body_bytes": 10})) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n" + SMUGGLED)
        assert g.client.read_response().status == 413
        g.client.assert_ended()
        assert g.origin.received == b""


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\nhello"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\nhello"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ],
)
def test_body_where_none_may_be(method: str, answer: bytes) -> None:
    """An origin that sends a body with an answer that has none: the client sees none of it, the connection is given up."""
    with gate(raw(answer)) as g:
        for number in range(3):
            response = g.client.request(method)
            assert response.status == int(answer[9:12])
            until(lambda n=number: len(g.origin.visits) > n, what="a connection of its own")  # type: ignore[misc]
        assert bytes(g.client.buffer) == b""


def test_upgrade_with_a_body() -> None:
    """A request with a body that asks for an upgrade: the body goes first, then the tunnel (RFC 9110 section 7.8)."""

    def agree(visit: Visit) -> None:
        assert visit.read_request().body == b"body"
        visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        visit.send(visit.read_exactly(5))
        visit.read_to_end()

    with gate(agree) as g:
        g.client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\nbody"
        )
        assert g.client.read_head().status == 101
        g.client.send(b"bytes")
        assert g.client.read_exactly(5) == b"bytes"


def test_request_behind_a_declined_upgrade() -> None:
    """What is pipelined behind an upgrade that the origin declines is an ordinary request."""
    with gate() as g:
        upgrade = b"GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
        g.client.send(upgrade + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [g.client.read_response().status for _ in range(2)] == [200, 200]
        assert [r.target for r in g.origin.requests] == ["/up", "/next"]


def test_endless_pipeline() -> None:
    """A client that only sends requests and reads nothing is stopped, in bounded memory."""
    with (
        Origin(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)) as origin,
        Engine(plan(origin.address)) as engine,
        engine.client(receive_buffer=4_096) as client,
    ):
        client.socket.settimeout(3)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64 << 20:
                sent += client.socket.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        assert sent < 32 << 20
        assert engine.memory_peak() <= 64 << 20


def test_early_answer_then_client_leaves() -> None:
    """A client that gets an early answer and goes away leaves nothing running."""

    def early(visit: Visit) -> None:
        visit.read_head()
        visit.answer(b"early")
        visit.read_to_end()

    with gate(early) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        with contextlib.suppress(Closed):
            g.client.read_response()
        g.client.close()
        assert g.origin.visit().ended.wait(10)
        until(lambda: sum(t["exchanges"] for t in g.engine.stats()["threads"]) == 0, what="no exchange")
