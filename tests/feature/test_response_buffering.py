"""A response read ahead of a slow client: in memory, then in a file without a name, then it waits (nginx's buffering)."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate, http2_gate
from tests.kit.origin import Gone, Origin, Visit, answering, once_each
from tests.kit.plans import plan, proxy, route, service
from tests.kit.secured import AUTHORITY, secured
from tests.kit.waiting import until
from tests.kit.wire import Closed

AHEAD: dict[str, Any] = {"response_body": {"ahead": {"memory": 65_536, "file": 1 << 30}}}
BODY = bytes(range(256)) * 80_000
"""20 MB: more than sockets hold."""
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def _in_chunks(visit: Visit) -> None:
    visit.read_request()
    visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
    for at in range(0, len(BODY), 100_000):
        part = BODY[at : at + 100_000]
        visit.send(b"%x\r\n%s\r\n" % (len(part), part))
    visit.send(b"0\r\nX-Sum: 1\r\n\r\n")
    answering(b"next")(visit)


def _with_length(visit: Visit) -> None:
    visit.read_request()
    visit.answer(BODY)
    answering(b"next")(visit)


def _until_close(visit: Visit) -> None:
    visit.read_request()
    visit.send(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)


def _in_flight(engine: Engine) -> int:
    count: int = engine.stats()["services"]["app"][0]["in_flight"]
    return count


@pytest.mark.parametrize("script", [_with_length, _in_chunks, _until_close])
def test_an_endpoint_does_not_wait_for_a_slow_client(script: Any) -> None:
    """The endpoint gets rid of everything and is free while the client has read nothing; the client gets every byte."""
    with (
        Origin(script) as origin,
        Engine(plan(origin.address, action=AHEAD), threads=1) as engine,
        engine.client(receive_buffer=65_536) as client,
    ):
        client.send(GET)
        until(lambda: len(origin.visits) == 1, what="the request at the origin")
        until(lambda: _in_flight(engine) == 0, what="the endpoint to be free")
        assert engine.nameless_files() == 1
        if script is not _until_close:
            with engine.client() as other:
                assert other.request().text == "next"
            assert len(origin.visits) == 1, "its connection was used again"
        response = client.read_response()
        assert response.body == BODY
        assert response.trailers == ((("X-Sum", "1"),) if script is _in_chunks else ())
        until(lambda: engine.nameless_files() == 0, what="the file to be closed")
        if script is not _until_close:
            assert client.request().text == "next"


def test_a_fast_client_costs_no_file() -> None:
    """A client that reads gets everything although no file can be made."""
    options = ["--temp-dir", "/nowhere"]
    whole = {"response_body": {"ahead": {"memory": 64 << 20, "file": 1 << 30}}}
    with (
        Origin(_with_length) as origin,
        Engine(plan(origin.address, action=whole), options=options) as engine,
        engine.client() as client,
    ):
        client.send(GET)
        assert client.read_response().body == BODY
        assert client.request().text == "next"


def _endless(counted: list[int]) -> Any:
    def script(visit: Visit) -> None:
        visit.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n" + b"X-Accel-Buffering: no\r\n\r\n")
        visit.socket.settimeout(2)
        try:
            while True:
                counted[0] += visit.socket.send(BODY[:1_000_000])
        except TimeoutError:
            counted[1] = 1
            visit.read_to_end()
        except OSError as error:
            raise Gone from error

    return script


@pytest.mark.parametrize(("file", "least"), [(0, 0), (40 << 20, 40 << 20)], ids=["memory", "file"])
def test_its_limits_hold(file: int, least: int) -> None:
    """Over the limits of memory and file the endpoint waits, and memory stays small."""
    counted = [0, 0]
    action = {"response_body": {"ahead": {"memory": 65_536, "file": file}}}
    with (
        Origin(_endless(counted)) as origin,
        Engine(plan(origin.address, action=action)) as engine,
        engine.client(receive_buffer=65_536) as client,
    ):
        client.send(GET)
        assert client.read_head().status == 200
        until(lambda: counted[1], what="the origin to be stopped")
        assert least <= counted[0] < least + (16 << 20)
        assert engine.nameless_files() == (1 if file else 0)
        assert engine.memory_peak() < 32 << 20


def test_the_endpoint_may_refuse_it() -> None:
    """`X-Accel-Buffering: no`, where the route honours it: the client's pace is the endpoint's."""
    counted = [0, 0]
    with (
        Origin(_endless(counted)) as origin,
        Engine(plan(origin.address, action={**AHEAD, "accel": True})) as engine,
        engine.client(receive_buffer=65_536) as client,
    ):
        client.send(GET)
        assert client.read_head().status == 200
        until(lambda: counted[1], what="the origin to be stopped")
        assert counted[0] < 16 << 20
        assert engine.nameless_files() == 0


def test_an_endpoint_that_breaks_off() -> None:
    """What came before goes to the client, whose connection then ends before the length that was said."""

    def breaking(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BODY) + 1) + BODY)

    with gate(breaking, action=AHEAD) as g, g.engine.client(receive_buffer=65_536) as client:
        client.send(GET)
        until(lambda: g.engine.nameless_files() == 1, what="the response to be read ahead")
        until(g.origin.visit().ended.is_set, what="the origin to be gone")
        client.read_head()
        assert client.read_exactly(len(BODY)) == BODY
        with pytest.raises(Closed):
            client.read_exactly(1)


def test_a_client_that_leaves() -> None:
    """A client that leaves in the middle: its endpoint and its file are let go."""
    counted = [0, 0]
    with Origin(_endless(counted)) as origin, Engine(plan(origin.address, action=AHEAD)) as engine:
        with engine.client(receive_buffer=65_536) as client:
            client.send(GET)
            until(lambda: engine.nameless_files() == 1, what="the response to be read ahead")
            client.reset()
        until(lambda: engine.nameless_files() == 0 and _in_flight(engine) == 0, what="everything to be let go")


def test_a_client_that_takes_nothing_is_left() -> None:
    """`write_idle_ms` counts although the endpoint goes on sending."""
    counted = [0, 0]
    http = plan("127.0.0.1:1")["http"]["policy"]
    http["timeouts"] = {**http["timeouts"], "write_idle_ms": 500}
    with (
        Origin(_endless(counted)) as origin,
        Engine(plan(origin.address, action=AHEAD, http=http)) as engine,
        engine.client(receive_buffer=65_536) as client,
    ):
        client.send(GET)
        until(lambda: engine.stats()["faults"].get("client_gone") == 1, what="the client to be given up")
        until(lambda: engine.nameless_files() == 0 and _in_flight(engine) == 0, what="everything to be let go")


def test_events_flow_at_once() -> None:
    """Nothing is held back: each event reaches the client before the next is sent."""

    def events(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(5):
            visit.send(b"data: %d\n\n" % number)
            seen[number].acquire()

    seen = [threading.Semaphore(0) for _ in range(5)]
    with gate(events, action=AHEAD) as g:
        g.client.send(GET)
        assert g.client.read_head().status == 200
        for number in range(5):
            assert g.client.read_chunk() == b"data: %d\n\n" % number
            seen[number].release()


@pytest.mark.parametrize("script", [_with_length, _in_chunks, _until_close])
def test_http2(script: Any) -> None:
    """A stream whose windows are shut: the endpoint is free all the same, and every byte comes when they open."""
    with http2_gate(once_each(script, answering(b"next")), client={"reads": False}, action=AHEAD) as g:
        stream = g.client.request()
        until(lambda: len(g.origin.visits) == 1, what="the request at the origin")
        until(lambda: _in_flight(g.engine) == 0, what="the endpoint to be free")
        assert g.engine.nameless_files() == 1
        g.client.reads = True
        g.client.give(len(BODY), stream)
        g.client.give(len(BODY))
        g.client.answer(stream)
        assert stream.reset is None
        assert bytes(stream.body) == BODY
        assert stream.trailers == ([("x-sum", "1")] if script is _in_chunks else ())


def test_a_client_that_catches_up_and_falls_behind() -> None:
    """Read ahead, caught up, and behind again: every byte once and in order."""

    def on_request(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (3 * len(BODY)))
        for _ in range(3):
            visit.send(BODY)
            assert go_on.acquire(timeout=30)

    go_on = threading.Semaphore(0)
    with gate(on_request, action=AHEAD) as g, g.engine.client(receive_buffer=65_536) as client:
        client.send(GET)
        until(lambda: g.engine.nameless_files() == 1, what="the response to be read ahead")
        client.read_head()
        for _ in range(3):
            assert client.read_exactly(len(BODY)) == BODY
            go_on.release()


@pytest.mark.parametrize("script", [_with_length, _in_chunks])
def test_over_tls(script: Any) -> None:
    """The same to a client over TLS: the endpoint is free, and every byte comes once."""
    with (
        Origin(script) as origin,
        secured(services={"big": service(origin.address)}, routes={"app": route(proxy("big", **AHEAD))}) as (engine, _),
        engine.client(receive_buffer=65_536) as client,
    ):
        client.secure(AUTHORITY.trusting(), "example.org")
        client.send(GET)
        until(lambda: len(origin.visits) == 1, what="the request at the origin")
        until(lambda: engine.stats()["services"]["big"][0]["in_flight"] == 0, what="the endpoint to be free")
        assert engine.nameless_files() == 1
        assert client.read_response().body == BODY
        assert client.request().text == "next"
