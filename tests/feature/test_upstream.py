"""Towards origins: pools, timeouts, Unix sockets, dead instances, names."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Gone, Origin, Visit, answering, dead, echo, once_each, silent
from tests.kit.plans import endpoint, plan
from tests.kit.waiting import until


def test_pool_is_reused() -> None:
    """Requests of several clients one after the other share an upstream connection of their thread."""
    with Origin() as origin, Engine(plan(origin.address), threads=1) as engine:
        for _ in range(10):
            with engine.client() as client:
                assert client.request("POST", body=b"x").status == 200
        assert len(origin.visits) == 1


def test_pool_size_is_kept() -> None:
    """No more than `max_idle` connections of an endpoint stay, over all threads."""
    together = threading.Barrier(12)

    def meeting(visit: Visit) -> None:
        while True:
            visit.read_request()
            if len(visit.requests) == 1:
                together.wait(30)
            visit.answer(b"ok")

    with gate(meeting, upstream={"pool": {"max_idle": 4}}) as g:
        clients = [g.engine.client() for _ in range(12)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for client in clients:
            assert client.read_response().status == 200
            client.close()
        until(
            lambda: sum(1 for v in g.origin.visits if not v.ended.is_set()) <= 4, what="at most four idle connections"
        )


def test_no_pool() -> None:
    """`max_idle` 0: every request has a connection of its own, which ends after it."""
    with gate(upstream={"pool": {"max_idle": 0}}) as g:
        for number in range(3):
            assert g.client.request().status == 200
            assert len(g.origin.visits) == number + 1
            assert g.origin.visits[number].ended.wait(10)


def test_old_connections_give_way() -> None:
    """Connections too old for unsafe methods do not fill the pool: new ones take their places and are used again."""
    together = threading.Barrier(3)

    def meeting(visit: Visit) -> None:
        while True:
            visit.read_request()
            if visit.requests[-1].method == "GET":
                together.wait(30)
            visit.answer(b"ok")

    pool = {"pool": {"max_idle": 3, "unsafe_idle_ms": 2000}}
    with (
        Origin(meeting) as origin,
        Engine(plan(origin.address, upstream=pool), threads=1) as engine,
        engine.client() as poster,
    ):
        clients = [engine.client() for _ in range(3)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for client in clients:
            assert client.read_response().status == 200
            client.close()
        old = time.monotonic() + 2.5
        until(lambda: time.monotonic() > old, what="the pooled connections to be too old")
        for _ in range(20):
            assert poster.request("POST", body=b"x").status == 200
        assert len(origin.visits) <= 5


def test_requests_of_a_pooled_connection_are_limited() -> None:
    """`max_requests` 2: a third request opens another connection."""
    with Origin() as origin, Engine(plan(origin.address, upstream={"pool": {"max_requests": 2}}), threads=1) as engine:
        with engine.client() as client:
            for _ in range(6):
                assert client.request().status == 200
        assert [len(v.requests) for v in origin.visits] == [2, 2, 2]


def test_idle_connections_end() -> None:
    """A pooled connection is closed after `idle_ms`."""
    with gate(upstream={"pool": {"idle_ms": 200}}) as g:
        assert g.client.request().status == 200
        assert g.origin.visit().ended.wait(10)


def test_connection_close_from_origin() -> None:
    """An answer with `Connection: close` ends that connection; the next request has a new one."""

    def closing(visit: Visit) -> None:
        visit.read_request()
        visit.answer(b"ok", "Connection: close")
        visit.read_to_end()

    with gate(closing) as g:
        for number in range(3):
            response = g.client.request("POST", body=b"x")
            assert response.status == 200
            assert not response.closes
            assert len(g.origin.visits) == number + 1
            assert g.origin.visits[number].ended.wait(10)


def test_idle_connection_that_the_origin_closed() -> None:
    """A pooled connection that has ended is not used: GET and POST alike are served by a new one."""

    def one(visit: Visit) -> None:
        visit.read_request()
        visit.answer(b"ok")

    with gate(one) as g:
        for number in range(10):
            method = "POST" if number % 2 else "GET"
            assert g.client.request(method).status == 200
            assert g.origin.visits[number].ended.wait(10)


def _dies_on_second(visit: Visit) -> None:
    """Answers once; takes the second request and closes without a word."""
    visit.read_request()
    visit.answer(b"ok")
    visit.read_request()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_safe_requests_are_sent_again(method: str) -> None:
    """A bodyless safe request whose reused connection dies before the first byte is sent again (COMPAT.md section 5)."""
    with (
        Origin(once_each(_dies_on_second, echo)) as origin,
        Engine(plan(origin.address), threads=1) as engine,
        engine.client() as client,
    ):
        assert client.request().status == 200
        assert client.request(method).status == 200
        assert len(origin.visits) == 2


def test_unsafe_requests_are_not_sent_again() -> None:
    """A POST that was sent on a connection that died is 502, and was seen once only (RFC 9110 section 9.2.2)."""
    with (
        Origin(once_each(_dies_on_second, echo)) as origin,
        Engine(plan(origin.address), threads=1) as engine,
        engine.client() as client,
    ):
        assert client.request().status == 200
        assert client.request("POST", "/once").status == 502
        assert sum(1 for r in origin.requests if r.target == "/once") == 1


def test_safe_requests_are_not_sent_again_when_the_plan_says_so() -> None:
    """Without `resend_on_stale` the same GET is 502."""
    with (
        Origin(once_each(_dies_on_second, echo)) as origin,
        Engine(plan(origin.address, balance={"retry": {"resend_on_stale": False}}), threads=1) as engine,
        engine.client() as client,
    ):
        assert client.request().status == 200
        assert client.request().status == 502


def test_fresh_connection_that_dies_is_502() -> None:
    """A new connection that closes before an answer is 502 for GET too: nothing was stale."""

    def mute(visit: Visit) -> None:
        visit.read_request()

    with gate(mute) as g:
        response = g.client.request()
        assert (response.status, response.body) == (502, b"Bad Gateway")
        assert len(g.origin.requests) == 1


def test_unsafe_requests_avoid_old_connections() -> None:
    """A POST takes no connection that has been idle for `unsafe_idle_ms`; a GET does."""
    with (
        Origin() as origin,
        Engine(plan(origin.address, upstream={"pool": {"unsafe_idle_ms": 1}}), threads=1) as engine,
        engine.client() as client,
    ):
        assert client.request().status == 200
        start = time.monotonic()
        until(lambda: time.monotonic() > start + 0.05, what="the connection to be idle for a while")
        assert client.request().status == 200
        assert len(origin.visits) == 1
        start = time.monotonic()
        until(lambda: time.monotonic() > start + 0.05, what="the connection to be idle for a while")
        assert client.request("POST").status == 200
        assert len(origin.visits) == 2


def test_refused_is_502() -> None:
    """One endpoint that refuses: 502 `Bad Gateway`, at once and again and again (a single one never rests)."""
    with dead() as address, Engine(plan(address)) as engine, engine.client() as client:
        for _ in range(3):
            response = client.request()
            assert (response.status, response.body) == (502, b"Bad Gateway")
            assert not response.closes


def test_connect_timeout_is_504() -> None:
    """An endpoint that answers no SYN: 504 after `connect_ms`."""
    with silent() as address, Engine(plan(address, upstream={"connect_ms": 300})) as engine, engine.client() as client:
        response = client.request()
        assert (response.status, response.body) == (504, b"Gateway Timeout")


def test_response_timeout_is_504() -> None:
    """An origin that does not answer within `response_head_ms`: 504; its connection ends, the client's goes on."""

    def slow(visit: Visit) -> None:
        if visit.read_request().target == "/fast":
            visit.answer(b"ok")
        visit.read_to_end()

    with gate(slow, upstream={"response_head_ms": 300}) as g:
        with g.engine.client() as posting:
            assert posting.request("POST", "/slow", body=b"x").status == 504
        response = g.client.request("GET", "/slow")
        assert (response.status, response.body) == (504, b"Gateway Timeout")
        assert g.origin.visit(0).ended.wait(10)
        assert g.origin.visit(1).ended.wait(10)
        assert g.client.request("GET", "/fast").status == 200


