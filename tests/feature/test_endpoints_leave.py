"""Endpoints come and go under load, as a deploy has it.

Who leaves gets nothing new and ends what runs; a request that meets one that has gone is sent to another when it was
not sent. No POST is executed twice.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from tests.kit.apps import ORDERS
from tests.kit.deploy import Load, executed
from tests.kit.engine import Engine
from tests.kit.origin import Origin, Visit, answering, dead, silent
from tests.kit.plans import endpoint, plan
from tests.kit.uvicorn import Uvicorn
from tests.kit.waiting import LIMIT, until

RETRY = {"on": ["unsent", "error"]}
ASKED_AGAIN = {"retry": RETRY, "rest": {"early_ms": 0}}


def test_who_leaves_ends_what_runs() -> None:
    """After `set_endpoints` an endpoint that left gets no request; the one that it has is answered, and its connection ends."""
    go_on = threading.Event()

    def slow(visit: Visit) -> None:
        visit.read_request()
        visit.answer(b"first")
        visit.read_request()
        assert go_on.wait(LIMIT)
        visit.answer(b"ended")
        visit.read_to_end()

    with (
        Origin(slow) as leaving,
        Origin(answering(b"other")) as other,
        Engine(plan(leaving.address), threads=1) as engine,
        engine.client() as running,
        engine.client() as client,
    ):
        assert running.request().text == "first"
        running.send(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
        until(lambda: b"bo" in leaving.received.partition(b"/slow")[2], what="half a body at the origin")
        with engine.control() as control:
            control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(other.address)])
        assert {client.request(method).text for method in ("GET", "POST") * 10} == {"other"}
        running.send(b"dy")
        go_on.set()
        assert running.read_response().text == "ended"
        assert leaving.visit().ended.wait(LIMIT)
        assert running.request().text == "other"
        assert [request.body for request in leaving.requests] == [b"", b"body"]
        assert len(leaving.visits) == 1


@pytest.mark.parametrize("gone", [dead, silent], ids=["refuses", "answers no SYN"])
@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 8\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
    ids=["length", "chunked"],
)
def test_a_post_that_was_not_sent_goes_elsewhere(gone: object, body: bytes) -> None:
    """A POST for an endpoint to which there is no connection goes to another, with all of its body, once."""
    rest = b"half" if b"Length" in body else b"4\r\nhalf\r\n0\r\n\r\n"
    with (
        gone() as address,  # type: ignore[operator]
        Origin() as origin,
        Engine(plan(address, origin.address, balance=ASKED_AGAIN, upstream={"connect_ms": 300})) as engine,
    ):
        for _ in range(2):
            with engine.client() as client:
                client.send(b"POST /order HTTP/1.1\r\nHost: a\r\n" + body)
                until(lambda: b"half" in origin.received, what="the first half at the other endpoint")
                client.send(rest)
                assert client.read_response().status == 200
        assert [request.body for request in origin.requests] == [b"halfhalf"] * 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_leaves_is_not_waited_for(method: str) -> None:
    """A request that waits for a connection to an endpoint which answers nothing goes to another when that one leaves."""
    with (
        silent() as address,
        Origin(answering(b"other")) as other,
        Engine(plan(address)) as engine,
        engine.client(limit=10) as client,  # the connection may take 30 s
        engine.control() as control,
    ):
        client.send(f"{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
        until(lambda: engine.stats()["services"]["app"][0]["in_flight"] == 1, what="the request at the endpoint")
        control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(other.address)])
        assert client.read_response().text == "other"
        assert len(other.requests) == 1


def test_a_post_that_was_sent_goes_nowhere_else() -> None:
    """A POST whose connection dies after it was read is 502 and stays with the one that may have executed it."""

    def dies(visit: Visit) -> None:
        visit.read_request()

    with (
        Origin(dies) as one,
        Origin(dies) as two,
        Engine(plan(one.address, two.address, balance=ASKED_AGAIN)) as engine,
        engine.client() as client,
    ):
        assert client.request("POST", "/order", body=b"x").status == 502
        assert len(one.requests) + len(two.requests) == 1
        assert client.request("GET").status == 502  # may be executed twice: both were asked
        assert len(one.requests) + len(two.requests) == 3


def test_nobody_is_refused_while_all_rest() -> None:
    """`early_ms` 0: endpoints that rest, for they were asked before they listened, are asked when nobody else is there."""
    rest = {"rest_ms": 300_000, "early_ms": 0}
    with Origin(answering(b"old")) as old, Engine(plan(old.address, balance={"rest": rest})) as engine:
        new = [Origin(answering(b"new")) for _ in range(2)]
        for one in new:
            one.close()
        with engine.client() as client, engine.control() as control:
            addresses = [old.address, *(one.address for one in new)]
            control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(a) for a in addresses])
            assert {client.request().text for _ in range(6)} == {"old"}
            assert [one["resting"] for one in engine.stats()["services"]["app"]] == [False, True, True]
            with Origin(answering(b"new"), port=new[1].port):
                control.call(
                    "set_endpoints", service="app", generation=3, endpoints=[endpoint(a) for a in addresses[1:]]
                )
                clients = [engine.client() for _ in range(20)]
                for one_of_many in clients:
                    one_of_many.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                assert {one_of_many.read_response().text for one_of_many in clients} == {"new"}
                for one_of_many in clients:
                    one_of_many.close()


@pytest.mark.slow
def test_a_rolling_redeploy_loses_nothing(tmp_path: Path) -> None:
    """Three uvicorns are replaced one after the other, each told to leave first, under load: nothing fails, no POST runs twice."""
    record = tmp_path / "record"
    instances = [Uvicorn(ORDERS, env={"NAME": f"{n}", "RECORD": str(record)}) for n in range(3)]
    try:
        with (
            Engine(plan(*(one.address for one in instances), balance=ASKED_AGAIN)) as engine,
            engine.control() as control,
        ):
            generation = 1
            with Load(engine.tcp()) as load:
                for number in range(6):
                    generation += 2
                    leaving = instances.pop(0)
                    stay = [endpoint(one.address) for one in instances]
                    control.call("set_endpoints", service="app", generation=generation - 1, endpoints=stay)
                    leaving.process.send_signal(signal.SIGTERM)
                    leaving.process.wait(LIMIT)
                    leaving.stop()
                    instances.append(Uvicorn(ORDERS, env={"NAME": f"new-{number}", "RECORD": str(record)}))
                    now = [endpoint(one.address) for one in instances]
                    control.call("set_endpoints", service="app", generation=generation, endpoints=now)
                    until(lambda name=f"new-{number}": load.answers[name] > 5, what="requests at the new one")  # type: ignore[misc]
            assert load.wrong == []
            counts = executed(record)
            assert set(counts.values()) == {1}
            assert set(counts) == load.orders
    finally:
        for one in instances:
            one.stop()
