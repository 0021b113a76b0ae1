"""What a route says instead of its service, and what of a message it lets pass."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit, answering, raw
from tests.kit.plans import Json, plan, text, transport

HELD = {"buffer": {"memory": 16_384}}


def with_transport(address: str, other: Json, **action: Any) -> Json:
    whole = plan(address, action={"transport": "other", **action})
    whole["transports"]["other"] = other
    return whole


def test_method() -> None:
    """Another method goes upstream, the body with it."""
    with gate(action={"method": text("PURGE")}) as g:
        assert g.client.request("POST", "/x", body=b"abc").status == 200
        assert (g.origin.requests[0].method, g.origin.requests[0].body) == ("PURGE", b"abc")


def test_hidden_fields() -> None:
    """Hidden fields do not reach the client, whatever their case."""
    with gate(
        answering(b"ok", "X-Secret: 1", "SERVER: own", "X-Open: 2"), action={"hide": ["x-secret", "server"]}
    ) as g:
        response = g.client.request()
        assert (response.get("x-secret"), response.get("server"), response.get("x-open")) == (None, None, "2")


def test_http10_upstream() -> None:
    """HTTP/1.0 with `Connection: close`; a response without length ends with its connection."""

    def old(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.0 200 OK\r\n\r\nold times")

    with (
        Origin(old) as origin,
        Engine(with_transport(origin.address, transport(protocol="http10"))) as engine,
        engine.client() as client,
    ):
        for _ in range(2):
            assert client.request("POST", body=b"x").body == b"old times"
        for request in origin.requests:
            assert (request.version, request.get("connection"), request.body) == ("HTTP/1.0", "close", b"x")


@pytest.mark.parametrize("held", [True, False])
def test_chunks_to_http10(*, held: bool) -> None:
    """Chunks cannot go to HTTP/1.0: held, the body goes with its length; streamed, it is refused."""
    action = {"request_body": HELD} if held else {}
    with (
        Origin(answering(b"ok", "Connection: close")) as origin,
        Engine(with_transport(origin.address, transport(protocol="http10"), **action)) as engine,
        engine.client() as client,
    ):
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert client.read_response("POST").status == (200 if held else 501)
        assert [(r.body, r.get("content-length")) for r in origin.requests] == ([(b"abc", "3")] if held else [])


def test_times_of_the_route() -> None:
    """The route's transport says how long is waited, whatever the service's says."""

    def never(visit: Visit) -> None:
        visit.read_request()
        visit.read_to_end()

    with (
        Origin(never) as origin,
        Engine(with_transport(origin.address, transport(response_head_ms=300))) as engine,
        engine.client() as client,
    ):
        assert client.request().status == 504


@pytest.mark.parametrize("on", [[], [{"status": 503}]])
def test_retry_of_the_route(on: list[Any]) -> None:
    """The route's retries, whatever the service's are."""
    retry = {"on": on, "tries": 0, "timeout_ms": 0, "non_idempotent": False, "resend_on_stale": True}
    balance = {"retry": {"on": [] if on else [{"status": 503}]}}
    with (
        Origin(answering(b"no", status="503 No")) as one,
        Origin(answering(b"yes")) as other,
        Engine(plan(one.address, other.address, action={"retry": retry}, balance=balance)) as engine,
        engine.client() as client,
    ):
        assert client.request().status == (200 if on else 503)


@pytest.mark.parametrize("passes", [True, False])
def test_interim_responses(*, passes: bool) -> None:
    """103 goes on where the route says so."""
    script = raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with gate(script, action={"informational": passes}) as g:
        response = g.client.request()
        assert response.body == b"ok"
        assert [interim.status for interim in response.interim] == ([103] if passes else [])


@pytest.mark.parametrize("passes", [True, False])
def test_trailers(*, passes: bool) -> None:
    """Trailers go on both ways where the route says so."""
    script = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n")
    with gate(script, action={"trailers": passes}) as g:
        g.client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n"
        )
        response = g.client.read_response("POST")
        assert response.body == b"ok"
        assert response.trailers == ((("X-Sum", "2"),) if passes else ())
        assert g.origin.requests[0].trailers == ((("X-Sum", "3"),) if passes else ())
