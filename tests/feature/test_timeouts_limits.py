"""Slow and many clients: timeouts and limits of the policy, and an orderly end on SIGTERM."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit
from tests.kit.plans import answer, listener, plan, policy, route
from tests.kit.waiting import until
from tests.kit.wire import Client, Closed

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def drip(send: Callable[[], None], seconds: float, stop: threading.Event | None = None) -> None:
    """Calls `send` every 20 ms for so long: slowness is the test's subject."""
    end = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < end and not (stop and stop.is_set()):
            send()
            time.sleep(0.02)


def test_head_timeout() -> None:
    """A head that does not end in time is 408 and the end, however busily its bytes drip (RFC 9110 section 15.5.9)."""
    with gate(http=policy(timeouts={"head_ms": 500})) as g:
        start = time.monotonic()
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        drip(lambda: g.client.send(b"a"), 10, stop=_watch(g.client))
        assert g.client.read_response().status == 408
        g.client.assert_ended()
        assert 0.4 < time.monotonic() - start < 5
        assert g.origin.received == b""


def _watch(client: Client) -> threading.Event:
    """Set when the peer has answered or closed."""
    seen = threading.Event()

    def watch() -> None:
        select.select([client.socket], [], [], 30)
        seen.set()

    threading.Thread(target=watch, daemon=True).start()
    return seen


def test_head_timeout_starts_with_the_first_byte() -> None:
    """A connection that has said nothing is idle, not slow: it may wait longer than a head may take."""
    with gate(http=policy(timeouts={"head_ms": 300})) as g:
        start = time.monotonic()
        until(lambda: time.monotonic() > start + 0.8, what="an idle while")
        assert g.client.request().status == 200


def test_keep_alive_timeout() -> None:
    """An idle connection ends after `keepalive_ms` without a word, before and after a first request."""
    with gate(http=policy(timeouts={"keepalive_ms": 400})) as g:
        assert g.client.request().status == 200
        with g.engine.client() as fresh:
            fresh.assert_ended()
        g.client.assert_ended()


def test_keep_alive_requests_are_limited() -> None:
    """`max_requests`: the last answer says close, and is."""
    with gate(http=policy(keepalive={"max_requests": 3})) as g:
        assert [g.client.request().closes for _ in range(3)] == [False, False, True]
        g.client.assert_ended()


def test_keep_alive_age_is_limited() -> None:
    """A connection older than `max_age_ms` ends after its current response, which says so."""
    with gate(http=policy(keepalive={"max_age_ms": 300})) as g:
        assert not g.client.request().closes
        start = time.monotonic()
        until(lambda: time.monotonic() > start + 0.4, what="the connection to grow old")
        response = g.client.request()
        assert response.status == 200
        assert response.closes
        g.client.assert_ended()


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_idle_body(framing: str) -> None:
    """A body that stops for `body_idle_ms` is 408 and the end; the origin never sees it complete."""
    with gate(http=policy(timeouts={"body_idle_ms": 400})) as g:
        g.client.send(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode() + b"3\r\nabc\r\n")
        assert g.client.read_response().status == 408
        g.client.assert_ended()
        assert g.origin.requests == []
        for visit in g.origin.visits:
            assert visit.ended.wait(10)


def test_slow_body_below_the_minimum_rate() -> None:
    """A body that drips below `body_min_rate` counts as idle, though it never stops."""
    with gate(http=policy(timeouts={"body_idle_ms": 500, "body_min_rate": 10_000})) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        drip(lambda: g.client.send(b"a"), 10, stop=_watch(g.client))
        assert g.client.read_response().status == 408
        assert g.origin.requests == []


def test_slow_body_above_the_minimum_rate() -> None:
    """A body faster than the minimum may take longer than any idle time."""
    with gate(http=policy(timeouts={"body_idle_ms": 300, "body_min_rate": 100})) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        drip(lambda: g.client.send(b"a\r\n0123456789\r\n"), 1.2)
        g.client.send(b"0\r\n\r\n")
        assert g.client.read_response().status == 200


