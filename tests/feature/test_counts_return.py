"""Whatever becomes of an exchange, what it was counted in goes back: requests in flight, connections, places in pools."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Gone, Origin, Visit, answering, silent
from tests.kit.plans import endpoint, plan, policy
from tests.kit.waiting import until
from tests.kit.wire import Client


def settled(engine: Engine) -> bool:
    stats = engine.stats()
    flights = [e["in_flight"] for endpoints in stats["services"].values() for e in endpoints]
    threads = [t["connections"] + t["exchanges"] for t in stats["threads"]]
    return not any(flights) and not any(threads) and stats["listeners"]["web"]["connections"] == 0


def wild(visit: Visit) -> None:
    """Answers in one of many ways, some of them wrong."""
    chance = random.Random(visit.number)  # noqa: S311 - the same each time
    with contextlib.suppress(Gone):
        while True:
            visit.read_head()
            way = chance.randrange(8)
            if way == 0:
                return
            if way == 1:
                visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                return
            if way == 2:
                visit.send(b"nonsense\r\n\r\n")
                return
            if way == 3:
                visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
                visit.read_to_end()
                return
            if way == 4:
                visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                visit.read_to_end()
                return
            if way == 5:
                visit.read_to_end()
                return
            visit.answer()


@pytest.mark.parametrize("seed", range(3))
def test_wild_clients_and_origins(seed: int) -> None:
    """Clients that leave at any moment and origins that answer anyhow: in the end nothing is counted any more."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    requests = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n12345",
    ]
    balance: dict[str, Any] = {"rest": {"failures": 0}, "retry": {"on": ["unsent", "error"]}}
    with Origin(wild) as one, Origin(wild) as two:
        whole = plan(one.address, two.address, balance=balance, upstream={"response_head_ms": 500, "read_idle_ms": 500})
        with Engine(whole) as engine:
            for _ in range(150):
                with engine.client(limit=0.2) as client:
                    data = b"".join(chance.choices(requests, k=chance.randrange(1, 4)))
                    with contextlib.suppress(OSError):
                        client.send(data[: chance.randrange(1, len(data) + 1)])
                        if chance.random() < 0.3:
                            client.finish_writing()
                        if chance.random() < 0.4:
                            client.read_some()
                    if chance.random() < 0.3:
                        client.reset()
            until(lambda: settled(engine), what="every count to go back")


def test_connections_to_a_removed_endpoint_are_closed() -> None:
    """Idle connections to an endpoint that `set_endpoints` takes away are closed; back again it gets new ones."""
    with Origin() as other, gate() as g, g.engine.control() as control:
        assert g.client.request().status == 200
        control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(other.address)])
        assert g.origin.visit().ended.wait(5)
        assert g.client.request().status == 200
        control.call("set_endpoints", service="app", generation=3, endpoints=[endpoint(g.origin.address)])
        assert g.client.request().status == 200
        assert len(g.origin.visits) == 2
        assert control.call("stats")["services"]["app"][0]["idle"] == 1


def test_slow_upload_is_not_a_silent_origin() -> None:
    """An origin that answered early and waits for the rest of the body is not idle while that moves."""

    def patient(visit: Visit) -> None:
        visit.read_head()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        visit.read_exactly(20)
        visit.send(b"done")

    with gate(patient, upstream={"read_idle_ms": 800}) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
        for _ in range(20):
            time.sleep(0.1)
            g.client.send(b"x")
        assert g.client.read_response().body == b"done"


def test_both_bodies_stuck_then_moving() -> None:
    """A client that stops reading while the origin sends and the upload still runs; then everything arrives."""
    size = 20_000_000

    def both(visit: Visit) -> None:
        visit.read_head()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        reader = threading.Thread(target=visit.read_exactly, args=(size,))
        reader.start()
        visit.send(b"y" * size)
        reader.join(30)

    with gate(both) as g, g.engine.client(receive_buffer=8192) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        # The upload goes through although nothing of the download is read.
        client.send(b"x" * size)
        assert client.read_head().status == 200
        assert client.read_exactly(size) == b"y" * size


def test_all_endpoints_rest() -> None:
    """With everyone resting the answer is 503; a second later one try goes out, and only one."""
    with silent_and_dead() as (first, second):
        whole = plan(first, second, upstream={"connect_ms": 300}, balance={"rest": {"rest_ms": 60_000}})
        with Engine(whole) as engine, engine.client() as client:
            assert client.request().status in (502, 504)
            assert client.request().status == 503
            before = tried(engine)
            time.sleep(1.2)
            statuses = [client.request().status for _ in range(5)]
            # Each of the two may be tried once.
            assert statuses.count(503) >= 3, statuses
            assert 1 <= tried(engine) - before <= 2


def tried(engine: Engine) -> int:
    return sum(e["requests"] for e in engine.stats()["services"]["app"])


@contextlib.contextmanager
def silent_and_dead() -> Any:
    """Two addresses that nobody answers at."""
    gone = Origin()
    gone.close()
    with silent() as quiet:
        yield gone.address, quiet


def test_limit_of_a_resting_endpoint() -> None:
    """`max_connections` holds for an endpoint that is tried out of need too."""
    held = threading.Event()

    def holding(visit: Visit) -> None:
        request = visit.read_request()
        if request.target == "/hold":
            held.wait(30)
            visit.answer()
        visit.close()

    with Origin(holding) as one:
        whole = plan(
            endpoint(one.address, max_connections=1), balance={"rest": {"spare_single": False, "rest_ms": 60_000}}
        )
        with Engine(whole) as engine, engine.client() as client, engine.client() as other:
            client.send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: one.requests, what="the request that holds")
            assert other.request().status == 503
            assert len(one.requests) == 1
            held.set()
            assert client.read_response().status == 200


def test_timeouts_give_back() -> None:
    """Requests that run into every timeout leave no count behind."""
    with Origin(answering()) as origin, silent() as quiet:
        whole = plan(
            quiet,
            http=policy(timeouts={"head_ms": 300, "body_idle_ms": 300, "keepalive_ms": 300, "write_idle_ms": 300}),
            upstream={"connect_ms": 300, "response_head_ms": 300},
        )
        with Engine(whole) as engine, engine.control() as control:
            clients = [engine.client() for _ in range(9)]
            for number, client in enumerate(clients):
                client.send(
                    (
                        b"G",
                        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
                    )[number % 3]
                )
            for client in clients:
                client.read_to_end()
            until(lambda: settled(engine), what="every count to go back")
            control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(origin.address)])
            with Client(engine.address()) as client:
                assert client.request().status == 200
            for client in clients:
                client.close()
