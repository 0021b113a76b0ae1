"""The control socket (docs/reference/engine.md): greeting, calls, endpoints that change, statistics, explain, end."""

from __future__ import annotations

import contextlib
import os
import stat
import threading

import pytest

from tests.kit.control import Control, Refused
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit, answering
from tests.kit.plans import endpoint, plan, route
from tests.kit.waiting import until


def at(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def respond(body: str) -> dict[str, object]:
    return route({"respond": {"status": 200, "headers": [], "body": [{"literal": body}]}})


def test_hello() -> None:
    """The engine speaks first: its version, the Plan versions it knows, its pid, how many Plans it has applied."""
    with Engine(None) as engine:
        with engine.control() as control:
            assert control.hello["plan_versions"] == [1]
            assert control.hello["pid"] == engine.pid
            assert control.hello["applied"] == 0
            assert control.hello["started_ms"] > 1_600_000_000_000
            assert isinstance(control.hello["engine"], str)
        engine.apply(plan("127.0.0.1:1"))
        with engine.control() as control:
            assert control.hello["applied"] == 1


def test_socket_is_private() -> None:
    """The control socket has mode 0600."""
    with Engine(None) as engine:
        assert stat.S_IMODE(os.stat(engine.control_path).st_mode) == 0o600


def test_bad_calls() -> None:
    """Unknown calls and frames that are no request are answered with their kind; the socket goes on or ends."""
    with Engine(None) as engine, engine.control() as control:
        with pytest.raises(Refused) as refused:
            control.call("dance")
        assert refused.value.kind == "unknown_call"
        for call, kind in (
            ("put_certificate", "bad_frame"),
            ("put_secret", "bad_frame"),
            ("put_challenge", "bad_frame"),
            ("handoff", "unsupported"),
        ):
            with pytest.raises(Refused) as refused:
                control.call(call, name="x", generation=1)
            assert refused.value.kind == kind
        control.send_frame(b"no JSON")
        with contextlib.suppress(ConnectionError):
            assert control.read_frame()["error"]["kind"] == "bad_frame"
        with engine.control() as other:
            assert other.call("stats")["applied"] == 0


def test_huge_frame_is_refused() -> None:
    """A length above 256 MiB ends that client and nobody else."""
    with Engine(None) as engine, engine.control() as control, engine.control() as other:
        control.socket.sendall(b"\xff\xff\xff\xff")
        with contextlib.suppress(ConnectionError):
            assert control.read_frame()["error"]["kind"] == "bad_frame"
        assert other.call("stats")["applied"] == 0


def test_several_clients() -> None:
    """Several control clients are served at once, each with its own answers."""
    with gate() as g, contextlib.ExitStack() as stack:
        controls = [stack.enter_context(Control(g.engine.control_path)) for _ in range(5)]
        asked = [(c, c.ask("stats")) for c in controls for _ in range(10)]
        assert all(c.answer(number)["applied"] == 1 for c, number in reversed(asked))


def test_set_endpoints() -> None:
    """Endpoints change without an apply; an older generation is `stale`, an unknown service `not_found`."""
    with (
        Origin(answering(b"one")) as one,
        Origin(answering(b"two")) as two,
        Engine(plan(one.address)) as engine,
        engine.client() as client,
        engine.control() as control,
    ):
        assert client.request().text == "one"
        assert control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(two.address)]) == {}
        assert client.request().text == "two"
        for generation in (1, 2):
            with pytest.raises(Refused) as refused:
                control.call("set_endpoints", service="app", generation=generation, endpoints=[endpoint(one.address)])
            assert refused.value.kind == "stale"
        with pytest.raises(Refused) as refused:
            control.call("set_endpoints", service="nobody", generation=9, endpoints=[])
        assert refused.value.kind == "not_found"
        assert client.request().text == "two"
        assert control.call("stats")["applied"] == 1


