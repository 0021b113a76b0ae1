"""A request's body that is whole before it goes on: in memory, then in a file without a name (nginx's request buffering)."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate, http2_gate
from tests.kit.origin import Origin, Visit, answering, once_each
from tests.kit.plans import plan, policy
from tests.kit.waiting import until

HELD: dict[str, Any] = {"request_body": {"buffer": {"memory": 16_384}}}
BODY = bytes(range(256)) * 20_000
"""5 MB: most of it is the file's."""


OK = answering(b"ok")


def _asked(engine: Engine) -> int:
    requests: int = engine.stats()["services"]["app"][0]["requests"]
    return requests


def test_an_endpoint_does_not_wait_for_a_slow_client() -> None:
    """Nothing is asked of an endpoint before the last byte has come; then it gets all of it with its length."""
    with gate(OK, action=HELD) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY[:-1])
        until(lambda: g.engine.nameless_files() == 1, what="the body to be put into a file")
        assert _asked(g.engine) == 0
        assert g.origin.visits == []
        g.client.send(BODY[-1:])
        assert g.client.read_response().status == 200
        (request,) = g.origin.requests
        assert request.body == BODY
        assert request.get("content-length") == str(len(BODY))
        until(lambda: g.engine.nameless_files() == 0, what="the file to be closed")


@pytest.mark.parametrize("size", [0, 1, 10_000, 16_384, 16_385, 5_000_000])
def test_chunked_goes_on_with_its_length(size: int) -> None:
    """A body in chunks reaches the endpoint in one piece, its length said, its trailers dropped."""
    body = (BODY * 2)[:size]
    with gate(OK, action=HELD) as g:
        parts = [body[at : at + 70_000] for at in range(0, size, 70_000)]
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            g.client.send(b"%x\r\n%s\r\n" % (len(part), part))
        g.client.send(b"0\r\nX-Sum: 1\r\n\r\n")
        assert g.client.read_response().status == 200
        (request,) = g.origin.requests
        assert request.get("transfer-encoding") is None
        assert request.get("content-length") == str(size)
        assert request.body == body
        assert g.client.request().status == 200


def test_small_bodies_use_no_file() -> None:
    """What memory holds never touches a disk: it works with a directory that is not there."""
    with Origin(OK) as origin, Engine(plan(origin.address, action=HELD), options=["--temp-dir", "/nowhere"]) as engine:
        with engine.client() as client:
            assert client.request("POST", body=BODY[:16_000]).status == 200
        with engine.client() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n" + BODY[:20_000])
            assert client.read_response().status == 500
            assert engine.stats()["faults"] == {"internal": 1}


def test_expectation_is_answered_here() -> None:
    """100 comes from the engine, before any endpoint was asked, and the endpoint sees no Expect."""
    with gate(OK, action=HELD) as g:
        g.client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert g.client.read_head().status == 100
        assert _asked(g.engine) == 0
        g.client.send(b"hello")
        assert g.client.read_response().status == 200
        assert g.origin.requests[0].get("expect") is None
        assert g.origin.requests[0].body == b"hello"


@pytest.mark.parametrize("size", [100, 5_000_000])
def test_a_body_is_sent_again(size: int) -> None:
    """An endpoint that takes all of it and closes: another gets the whole again, from memory and file."""

    def closing(visit: Visit) -> None:
        visit.read_request()

    balance = {"retry": {"on": ["unsent", "error"]}}
    with (
        Origin(closing) as first,
        Origin(OK) as second,
        Engine(plan(first.address, second.address, action=HELD, balance=balance)) as engine,
        engine.client() as client,
    ):
        assert client.request("PUT", body=BODY[:size]).status == 200
        assert first.requests[0].body == second.requests[0].body == BODY[:size]


def test_an_endpoint_that_answers_early() -> None:
    """An endpoint that answers and reads nothing of a body in a file: the answer arrives, and the next request is served."""

    def early(visit: Visit) -> None:
        visit.read_head()
        visit.answer(b"no", "Connection: close", status="413 Too Large")
        visit.read_to_end()

    with gate(once_each(early, OK), action=HELD) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        assert g.client.read_response().status == 413
        assert g.client.request().status == 200
        until(lambda: g.engine.nameless_files() == 0, what="the file to be closed")


