"""How listeners come, change and go: their sockets close when they should, and what is connected is served."""

from __future__ import annotations

import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.kit.control import Refused
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit
from tests.kit.plans import listener, plan, replaced
from tests.kit.waiting import until
from tests.kit.wire import Client

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"


def tunnel(visit: Visit) -> None:
    visit.read_head()
    visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
    visit.read_to_end()


def refuses(address: Any) -> bool:
    try:
        socket.create_connection(address, 5).close()
    except OSError:
        return True
    return False


def test_removed_listener_refuses_while_a_tunnel_lives() -> None:
    """A removed address refuses at once though a tunnel of it still runs, and can be bound again."""
    with Origin(tunnel) as origin:
        one = plan(origin.address)
        with Engine(plan(origin.address, listeners={"web": listener(), "more": listener()})) as engine:
            address = engine.tcp("more")
            two = plan(origin.address, listeners={"web": listener(), "more": listener(port=address[1])})
            with engine.client("more") as client:
                client.send(UPGRADE)
                assert client.read_head().status == 101
                engine.apply(one)
                until(lambda: refuses(address), what="the removed address to refuse", limit=5)
                assert engine.apply(two)["listeners"]["more"].endswith(str(address[1]))
                assert not refuses(address)


def test_unix_listener_comes_back_while_a_tunnel_lives(tmp_path: Path) -> None:
    """A Unix socket that is removed and added again stays, also when the last connection of the first one ends."""
    path = str(tmp_path / "gate.sock")
    with Origin(tunnel) as origin:
        one = plan(origin.address)
        two = plan(origin.address, listeners={"web": listener(), "more": listener(unix=path)})
        with Engine(two) as engine:
            client = engine.client("more")
            client.send(UPGRADE)
            assert client.read_head().status == 101
            engine.apply(one)
            until(lambda: not Path(path).exists(), what="the path to go", limit=5)
            engine.apply(two)
            client.close()
            until(lambda: engine.stats()["threads"] and _open(engine) == 0, what="the tunnel to end")
            with Client(path) as again:
                again.send(UPGRADE)
                assert again.read_head().status == 101


def _open(engine: Engine) -> int:
    return sum(thread["connections"] for thread in engine.stats()["threads"])


def test_connection_of_a_removed_listener_is_served() -> None:
    """A connection that was made and has not asked yet gets its answer after the removal, and is closed then."""
    with gate(listeners={"web": listener(), "more": listener()}) as g, g.engine.client("more") as early:
        until(lambda: g.engine.stats()["listeners"]["more"]["connections"] == 1, what="the connection")
        g.engine.apply(plan(g.origin.address))
        response = early.request()
        assert response.status == 200
        assert response.closes
        early.assert_ended()


@pytest.mark.parametrize("limit", [0, 3])
def test_connection_limit_is_raised(limit: int) -> None:
    """A connection that waits for a place is accepted as soon as a new Plan gives one."""
    with gate(listeners={"web": listener(max_connections=1)}) as g:
        assert g.client.request().status == 200
        with g.engine.client() as waiting:
            waiting.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            g.engine.apply(plan(g.origin.address, listeners={"web": listener(max_connections=limit)}))
            assert waiting.read_response().status == 200


def test_same_address_twice_is_refused(tmp_path: Path) -> None:
    """Two listeners of one Plan on one address are refused, also when the address is kept from before."""
    path = str(tmp_path / "gate.sock")
    with Origin() as origin:
        one = plan(origin.address, listeners={"web": listener(unix=path)})
        two = plan(origin.address, listeners={"web": listener(unix=path), "more": listener(unix=path)})
        with Engine(one) as engine:
            with pytest.raises(Refused) as refused:
                engine.apply(two)
            assert refused.value.kind == "bind_failed"
            with engine.client() as client:
                assert client.request().status == 200


def test_file_in_the_place_of_a_socket_stays(tmp_path: Path) -> None:
    """A Unix listener never removes a file that is no socket."""
    path = tmp_path / "precious.txt"
    path.write_text("mine")
    with Origin() as origin, Engine(plan(origin.address)) as engine:
        with pytest.raises(Refused) as refused:
            engine.apply(plan(origin.address, listeners={"web": listener(unix=str(path))}))
        assert refused.value.kind == "bind_failed"
    assert path.read_text() == "mine"


def test_failed_apply_leaves_nothing_bound(tmp_path: Path) -> None:
    """Addresses that were bound before an apply failed are given back, Unix sockets too."""
    path = tmp_path / "new.sock"
    with Origin() as origin, Engine(plan(origin.address)) as engine, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
        probe.close()
        more = {"web": listener(), "a": listener(port=address[1]), "b": listener(unix=str(path))}
        broken = replaced(plan(origin.address, listeners=more), "routes.app.faults", "nobody")
        with pytest.raises(Refused):
            engine.apply(broken)
        assert refuses(address)
        assert not path.exists()


def test_mode_of_a_unix_listener_changes(tmp_path: Path) -> None:
    """A Unix listener that only gets another mode keeps its socket."""
    path = tmp_path / "gate.sock"

    def whole(mode: int) -> Any:
        return plan(
            origin.address, listeners={"web": {**listener(), "bind": {"unix": {"path": str(path), "mode": mode}}}}
        )

    with Origin() as origin, Engine(whole(0o600)) as engine, engine.client() as client:
        assert client.request().status == 200
        engine.apply(whole(0o660))
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert client.request().status == 200


@pytest.mark.parametrize(("before", "after"), [("", "127.0.0.1"), ("127.0.0.1", ""), ("0.0.0.0", "127.0.0.1")])
def test_listener_moves_to_an_overlapping_address(before: str, after: str) -> None:
    """`:8080` becomes `127.0.0.1:8080` and back: the new address includes the old one, which goes with the same Plan."""
    with Origin() as origin, Engine(plan(origin.address, listeners={"web": listener(host=before)})) as engine:
        port = engine.tcp()[1]
        with Client(("127.0.0.1", port)) as old:
            assert old.request().status == 200
            engine.apply(plan(origin.address, listeners={"web": listener(host=after, port=port)}))
            with Client(("127.0.0.1", port)) as client:
                assert client.request().status == 200
            # A second engine is still told.
            second = Engine(plan(origin.address, listeners={"web": listener(host=after, port=port)}), ready=False)
            try:
                assert second.wait() == 1
            finally:
                second.kill()


def test_connections_in_the_queue_are_served_at_removal() -> None:
    """Connections that the kernel completed before a listener is removed are accepted and answered."""
    with gate(listeners={"web": listener(), "more": listener()}) as g:
        address = g.engine.address("more")
        clients = [Client(address) for _ in range(50)]
        remove = threading.Thread(target=g.engine.apply, args=(plan(g.origin.address),))
        remove.start()
        for client in clients:
            with client:
                assert client.request().status == 200
        remove.join()