def test_removed_endpoint_drains() -> None:
    """A request that runs on a removed endpoint ends there; its idle connections are closed."""
    go = threading.Event()

    def slow(visit: Visit) -> None:
        while True:
            if visit.read_request().target == "/slow":
                go.wait(30)
            visit.answer(b"one")

    with (
        Origin(slow) as one,
        Origin(answering(b"two")) as two,
        Engine(plan(one.address)) as engine,
        engine.client() as client,
        engine.client() as running,
        engine.control() as control,
    ):
        running.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: one.requests, what="the slow request")
        assert client.request().text == "one"
        control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(two.address)])
        assert client.request().text == "two"
        go.set()
        assert running.read_response().text == "one"
        for visit in one.visits:
            assert visit.ended.wait(10)


def test_stats() -> None:
    """Statistics as the reference says: threads, listeners, services, faults, and sums that fit what happened."""
    with gate() as g:
        for _ in range(7):
            g.client.request()
        # The client may have its answer a moment before the exchange is over.
        until(lambda: sum(t["exchanges"] for t in g.engine.stats()["threads"]) == 0, what="no exchange")
        stats = g.engine.stats()
        assert len(stats["threads"]) == 4
        assert sum(t["connections"] for t in stats["threads"]) == 1
        assert sum(t["requests"] for t in stats["threads"]) == 7
        assert stats["listeners"]["web"]["connections"] == 1
        assert at(stats["listeners"]["web"]["address"]) == g.engine.address()
        (one,) = stats["services"]["app"]
        assert (one["address"], one["ordinal"], one["in_flight"], one["requests"]) == (g.origin.address, 0, 0, 7)
        assert (one["failures"], one["resting"]) == (0, False)
        assert (stats["log_dropped"], stats["panics"], stats["applied"]) == (0, 0, 1)


def test_explain() -> None:
    """`explain` says which route a request would take, without sending one."""
    rules = [
        {"match": {"all": [{"host": "shop.test"}, {"path_prefix": "/cart"}]}, "route": "cart"},
        {"match": {"method": "DELETE"}, "route": "gone"},
    ]
    routes = {"cart": route({"ping": {"terminating_status": 503}}, name="cart@file"), "gone": respond("x")}
    with gate(rules=rules, routes=routes) as g, g.engine.control() as control:
        ask = {"listener": "web", "method": "GET", "headers": [], "client_ip": "192.0.2.1", "tls": False}
        said = control.call("explain", target="/cart//a?b=c", host="SHOP.test:80", **ask)
        assert said["route"] == "cart"
        assert said["origin"]["name"] == "cart@file"
        assert said["path"] == "/cart/a"
        assert control.call("explain", target="/", host="shop.test", **ask)["route"] is None
        assert control.call("explain", target="/", host="x", **{**ask, "method": "DELETE"})["route"] == "gone"
        with pytest.raises(Refused) as refused:
            control.call("explain", target="/", host="x", **{**ask, "listener": "nobody"})
        assert refused.value.kind == "not_found"
        assert g.origin.received == b""


def test_drain() -> None:
    """`drain` makes ping say 503 and back; requests go on."""
    rules = [{"match": {"path": "/ping"}, "route": "ping"}, {"match": "always", "route": "app"}]
    with (
        gate(rules=rules, routes={"ping": route({"ping": {"terminating_status": 503}})}) as g,
        g.engine.control() as control,
    ):
        assert g.client.request("GET", "/ping").status == 200
        control.call("drain", accepting=False)
        assert g.client.request("GET", "/ping").status == 503
        assert g.client.request().status == 200
        control.call("drain", accepting=True)
        with g.engine.client() as client:
            assert client.request("GET", "/ping").status == 200


def test_shutdown() -> None:
    """`shutdown` answers, finishes what runs within its grace, and the engine exits 0."""
    with gate() as g, g.engine.control() as control:
        assert g.client.request().status == 200
        assert control.call("shutdown", grace_ms=1_000) == {}
        assert g.engine.wait() == 0


def test_control_client_that_leaves_changes_nothing() -> None:
    """The control client goes away in the middle of a frame: traffic goes on, the next client is served."""
    with gate() as g:
        control = g.engine.control()
        control.socket.sendall(b"\0\0\1\0{")
        control.socket.close()
        assert g.client.request().status == 200
        assert g.engine.stats()["applied"] == 1