def test_client_that_takes_nothing() -> None:
    """A client that stops reading for `write_idle_ms` is let go, and so is its origin."""

    def endless(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            visit.send(b"x" * 65536)

    with gate(endless, http=policy(timeouts={"write_idle_ms": 500})) as g:
        g.client.send(GET)
        assert g.client.read_head().status == 200
        assert g.origin.visit().ended.wait(20)
        until(lambda: sum(t["connections"] for t in g.engine.stats()["threads"]) == 0, what="the connection to end")


def test_connections_are_limited() -> None:
    """Over `max_connections` a connection waits in the queue and is served when another ends."""
    with Origin() as origin:
        limited = {"web": listener(max_connections=3)}
        with Engine(plan(origin.address, listeners=limited)) as engine:
            first = [engine.client() for _ in range(3)]
            for client in first:
                assert client.request().status == 200
            with engine.client() as waiting:
                waiting.send(GET)
                waiting.socket.settimeout(0.5)
                with pytest.raises(TimeoutError):
                    waiting.socket.recv(1)
                waiting.socket.settimeout(30)
                first[0].close()
                assert waiting.read_response().status == 200
            for client in first[1:]:
                assert client.request().status == 200
                client.close()


def test_slow_clients_cost_no_thread() -> None:
    """500 clients that stand in the middle of a head or a body: no more threads, and the next one is served at once."""
    with gate() as g:
        assert g.client.request().status == 200
        threads = g.engine.threads()
        slow = [g.engine.client() for _ in range(500)]
        for number, client in enumerate(slow):
            client.send(
                b"GET / HTTP/1.1\r\nHos" if number % 2 else b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"
            )
        until(
            lambda: sum(t["connections"] for t in g.engine.stats()["threads"]) == 501,
            what="all of them to be connected",
        )
        for _ in range(20):
            with g.engine.client(limit=5) as quick:
                assert quick.request().status == 200
        assert g.engine.threads() == threads
        for client in slow:
            client.close()


def test_a_slow_exchange_blocks_nobody() -> None:
    """With one thread, 50 exchanges that wait for their origin let another pass."""
    release = threading.Event()

    def waiting(visit: Visit) -> None:
        while True:
            if visit.read_request().target == "/slow":
                release.wait(30)
            visit.answer(b"ok")

    with Origin(waiting) as origin, Engine(plan(origin.address), threads=1) as engine:
        slow = [engine.client() for _ in range(50)]
        for client in slow:
            client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: len(origin.requests) == 50, what="the slow ones to wait")
        with engine.client(limit=5) as quick:
            assert quick.request().status == 200
        release.set()
        for client in slow:
            assert client.read_response().status == 200
            client.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_finishes_what_runs(number: int) -> None:
    """TERM and INT: no new connection, what runs is answered with `close`, idle ones end, exit 0."""
    running, go = threading.Event(), threading.Event()

    def slow(visit: Visit) -> None:
        while visit.read_request().target != "/slow":
            visit.answer(b"ok")
        running.set()
        go.wait(30)
        visit.answer(b"finished")

    with gate(slow) as g:
        with g.engine.client() as idle:
            assert idle.request().status == 200
            g.client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            assert running.wait(30)
            address = g.engine.address()
            os.kill(g.engine.pid, number)
            idle.assert_ended()

            def refused() -> bool:
                try:
                    socket.create_connection(address, 5).close()  # type: ignore[arg-type]
                except OSError:
                    return True
                return False

            until(refused, what="new connections to be refused")
            assert g.engine.process.poll() is None
            go.set()
            response = g.client.read_response()
            assert response.body == b"finished"
            assert response.closes
            g.client.assert_ended()
        assert g.engine.wait() == 0


