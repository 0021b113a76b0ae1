"""Plans that change while traffic runs, over the control socket: all or nothing, and nobody untouched notices."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time

import pytest
from websockets.sync.client import connect

from tests.kit.apps import ECHO
from tests.kit.control import Refused
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit, answering, once_each
from tests.kit.plans import listener, plan, proxy, replaced, route, service
from tests.kit.uvicorn import Uvicorn
from tests.kit.waiting import until
from tests.kit.wire import Client, Closed


def at(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def refuses(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 5).close()
    except OSError:
        return True
    return False


def respond(body: str) -> dict[str, object]:
    return route({"respond": {"status": 200, "headers": [], "body": [{"literal": body}]}})


def test_apply_starts_listening() -> None:
    """The first apply answers where its listeners are, and the ready file says the same."""
    with Engine(None) as engine, Origin() as origin:
        applied = engine.apply(plan(origin.address))
        assert applied["applied"] == 1
        with Client(at(applied["listeners"]["web"])) as client:
            assert client.request().status == 200
        engine.wait_ready()
        assert engine.listeners() == applied["listeners"]


def test_apply_changes_a_kept_connection() -> None:
    """A connection opened before sees the new Plan with its next request."""
    whole = plan(routes={"app": respond("old")})
    with Engine(whole) as engine, engine.client() as client:
        assert client.request().text == "old"
        engine.apply(replaced(whole, "routes.app.action.respond.body.0.literal", "new"))
        assert client.request().text == "new"


def test_running_exchange_ends_on_its_plan() -> None:
    """An exchange that runs during an apply ends as it began, with the service that is gone."""
    go = threading.Event()

    def slow(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nold")
        go.wait(30)
        visit.send(b"old")
        visit.read_to_end()

    with gate(slow) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert g.client.read_head().status == 200
        g.engine.apply(plan(routes={"app": respond("new")}))
        go.set()
        assert g.client.read_exactly(6) == b"oldold"
        assert g.client.request().text == "new"


def test_listener_added_and_removed() -> None:
    """A listener comes and goes; connections on the other one never notice."""
    with Origin() as origin:
        one = plan(origin.address)
        two = plan(origin.address, listeners={"web": listener(), "more": listener()})
        with Engine(one) as engine, engine.client() as client:
            assert client.request().status == 200
            web = engine.address()
            applied = engine.apply(two)
            assert at(applied["listeners"]["web"]) == web
            more = at(applied["listeners"]["more"])
            with Client(more) as other:
                assert other.request().status == 200
                assert "more" not in engine.apply(one)["listeners"]
                # An idle connection of a removed listener drains: a last answer that says close, or the end.
                with contextlib.suppress(Closed, BrokenPipeError):
                    assert other.request().closes
                other.assert_ended()
            until(lambda: refuses(more), what="the removed listener to refuse")
            assert client.request().status == 200
            assert sum(t["accepted"] for t in engine.stats()["threads"]) == 2


def test_listener_moved() -> None:
    """A listener that gets another address serves there, and the old address is free."""
    with Origin() as origin, Engine(plan(origin.address)) as engine:
        old = engine.address()
        moved = plan(origin.address, listeners={"web": listener(host="127.0.0.2")})
        new = at(engine.apply(moved)["listeners"]["web"])
        assert new[0] == "127.0.0.2"
        with Client(new) as client:
            assert client.request().status == 200
        until(lambda: refuses(old), what="the old address to refuse")  # type: ignore[arg-type]


def test_listeners_exchange_names() -> None:
    """The same addresses under other names: the sockets stay, no connection is lost in their queues."""
    with Origin() as origin:
        with socket.socket() as a, socket.socket() as b:
            a.bind(("127.0.0.1", 0))
            b.bind(("127.0.0.1", 0))
            ports = a.getsockname()[1], b.getsockname()[1]
        one = plan(origin.address, listeners={"x": listener(port=ports[0]), "y": listener(port=ports[1])})
        two = plan(origin.address, listeners={"x": listener(port=ports[1]), "y": listener(port=ports[0])})
        with Engine(one) as engine:
            with engine.client("x") as client:
                assert client.request().status == 200
                engine.apply(two)
                assert client.request().status == 200
            for name, port in (("x", ports[1]), ("y", ports[0])):
                with Client(("127.0.0.1", port)) as client:
                    assert client.request().status == 200, name


def test_address_in_use() -> None:
    """An address that somebody else has: `bind_failed`, and the old Plan goes on whole."""
    with Origin() as origin, socket.socket() as taken, Engine(plan(origin.address)) as engine:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        both = plan(routes={"app": respond("new")}, listeners={"web": listener(), "more": listener(port=port)})
        with pytest.raises(Refused) as refused:
            engine.apply(both)
        assert refused.value.kind == "bind_failed"
        assert str(port) in refused.value.message
        with engine.client() as client:
            assert client.request().text != "new"
        assert engine.stats()["applied"] == 1


def test_second_engine_is_told() -> None:
    """Two engines on one address: the second exits 1 and says why (a plain bind comes first)."""
    with Origin() as origin, Engine(plan(origin.address)) as engine:
        port = engine.address()[1]
        second = Engine(plan(origin.address, listeners={"web": listener(port=int(port))}), ready=False)
        try:
            assert second.wait() == 1
            until(lambda: any("in use" in line for line in second.log_lines), what="the reason", limit=5)
        finally:
            second.kill()


def _broken(whole: dict[str, object]) -> dict[str, tuple[dict[str, object], str]]:
    return {
        "unknown field": (replaced(whole, "surprise", 1), "bad_plan"),
        "unknown field deep down": (replaced(whole, "listeners.web.surprise", 1), "bad_plan"),
        "missing field": ({k: v for k, v in whole.items() if k != "logs"}, "bad_plan"),
        "wrong type": (replaced(whole, "listeners.web.backlog", "many"), "bad_plan"),
        "wrong version": (replaced(whole, "version", 99), "bad_plan"),
        "listener without host": (replaced(whole, "listeners.web.hosts.default", "nobody"), "bad_reference"),
        "host without table": (replaced(whole, "hosts.host.table", "nobody"), "bad_reference"),
        "rule without route": (replaced(whole, "tables.table.first.0.route", "nobody"), "bad_reference"),
        "route without service": (replaced(whole, "routes.app.action.proxy.service", "nobody"), "bad_reference"),
        "route without filter": (replaced(whole, "routes.app.filters", ["nobody"]), "bad_reference"),
        "service without transport": (
            replaced(whole, "services.app.kind.balanced.transport", "nobody"),
            "bad_reference",
        ),
        "route without faults": (replaced(whole, "routes.app.faults", "nobody"), "bad_reference"),
        "listener without policy": (replaced(whole, "listeners.web.http", "nobody"), "bad_reference"),
        "route without log": (replaced(whole, "routes.app.logs", ["nobody"]), "bad_reference"),
    }


@pytest.mark.parametrize("name", sorted(_broken(plan())))
def test_bad_plan_is_refused(name: str) -> None:
    """A Plan with a mistake is refused with its kind; the old one stays, as do its connections."""
    with gate() as g:
        assert g.client.request().status == 200
        broken, kind = _broken(plan(g.origin.address))[name]
        with pytest.raises(Refused) as refused:
            g.engine.apply(broken)
        assert refused.value.kind == kind, str(refused.value)
        assert refused.value.message
        assert g.client.request().status == 200
        assert g.engine.stats()["applied"] == 1


def test_missing_fault_answer_is_refused() -> None:
    """A Plan that leaves out one fault's answer is refused by the fault's name."""
    whole = plan()
    del whole["faults"]["faults"]["no_route"]
    with Engine(None) as engine, pytest.raises(Refused, match="no_route"):
        engine.apply(whole)


def test_bad_rule_says_where() -> None:
    """A pattern that does not compile is refused with the place it stands at."""
    bad = {"path_regex": {"regex": "(", "dialect": "re2", "ignore_case": False, "slot": None}}
    with Engine(None) as engine, pytest.raises(Refused) as refused:
        engine.apply(plan(rules=[{"match": bad, "route": "app"}]))
    assert refused.value.kind in ("bad_plan", "bad_reference")
    assert refused.value.where


def test_what_cannot_run_yet_is_named() -> None:
    """A Plan that parses and that this engine cannot run is refused as `unsupported`, by name."""
    whole = plan()
    whole["listeners"]["web"]["proxy_protocol"] = {"trusted": []}
    with Engine(None) as engine, pytest.raises(Refused) as refused:
        engine.apply(whole)
    assert refused.value.kind == "unsupported"
    assert "PROXY" in refused.value.message


def test_failures_survive_an_apply() -> None:
    """An endpoint that rests goes on resting when an apply leaves it in place (identity: service, address, ordinal)."""
    with Origin(answering(b"ok")) as origin:
        gone = Origin()
        gone.close()
        whole = plan(gone.address, origin.address)
        with Engine(whole) as engine, engine.client() as client:
            for _ in range(4):
                assert client.request().status == 200
            assert engine.stats()["services"]["app"][0]["resting"]
            engine.apply(whole)
            first = engine.stats()["services"]["app"][0]
            assert first["resting"]
            assert first["failures"] == 1


def test_sighup_reads_the_plan_again() -> None:
    """SIGHUP reads `--plan` again; a broken file changes nothing and is said."""
    whole = plan(routes={"app": respond("old")})
    with Engine(whole) as engine, engine.client() as client:
        assert client.request().text == "old"
        (engine.path / "plan.json").write_text(
            json.dumps(replaced(whole, "routes.app.action.respond.body.0.literal", "new"))
        )
        os.kill(engine.pid, signal.SIGHUP)
        until(lambda: client.request().text == "new", what="the new Plan")
        lines = len(engine.log_lines)
        (engine.path / "plan.json").write_text("{")
        os.kill(engine.pid, signal.SIGHUP)
        until(lambda: len(engine.log_lines) > lines, what="the log to say so")
        assert client.request().text == "new"


def test_connections_survive_200_applies() -> None:
    """A WebSocket, an event stream and an idle connection live through 200 applies that add and remove a listener."""
    turns = threading.Semaphore(0)

    def streaming(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        while turns.acquire(timeout=60):
            visit.send(b"5\r\ndata\n\r\n")

    with Uvicorn(ECHO) as app, Origin(streaming) as events:
        rules = [{"match": {"path": "/stream"}, "route": "stream"}, {"match": "always", "route": "app"}]

        def numbered(number: int) -> dict[str, object]:
            listeners = {"web": listener(), **({"more": listener()} if number % 2 else {})}
            services = {"events": service(events.address)}
            routes = {"stream": route(proxy("events")), f"extra{number}": respond(str(number))}
            extra = [{"match": {"path": "/number"}, "route": f"extra{number}"}]
            return plan(app.address, listeners=listeners, services=services, routes=routes, rules=extra + rules)

        with (
            Engine(numbered(0)) as engine,
            engine.control() as control,
            engine.client() as idle,
            engine.client() as stream,
        ):
            host, port = engine.tcp()
            with connect(f"ws://{host}:{port}/ws", proxy=None) as ws:
                ws.recv()
                assert idle.request("GET", "/who").status == 200
                stream.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
                assert stream.read_head().status == 200
                with engine.client() as asking:
                    for number in range(1, 201):
                        applied = control.call("apply", plan=numbered(number))
                        assert ("more" in applied["listeners"]) == bool(number % 2)
                        assert asking.request("GET", "/number").text == str(number)
                        if number % 20 == 0:
                            turns.release()
                            assert stream.read_chunk() == b"data\n"
                            ws.send(f"turn {number}")
                            assert ws.recv() == f"turn {number}"[::-1]
                assert idle.request("GET", "/who").status == 200
                assert control.call("stats")["applied"] == 201
                until(lambda: control.call("stats")["snapshots"] <= 3, what="old Snapshots to be dropped")


def test_streams_of_a_removed_route_end() -> None:
    """A tunnel whose route is removed is closed after `removed_route_ms`, not before; one whose route stays lives."""

    def tunnel(visit: Visit) -> None:
        visit.read_head()
        visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        visit.read_to_end()

    ask = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    rules = [{"match": {"path": "/gone"}, "route": "gone"}, {"match": "always", "route": "app"}]
    with Origin(once_each(tunnel)) as origin:
        whole = plan(origin.address, rules=rules)
        whole["routes"]["gone"] = whole["routes"]["app"]
        whole["lifetimes"]["removed_route_ms"] = 1_000
        after = replaced(whole, "tables.table.first", rules[1:])
        del after["routes"]["gone"]
        with Engine(whole) as engine, engine.client() as going, engine.client() as staying:
            for client, name in ((going, b"gone"), (staying, b"stay")):
                client.send(ask % name)
                assert client.read_head().status == 101
            start = time.monotonic()
            engine.apply(after)
            going.assert_ended()
            assert 0.8 < time.monotonic() - start < 10
            assert not staying.ended_now()


def test_no_request_fails_while_plans_change() -> None:
    """100 applies under load from ten clients, new connections and kept ones: every answer is 200."""
    with Origin(answering(b"ok")) as origin:
        plans = [plan(origin.address, routes={f"r{n}": respond("x")}) for n in range(2)]
        with Engine(plans[0]) as engine, engine.control() as control:
            stop = threading.Event()
            wrong: list[object] = []

            def ask(*, keep: bool) -> None:
                client = engine.client()
                while not stop.is_set():
                    try:
                        response = client.request()
                        if response.status != 200 or response.closes:
                            wrong.append(response)
                        if not keep:
                            client.close()
                            client = engine.client()
                    except Exception as error:  # noqa: BLE001 - any failure is what this test looks for
                        wrong.append(error)
                        break
                client.close()

            workers = [threading.Thread(target=ask, kwargs={"keep": n % 2 == 0}) for n in range(10)]
            for worker in workers:
                worker.start()
            for number in range(100):
                control.call("apply", plan=plans[number % 2])
            stop.set()
            for worker in workers:
                worker.join()
            assert wrong == []