def test_response_timeout_counts_from_the_request_end() -> None:
    """A body that takes its time is no slow answer: the clock starts when the request is sent."""
    with gate(upstream={"response_head_ms": 500}) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        for byte in (b"a", b"b", b"c"):
            start = time.monotonic()
            until(lambda s=start: time.monotonic() > s + 0.3, what="a slow client")  # type: ignore[misc]
            g.client.send(byte)
        assert g.client.read_response().status == 200


def test_idle_answer_is_cut_off() -> None:
    """An answer that stops for `read_idle_ms` is cut off, never completed."""

    def stopping(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        visit.read_to_end()

    with gate(stopping, upstream={"read_idle_ms": 300}) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert g.client.read_head().status == 200
        assert g.client.read_to_end() == b"half"
        assert g.origin.visit().ended.wait(10)


def test_unix_socket(tmp_path: Path) -> None:
    """An endpoint may be a Unix socket: keep-alive, bodies and Host as ever."""
    with (
        Origin(unix=str(tmp_path / "app.sock")) as origin,
        Engine(plan(origin.address), threads=1) as engine,
        engine.client() as client,
    ):
        for _ in range(3):
            told = json.loads(client.request("POST", "/x", body=b"hello").body)
            assert (told["line"], told["body"]) == ("POST /x HTTP/1.1", "hello")
            assert ["host", "example.org"] in [[n.lower(), v] for n, v in told["headers"]]
        assert len(origin.visits) == 1


def test_unix_socket_that_is_missing(tmp_path: Path) -> None:
    """A Unix socket that is not there is 502."""
    with Engine(plan(f"unix:{tmp_path}/no.sock")) as engine, engine.client() as client:
        assert client.request().status == 502


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_dead_instance_costs_no_client_an_error(method: str) -> None:
    """While another lives, a refused connection goes to the next, and the dead one rests."""
    with (
        dead() as address,
        Origin(answering(b"alive")) as origin,
        Engine(plan(address, origin.address)) as engine,
        engine.client() as client,
        engine.control() as control,
    ):
        for _ in range(20):
            response = client.request(method, body=b"x" if method == "POST" else b"")
            assert (response.status, response.body) == (200, b"alive")
        first, second = control.call("stats")["services"]["app"]
        assert first["resting"]
        assert first["failures"] == 1, first
        assert second["requests"] >= 20
        assert control.event("endpoint_down")["address"] == address


def test_instance_dies_under_load() -> None:
    """One of three instances dies while 20 clients ask: no client sees an error (GET: reset connections are sent again)."""
    names = [answering(b"%d" % n) for n in range(3)]
    with Origin(names[0]) as a, Origin(names[1]) as b, Origin(names[2]) as c:
        retry = {"on": ["unsent", "error"]}
        with Engine(plan(a.address, b.address, c.address, balance={"retry": retry})) as engine:
            wrong: list[object] = []
            started = threading.Barrier(21)

            def work() -> None:
                with engine.client() as client:
                    client.request()
                    started.wait(30)
                    for _ in range(100):
                        response = client.request()
                        if response.status != 200:
                            wrong.append(response)

            workers = [threading.Thread(target=work) for _ in range(20)]
            for worker in workers:
                worker.start()
            started.wait(30)
            b.close()
            for worker in workers:
                worker.join()
            assert wrong == []


def test_resting_instance_is_tried_again() -> None:
    """After `rest_ms` the dead instance gets a request; it lives again, and clients notice nothing."""
    with Origin(answering(b"one")) as one:
        two = Origin(answering(b"two"))
        two.close()
        with (
            Engine(plan(one.address, two.address, balance={"rest": {"rest_ms": 500}})) as engine,
            engine.client() as client,
            engine.control() as control,
        ):
            for _ in range(10):
                assert client.request().text == "one"
            assert control.event("endpoint_down")["address"] == two.address
            with Origin(answering(b"two again"), port=two.port):
                until(lambda: client.request().text == "two again", what="the second to be used again")
                assert control.event("endpoint_up")["address"] == two.address


def test_every_instance_dead() -> None:
    """All dead: first 502 for those who find out, then 503 `no available server` while all rest."""
    with dead() as a, dead() as b, Engine(plan(a, b)) as engine, engine.client() as client:
        assert client.request().status in (502, 503)
        response = client.request()
        assert (response.status, response.text) == (503, "no available server")


def test_all_instances_restarted() -> None:
    """All were dead at once and rest for minutes: the service is back as soon as one of them lives."""
    one, two = Origin(), Origin()
    one.close()
    two.close()
    rest = {"rest": {"rest_ms": 300_000}}
    with Engine(plan(one.address, two.address, balance=rest)) as engine, engine.client() as client:
        assert client.request().status in (502, 503)
        assert client.request().status == 503
        with Origin(answering(b"back"), port=two.port):
            until(lambda: client.request().text == "back", what="an instance that lives again to be tried")


def test_no_instance() -> None:
    """A service without endpoints: 503 `no available server`."""
    with Engine(plan()) as engine, engine.client() as client:
        response = client.request()
        assert (response.status, response.text) == (503, "no available server")


def test_no_route() -> None:
    """No rule matches: 404 `404 page not found` as Traefik says it."""
    rules = [{"match": {"host": "known.test"}, "route": "app"}]
    with Origin() as origin, Engine(plan(origin.address, rules=rules)) as engine, engine.client() as client:
        response = client.request()
        assert (response.status, response.text) == (404, "404 page not found\n")
        assert response.get("content-type") == "text/plain; charset=utf-8"
        assert response.get("x-content-type-options") == "nosniff"
        assert client.request(host="KNOWN.test:80").status == 200


def test_names_are_resolved() -> None:
    """An endpoint may be a name: `localhost` is found through the system's files."""
    with Origin() as origin, Engine(plan(f"localhost:{origin.port}")) as engine, engine.client() as client:
        for _ in range(3):
            assert client.request().status == 200


def test_name_that_does_not_exist() -> None:
    """A name that cannot be resolved is 502, and the other endpoint serves while there is one."""
    with Engine(plan("does-not-exist.invalid:80")) as engine, engine.client() as client:
        assert client.request().status == 502
    with (
        Origin(answering(b"alive")) as origin,
        Engine(plan("does-not-exist.invalid:80", origin.address)) as engine,
        engine.client() as client,
    ):
        assert {client.request().text for _ in range(6)} == {"alive"}


def test_http10_transport() -> None:
    """`http10` speaks 1.0 upstream: no chunks, no keep-alive, bodies of known length (nginx's old default)."""

    def old(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.0 200 OK\r\n\r\nold")

    with gate(old, upstream={"protocol": "http10"}) as g:
        response = g.client.request("POST", body=b"x")
        assert (response.status, response.body) == (200, b"old")
        assert g.origin.requests[0].version == "HTTP/1.0"


def test_retry_on_status() -> None:
    """With `status: 503` in the Plan a GET goes to the next endpoint, a POST does not."""
    broken = answering(b"broken", status="503 Service Unavailable")
    with Origin(broken) as a, Origin(answering(b"fine")) as b:
        retry = {"on": ["unsent", {"status": 503}]}
        with (
            Engine(plan(a.address, b.address, balance={"retry": retry, "rest": {"failures": 0}})) as engine,
            engine.client() as client,
        ):
            assert {client.request().text for _ in range(6)} == {"fine"}
            assert {client.request("POST").text for _ in range(6)} == {"fine", "broken"}


def test_client_gone_ends_the_upstream_request() -> None:
    """A client that vanishes ends its request at the origin (COMPAT.md: 499)."""
    left = threading.Event()

    def waiting(visit: Visit) -> None:
        visit.read_request()
        try:
            visit.read_more()
        except Gone:
            left.set()

    with gate(waiting) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: g.origin.requests, what="the request")
        g.client.reset()
        assert left.wait(10)


def test_passed_host_and_chosen_host() -> None:
    """The client's Host goes upstream, or the one that the Plan says."""
    with gate() as g:
        g.client.request(host="Mixed.Example:8080")
        assert g.origin.requests[0].get("host") == "Mixed.Example:8080"
    with gate(action={"host": [{"literal": "fixed.test"}]}) as g:
        g.client.request(host="other.test")
        assert g.origin.requests[0].get("host") == "fixed.test"


def test_endpoint_with_ipv6() -> None:
    """`[::1]:port` is an endpoint too."""
    with dead() as address:
        port = address.rpartition(":")[2]
        with Engine(plan(endpoint(f"[::1]:{port}"))) as engine, engine.client() as client:
            assert client.request().status == 502