def test_grace_time_ends() -> None:
    """What has not ended after `grace_ms` is cut off; exit 0 all the same."""

    def endless(visit: Visit) -> None:
        visit.read_request()
        visit.read_to_end()

    closing = {"accept_grace_ms": 0, "grace_ms": 500}
    with gate(endless, listeners={"web": listener(closing=closing)}) as g:
        g.client.send(GET)
        until(lambda: g.origin.requests, what="the request")
        start = time.monotonic()
        g.engine.terminate()
        assert g.engine.wait() == 0
        assert 0.4 < time.monotonic() - start < 10


def test_second_signal_ends_at_once() -> None:
    """A second TERM does not wait for the grace time."""

    def endless(visit: Visit) -> None:
        while visit.read_request().target != "/slow":
            visit.answer(b"ok")
        visit.read_to_end()

    with gate(endless) as g:
        with g.engine.client() as idle:
            assert idle.request().status == 200
            g.client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: len(g.origin.requests) == 2, what="the request")
            g.engine.terminate()
            idle.assert_ended()
        start = time.monotonic()
        g.engine.terminate()
        g.engine.wait()
        assert time.monotonic() - start < 5


def test_accept_grace() -> None:
    """During `accept_grace_ms` new connections are still served while ping says it is going."""
    closing = {"accept_grace_ms": 1_500, "grace_ms": 5_000}
    rules = [{"match": {"path": "/ping"}, "route": "ping"}, {"match": "always", "route": "app"}]
    with Origin() as origin:
        ping = {"ping": route({"ping": {"terminating_status": 503}})}
        whole = plan(origin.address, listeners={"web": listener(closing=closing)}, rules=rules, routes=ping)
        with Engine(whole) as engine:
            with engine.client() as client:
                response = client.request("GET", "/ping")
                assert (response.status, response.body) == (200, b"OK")

            def pinged() -> int:
                with engine.client() as client:
                    return client.request("GET", "/ping").status

            engine.terminate()
            until(lambda: pinged() == 503, what="ping to say 503")
            with engine.client() as client:
                assert client.request().status == 200
            assert engine.wait() == 0


def test_a_refused_upload_still_hears_why() -> None:
    """A client that goes on sending after it was refused reads the whole answer, not a reset (RFC 9112 section 9.6)."""
    with gate(http=policy(limits={"body_bytes": 1_000})) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
        with contextlib.suppress(OSError):
            g.client.send(b"x" * 2_000_000)
        try:
            assert g.client.read_response().status == 413
        except Closed as error:
            raise AssertionError("the answer was lost in a reset") from error


def test_faults_are_counted() -> None:
    """Each refusal counts under its name in the statistics."""
    with gate() as g:
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        ):
            with g.engine.client() as client:
                client.send(data)
                client.read_response("CONNECT")
        faults = g.engine.stats()["faults"]
        assert faults["bad_request"] == 1
        assert faults["version_not_supported"] == 1
        assert faults["not_implemented"] == 1


def test_fault_answers_are_the_plans() -> None:
    """What the client gets for a fault is Plan data: status, fields, body."""
    whole = plan(rules=[])
    headers = [{"name": "X-Own", "value": [{"variable": "host"}]}]
    whole["faults"]["faults"]["no_route"] = answer(418, "teapot", headers=headers, close=True)
    with Engine(whole) as engine, engine.client() as client:
        response = client.request(host="pot.test")
        assert (response.status, response.body, response.get("x-own"), response.closes) == (
            418,
            b"teapot",
            "pot.test",
            True,
        )
        client.assert_ended()


def test_no_descriptors_left() -> None:
    """With its descriptors used up the engine waits, spins not, and serves again when some are free."""
    with Origin() as origin, Engine(plan(origin.address), threads=1, descriptors=60) as engine:
        clients = [engine.client() for _ in range(100)]
        with contextlib.suppress(Closed):
            clients[0].request()
        start = _cpu_seconds(engine.pid)
        time.sleep(1)  # the time in which a spinning engine would show
        assert _cpu_seconds(engine.pid) - start < 0.5
        for client in clients:
            client.close()

        def served() -> bool:
            with engine.client(limit=5) as client:
                return client.request().status == 200

        until(served, what="service again")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
