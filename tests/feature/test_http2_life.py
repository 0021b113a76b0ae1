"""The life of an HTTP/2 connection: resets both ways, GOAWAY, applies under its streams, balancing, idle and old age."""

from __future__ import annotations

import threading

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import StreamGate, http2_gate, http2_listener
from tests.kit.http2 import CANCEL, INTERNAL_ERROR, Http2, Stream
from tests.kit.origin import Origin, Visit, answering, raw
from tests.kit.plans import access_log, plan, policy, replaced
from tests.kit.waiting import until

LAST = 2**31 - 1


def _in_flight(engine: Engine) -> int:
    return sum(endpoint["in_flight"] for endpoint in engine.stats()["services"]["app"])


def _open(engine: Engine) -> int:
    return sum(int(thread["connections"]) for thread in engine.stats()["threads"])


class Held:
    """An origin's script that answers when it is let; `begun` counts the requests that came."""

    def __init__(self, body: bytes = b"late") -> None:
        self.body = body
        self.begun = 0
        self.go = threading.Event()

    def __call__(self, visit: Visit) -> None:
        while True:
            visit.read_request()
            self.begun += 1
            self.go.wait(60)
            visit.answer(self.body)


# Resets.


def test_reset_of_the_client_ends_the_exchange() -> None:
    """The endpoint's connection is closed, counts return, the log says 499; other streams go on."""
    held = Held()
    log = {"log": access_log("stdout", [("status", "status", "number")])}
    with http2_gate(held, logs=log) as g:
        stream, other = g.client.request("GET", "/1"), g.client.request("GET", "/2")
        until(lambda: held.begun == 2, what="both requests")
        g.client.reset(stream)
        until(lambda: _in_flight(g.engine) == 1, what="one exchange to end")
        until(lambda: "499" in g.engine.stdout, what="its line")
        held.go.set()
        assert g.client.answer(other).text == "late"
        assert g.engine.stats()["faults"] == {"client_gone": 1}