def test_limits_hold() -> None:
    """A body over its limit is refused while it is collected; nobody was asked."""
    with gate(OK, action=HELD, http=policy(limits={"body_bytes": 100_000})) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        g.client.send(b"%x\r\n%s\r\n" % (100_001, BODY[:100_001]))
        assert g.client.read_response().status == 413
        assert g.origin.visits == []


def test_a_client_that_stops_sending() -> None:
    """408 when the body does not come in time; a client that leaves is nobody's fault but its own."""
    with gate(OK, action=HELD, http=policy(timeouts={"body_idle_ms": 300})) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + BODY[:50_000])
        assert g.client.read_response().status == 408
        with g.engine.client() as leaving:
            leaving.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + BODY[:50_000])
        until(lambda: g.engine.stats()["faults"].get("client_gone") == 1, what="the leaving client to be noticed")
        until(lambda: g.engine.nameless_files() == 0, what="the files to be closed")
        assert g.origin.visits == []


def test_malformed_chunks_reach_nobody() -> None:
    """Framing that is refused in the middle of a body: 400, and no endpoint has seen a byte of it."""
    with gate(OK, action=HELD) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n")
        assert g.client.read_response().status == 400
        assert g.origin.visits == []


def test_memory_stays() -> None:
    """Twenty bodies of 20 MB at once: what memory holds of each is bounded."""
    big = BODY * 4
    with Origin(OK) as origin, Engine(plan(origin.address, action=HELD)) as engine, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(engine.client()) for _ in range(20)]
        for client in clients:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(big))
            client.send(big[:-1])
        until(lambda: engine.nameless_files() == 20, what="every body to be in a file")
        assert engine.memory_peak() <= 48 << 20
        assert origin.visits == []


@pytest.mark.parametrize("length", [True, False], ids=["length", "frames"])
@pytest.mark.parametrize("size", [1_000, 5_000_000])
def test_http2(size: int, *, length: bool) -> None:
    """A stream's body the same way: whole, with its length."""
    body = BODY[:size]
    fields = [("content-length", str(size))] if length else []
    with http2_gate(OK, action=HELD) as g:
        stream = g.client.ask("POST", "/", *fields, body=body)
        assert stream.status == 200
        (request,) = g.origin.requests
        assert hashlib.sha256(request.body).digest() == hashlib.sha256(body).digest()
        assert request.get("content-length") == str(size)


@pytest.mark.parametrize("held", [True, False], ids=["buffer", "stream"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_does_not_go_on(framing: str, *, held: bool) -> None:
    """`pass_body` off: the endpoint gets a request without a body, and the connection serves the next request."""
    with gate(OK, action={**(HELD if held else {}), "pass_body": False}) as g:
        if framing == "length":
            g.client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + BODY[:50_000])
        else:
            g.client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            g.client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (50_000, BODY[:50_000]))
        assert g.client.read_response().status == 200
        assert g.client.request("GET", "/b").status == 200
        first, second = g.origin.requests
        assert (first.method, first.body) == ("POST", b"")
        assert first.get("content-length") is None
        assert first.get("transfer-encoding") is None
        assert second.target == "/b"
        assert g.engine.nameless_files() == 0


def test_only_the_plans_own_fields() -> None:
    """`pass_headers` off: of the client's fields none goes on, of the filters' all."""
    own = [{"set": {"name": "X-Own", "value": [{"header": "x-theirs"}]}}]
    fields = {"filters": {"own": {"request_headers": own}}}
    whole = plan("127.0.0.1:1", action={**HELD, "pass_headers": False}, **fields)
    whole["routes"]["app"]["filters"] = ["own"]
    whole["http"]["policy"]["forwarded"] = {**whole["http"]["policy"]["forwarded"], "add": None}
    with Origin(OK) as origin:
        whole["services"]["app"]["kind"]["balanced"]["endpoints"][0]["address"] = origin.address
        with Engine(whole) as engine, engine.client() as client:
            assert client.request("POST", "/", "X-Theirs: 1", "Cookie: a=b", body=b"abc").status == 200
            names = [name.lower() for name, _ in origin.requests[0].headers]
            assert names == ["host", "x-own", "content-length"]
            assert origin.requests[0].get("x-own") == "1"
