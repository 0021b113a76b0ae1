"""What outlives a request: idle connections, tunnels, streams, Snapshots, sinks and the engine's own end."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.kit.control import Refused
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit
from tests.kit.plans import access_log, endpoint, plan, policy, replaced
from tests.kit.waiting import until

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
AGREED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"


def tunnel(visit: Visit) -> None:
    visit.read_head()
    visit.send(AGREED)
    visit.read_to_end()


def test_snapshots_are_freed_with_tunnels_and_idle_connections() -> None:
    """Neither an open tunnel nor an idle connection holds an old Snapshot."""
    with gate(tunnel) as g, g.engine.client() as idle:
        whole = plan(g.origin.address)
        g.client.send(UPGRADE)
        assert g.client.read_head().status == 101
        until(lambda: g.engine.stats()["threads"], what="statistics")
        for _ in range(5):
            g.engine.apply(whole)
        until(lambda: g.engine.stats()["snapshots"] == 1, what="old Snapshots to be freed", limit=5)
        idle.close()


def test_tunnel_that_is_busy_from_the_start_is_not_idle() -> None:
    """The idle time of a tunnel begins anew with every byte, though one side never empties its buffer."""

    def busy(visit: Visit) -> None:
        visit.read_head()
        visit.send(AGREED + b"x" * 30_000_000)
        while True:
            visit.read_more()

    with gate(busy, upstream={"read_idle_ms": 1_000}) as g, g.engine.client(receive_buffer=4096) as client:
        client.send(UPGRADE)
        assert client.read_head().status == 101
        # Nothing is read for three times the idle time; the other direction moves.
        for number in range(60):
            client.send(b"%d" % number)
            threading.Event().wait(0.05)
        assert len(client.read_exactly(30_000_000)) == 30_000_000


def test_tunnel_of_a_removed_endpoint_ends() -> None:
    """A tunnel to an endpoint that `set_endpoints` takes away is closed after `removed_route_ms`; no apply is needed."""
    with Origin(tunnel) as origin, Origin() as other:
        whole = plan(origin.address)
        whole["lifetimes"]["removed_route_ms"] = 300
        with Engine(whole) as engine, engine.client() as client, engine.control() as control:
            client.send(UPGRADE)
            assert client.read_head().status == 101
            control.call("set_endpoints", service="app", generation=2, endpoints=[endpoint(other.address)])
            client.assert_ended()
            assert engine.stats()["services"]["app"][0]["in_flight"] == 0


def test_tunnel_of_a_removed_route_may_live_for_ever() -> None:
    """`removed_route_ms` 0 is no limit, as everywhere in the Plan."""
    with gate(tunnel) as g:
        g.client.send(UPGRADE)
        assert g.client.read_head().status == 101
        other = plan(g.origin.address)
        other["lifetimes"]["removed_route_ms"] = 0
        other["routes"]["other"] = other["routes"].pop("app")
        other["tables"]["table"]["first"][0]["route"] = "other"
        g.engine.apply(other)
        threading.Event().wait(0.7)
        assert not g.client.ended_now()


def test_head_timeout_zero_is_never() -> None:
    """With `head_ms` 0 half a head may wait: the keep-alive time is not taken instead."""
    with gate(http=policy(timeouts={"head_ms": 0, "keepalive_ms": 300})) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHo")
        threading.Event().wait(1)
        g.client.send(b"st: a\r\n\r\n")
        assert g.client.read_response().status == 200


def test_buffer_filled_exactly_leaves_an_idle_connection() -> None:
    """A connection whose last read filled the buffer to its last byte is idle like any other: SIGTERM ends it at once."""
    with gate() as g:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        size = 16 * 1024
        length = size - len(head % 10_000)
        whole = head % length + b"x" * length
        assert len(whole) == size
        g.client.send(whole)
        assert g.client.read_response().status == 200
        g.engine.terminate()
        assert g.engine.process.wait(5) == 0


def test_apply_keeps_newer_endpoints() -> None:
    """A Plan whose list of endpoints is older than what `set_endpoints` gave leaves the newer list in place."""
    with Origin() as origin, Origin() as newer:
        whole = plan(origin.address)
        with Engine(whole) as engine, engine.control() as control:
            control.call("set_endpoints", service="app", generation=5, endpoints=[endpoint(newer.address)])
            control.call("apply", plan=whole)
            assert [e["address"] for e in control.call("stats")["services"]["app"]] == [newer.address]
            with pytest.raises(Refused) as refused:
                control.call("set_endpoints", service="app", generation=4, endpoints=[endpoint(origin.address)])
            assert refused.value.kind == "stale"
            control.call("apply", plan=replaced(whole, "services.app.kind.balanced.generation", 6))
            assert [e["address"] for e in control.call("stats")["services"]["app"]] == [origin.address]


@pytest.mark.parametrize("grace", [2**64 - 1, 2**63, 10**12])
def test_shutdown_with_a_very_long_grace(grace: int) -> None:
    """A grace beyond every clock is just long: what runs ends, then the engine does."""
    go = threading.Event()

    def slow(visit: Visit) -> None:
        visit.read_request()
        go.wait(30)
        visit.answer()

    with gate(slow) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: g.origin.requests, what="the request")
        with g.engine.control() as control:
            control.call("shutdown", grace_ms=grace)
        until(lambda: g.engine.logged("stopping"), what="the end to begin")
        go.set()
        assert g.client.read_response().status == 200
        assert g.engine.wait() == 0


def test_rest_beyond_every_clock() -> None:
    """A rest longer than the clock can tell is a rest, not a panic."""
    gone = Origin()
    gone.close()
    with (
        Origin() as origin,
        Engine(plan(gone.address, origin.address, balance={"rest": {"rest_ms": 2**64 - 1}})) as engine,
    ):
        with engine.client() as client:
            for _ in range(4):
                assert client.request().status == 200
        assert engine.stats()["services"]["app"][0]["resting"]
        assert engine.stats()["panics"] == 0


def _descriptors(engine: Engine) -> set[str]:
    found = set()
    for link in Path(f"/proc/{engine.pid}/fd").iterdir():
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue
    return found


def test_log_file_that_no_plan_names_is_closed(tmp_path: Path) -> None:
    """A log that leaves the Plan is written to its end and closed, and its thread ends; coming back opens it anew."""
    fields = [("status", "status", "number")]
    path = tmp_path / "access.log"

    def logged(name: Path) -> dict[str, Any]:
        return plan(origin.address, logs={"access": access_log({"file": {"path": str(name), "mode": 0o644}}, fields)})

    with Origin() as origin, Engine(plan(origin.address)) as engine, engine.client() as client:
        threads = engine.threads()
        for number in range(3):
            engine.apply(logged(tmp_path / f"{number}.log"))
            assert client.request().status == 200
        engine.apply(logged(path))
        assert client.request().status == 200
        engine.apply(plan(origin.address))
        until(lambda: engine.threads() == threads, what="the writers to end", limit=10)
        assert not any(name.endswith(".log") for name in _descriptors(engine))
        for number in range(3):
            assert (tmp_path / f"{number}.log").read_text() == '{"status":200}\n'
        engine.apply(logged(path))
        assert client.request().status == 200
        until(lambda: path.read_text().count("\n") == 2, what="the second line")


def test_client_that_left_before_the_event_stream_began() -> None:
    """A reader that left while the head of its event stream was awaited does not hold the stream open."""
    asked = threading.Event()
    go = threading.Event()

    def streaming(visit: Visit) -> None:
        visit.read_request()
        asked.set()
        go.wait(30)
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        visit.read_to_end()

    with gate(streaming) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert asked.wait(10)
        g.client.finish_writing()
        threading.Event().wait(0.1)
        go.set()
        until(lambda: g.engine.stats()["services"]["app"][0]["in_flight"] == 0, what="the stream to end", limit=5)


def test_second_signal_ends_at_once() -> None:
    """A second SIGTERM does not wait for a request that runs."""

    def never(visit: Visit) -> None:
        visit.read_request()
        visit.read_to_end()

    with gate(never) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: g.origin.requests, what="the request")
        g.engine.terminate()
        until(lambda: g.engine.logged("stopping"), what="the end to begin")
        g.engine.process.send_signal(signal.SIGTERM)
        assert g.engine.process.wait(5) == 0


def slow_body(visit: Visit) -> None:
    """Begins an answer and never ends it."""
    visit.read_request()
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    visit.read_to_end()


def silent(visit: Visit) -> None:
    """Takes a request and never answers."""
    visit.read_request()
    visit.read_to_end()


@pytest.mark.parametrize("script", [slow_body, silent])
def test_longest_life_of_a_snapshot(script: Any) -> None:
    """An exchange that still holds a replaced Snapshot after `snapshot_ms` is ended, and the Snapshot is freed."""
    with gate(script) as g:
        whole = plan(g.origin.address)
        whole["lifetimes"]["snapshot_ms"] = 300
        g.engine.apply(whole)
        with g.engine.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: g.engine.stats()["services"]["app"][0]["in_flight"], what="the request")
            g.engine.apply(replaced(whole, "lifetimes.snapshot_ms", 0))
            if script is silent:
                assert client.read_response().status == 504
            else:
                assert client.read_head().status == 200
                assert client.read_exactly(5) == b"12345"
                client.assert_ended()
        until(lambda: g.engine.stats()["snapshots"] == 1, what="the old Snapshot to be freed")