def test_reset_in_the_middle_of_a_response() -> None:
    """A download that is given up ends upstream."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        visit.read_to_end()

    with http2_gate(script) as g:
        stream = g.client.request()
        while not stream.final:
            g.client.read_frame()
        g.client.reset(stream)
        assert g.origin.visit(0).ended.wait(30)
        until(lambda: _in_flight(g.engine) == 0, what="the exchange to end")


def test_connection_that_breaks_ends_its_exchanges() -> None:
    """A client that is gone leaves nothing behind, however many streams it had."""
    held = Held()
    with http2_gate(held) as g:
        for _ in range(20):
            g.client.request()
        until(lambda: held.begun == 20, what="the requests")
        g.client.close()
        until(lambda: _in_flight(g.engine) == 0, what="the exchanges to end")
        until(lambda: _open(g.engine) == 0, what="the connection to end")
        held.go.set()


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ],
)
def test_response_that_breaks_off_is_reset(cut: bytes) -> None:
    """What the endpoint did not finish never looks whole: INTERNAL_ERROR. The connection goes on."""
    with http2_gate(raw(cut, close=True)) as g:
        for _ in range(2):
            stream = g.client.answer(g.client.request("POST"))
            assert (stream.reset, stream.ended) == (INTERNAL_ERROR, False) or stream.status == 502
            assert stream.text in ("half", "") or stream.status == 502
        assert g.client.goaways == []


# The end of a connection.


def _away(client: Http2, held: Held, running: Stream) -> None:
    """Reads GOAWAY twice: first of no stream, then of the last one; what runs ends, then the connection."""
    while len(client.goaways) < 2:
        client.read_frame()
    assert client.goaways == [(LAST, 0), (running.number, 0)]
    held.go.set()
    assert client.answer(running).text == "late"
    client.read_to_end()
    assert {error for _, error in client.goaways} == {0}


def test_goaway_when_the_engine_stops() -> None:
    """SIGTERM: GOAWAY twice, the running stream ends, the engine exits without waiting for its grace."""
    held = Held()
    with http2_gate(held) as g:
        stream = g.client.request()
        until(lambda: held.begun == 1, what="the request")
        g.engine.terminate()
        _away(g.client, held, stream)
        assert g.engine.wait() == 0


def test_goaway_when_the_listener_is_removed() -> None:
    """The same for a listener that an apply removes."""
    held = Held()
    with Origin(held) as origin:
        both = plan(origin.address, listeners={"web": http2_listener(), "other": http2_listener()})
        with Engine(both) as engine, Http2(engine.address("other")) as client:
            stream = client.request()
            until(lambda: held.begun == 1, what="the request")
            del both["listeners"]["other"]
            engine.apply(both)
            _away(client, held, stream)


def test_request_that_crosses_goaway_is_served() -> None:
    """What a client had sent before it learnt of the end is not lost: only the second GOAWAY draws the line."""
    with http2_gate(answering(b"ok")) as g:
        assert g.client.ask().text == "ok"
        g.engine.terminate()
        crossing = g.client.request()
        assert g.client.answer(crossing).text == "ok"
        g.client.read_to_end()
        assert g.client.goaways[0] == (LAST, 0)
        assert g.client.goaways[1] == (crossing.number, 0)


def test_connection_that_never_asked_is_let_go() -> None:
    """A fresh connection gets GOAWAY as well, and may still ask before it has read that."""
    with http2_gate(answering(b"ok")) as g:
        g.client.ping()
        g.engine.terminate()
        first = g.client.request()
        assert g.client.answer(first).text == "ok"
        assert g.engine.wait() == 0


def test_client_that_does_not_answer_goodbye() -> None:
    """A client that never acknowledges does not hold the engine up for its whole grace."""
    with http2_gate(answering(b"ok"), closing={"accept_grace_ms": 0, "grace_ms": 120_000}) as g:
        g.client.ask()
        g.engine.terminate()
        assert g.engine.wait() == 0


def test_most_requests_of_a_connection() -> None:
    """`max_requests` ends a connection by GOAWAY; the last request is served."""
    with http2_gate(answering(b"ok"), http=policy(keepalive={"max_requests": 3})) as g:
        for _ in range(3):
            assert g.client.ask().text == "ok"
        g.client.read_to_end()
        assert g.client.goaways[0] == (LAST, 0)
        assert g.client.goaways[-1] == (5, 0)


def test_oldest_age_of_a_connection() -> None:
    """`max_age_ms` does too, when the time comes."""
    held = Held()
    with http2_gate(held, http=policy(keepalive={"max_age_ms": 300})) as g:
        stream = g.client.request()
        _away(g.client, held, stream)


def test_idle_connection_is_let_go() -> None:
    """A connection without a stream ends after the keep-alive time, PINGs or not; one with a stream does not."""
    held = Held()
    with http2_gate(held, http=policy(timeouts={"keepalive_ms": 300})) as g, Http2(g.engine.address()) as busy:
        stream = busy.request()
        g.client.ping()
        g.client.read_to_end()
        assert g.client.goaways[0] == (LAST, 0)
        held.go.set()
        assert busy.answer(stream).text == "late"


def test_connection_that_says_nothing_after_its_preface_line() -> None:
    """Half a preface is given up after the time for a head."""
    with http2_gate(http=policy(timeouts={"head_ms": 300})) as g, g.engine.client() as client:
        client.send(b"PRI * HTTP/2.0\r\n\r\n")
        client.read_to_end()


# Applies.


def test_applies_under_streams() -> None:
    """A connection whose routes did not change notices no apply: running streams end, new ones begin."""
    held = Held()
    with Origin(held) as origin:
        whole = plan(origin.address, listeners={"web": http2_listener()})
        with Engine(whole) as engine, Http2(engine.address()) as client:
            streams = [client.request() for _ in range(10)]
            until(lambda: held.begun == 10, what="the requests")
            for _ in range(20):
                engine.apply(whole)
            held.go.set()
            assert {client.answer(stream).text for stream in streams} == {"late"}
            assert client.ask().text == "late"
            assert client.goaways == []
            until(lambda: engine.stats()["snapshots"] == 1, what="old Snapshots to go")


def test_stream_ends_on_what_it_began_with() -> None:
    """A stream that waits for its endpoint while another takes over is answered by the first; the next by the other."""
    old, new = Held(b"old"), Held(b"new")
    new.go.set()
    with Origin(old) as first, Origin(new) as second:
        whole = plan(first.address, listeners={"web": http2_listener()})
        with Engine(whole) as engine, Http2(engine.address()) as client:
            stream = client.request()
            until(lambda: old.begun == 1, what="the request")
            engine.apply(plan(second.address, listeners=whole["listeners"]))
            assert client.ask().text == "new"
            old.go.set()
            assert client.answer(stream).text == "old"


def test_reload_under_traffic_loses_nothing() -> None:
    """Plans that alternate between two origins while streams are opened all the time: every one is answered."""
    with Origin(answering(b"a")) as first, Origin(answering(b"b")) as second:
        listeners = {"web": http2_listener()}
        plans = [plan(origin.address, listeners=listeners) for origin in (first, second)]
        with Engine(plans[0]) as engine, Http2(engine.address()) as client:
            for turn in range(60):
                streams = [client.request() for _ in range(10)]
                engine.apply(plans[turn % 2])
                assert {client.answer(stream).text for stream in streams} <= {"a", "b"}
            assert client.goaways == []


# Endpoints.


def test_balancing_over_streams() -> None:
    """Streams of one connection are shared out exactly, as requests of HTTP/1 are."""
    with Origin(answering(b"a")) as a, Origin(answering(b"b")) as b, Origin(answering(b"c")) as c:
        whole = plan(a.address, b.address, c.address, listeners={"web": http2_listener()})
        with Engine(whole) as engine, Http2(engine.address()) as client, Http2(engine.address()) as other:
            streams = [one.request() for _ in range(75) for one in (client, other)]
            for at, stream in enumerate(streams):
                (client, other)[at % 2].answer(stream)
            assert [len(origin.requests) for origin in (a, b, c)] == [50, 50, 50]


def test_hidden_backend() -> None:
    """A dead endpoint is never seen: streams go to the one that lives."""
    with Origin(answering(b"a")) as alive, Origin(answering(b"b")) as dead:
        whole = plan(dead.address, alive.address, listeners={"web": http2_listener()})
        with Engine(whole) as engine, Http2(engine.address()) as client:
            dead.close()
            streams = [client.request() for _ in range(40)]
            assert {client.answer(stream).text for stream in streams} == {"a"}


def test_backend_that_restarts_is_not_seen() -> None:
    """A request on a pooled connection that turns out to be closed is sent again, body and all, when nothing was lost."""

    def once(visit: Visit) -> None:
        visit.read_request()
        visit.answer(b"ok")

    with http2_gate(once) as g:
        for _ in range(20):
            assert g.client.ask("GET").text == "ok"
            # A POST that was written before the end came may have been executed, and is not sent again.
            until(g.origin.visits[-1].ended.is_set, what="the end of the connection")
            assert g.client.ask("POST", body=b"small").status == 200


def test_event_stream_whose_reader_leaves() -> None:
    """Events flow at once; a reader that leaves is noticed though nothing is written."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        visit.read_to_end()

    with http2_gate(script) as g:
        stream = g.client.request()
        while stream.text != "data: 1\n\n":
            g.client.read_frame()
        g.client.reset(stream, CANCEL)
        assert g.origin.visit(0).ended.wait(30)


def test_event_stream_of_a_removed_route() -> None:
    """An event stream whose route is gone ends after the drain time, and does not look whole."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        visit.read_to_end()

    with Origin(script) as origin:
        whole = plan(origin.address, listeners={"web": http2_listener()})
        whole["lifetimes"]["removed_route_ms"] = 200
        with Engine(whole) as engine, Http2(engine.address()) as client:
            stream = client.request()
            while not stream.body:
                client.read_frame()
            gone = replaced(whole, "routes", {"other": whole["routes"]["app"]})
            gone["tables"]["table"]["first"][0]["route"] = "other"
            engine.apply(gone)
            assert client.answer(stream).reset == INTERNAL_ERROR


def test_counts() -> None:
    """Connections and exchanges are counted as over HTTP/1, and return to nothing."""

    def counts(g: StreamGate) -> list[int]:
        threads = g.engine.stats()["threads"]
        return [sum(int(thread[name]) for thread in threads) for name in ("connections", "requests", "exchanges")]

    with http2_gate(answering(b"ok")) as g:
        for _ in range(10):
            g.client.ask()
        assert counts(g) == [1, 10, 0]
        g.client.close()
        until(lambda: counts(g) == [0, 10, 0], what="the connection to end")
