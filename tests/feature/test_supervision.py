"""Two processes, each of which may die: traffic goes on, and nobody is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.daemun import Instance, everything_to, gone
from tests.kit.origin import Origin, Visit, answering
from tests.kit.traffic import Traffic
from tests.kit.waiting import until
from tests.kit.wire import Client

STATIC = """
[entryPoints.web]
address = "127.0.0.1:{port}"
[entryPoints.web.transport.lifeCycle]
graceTimeOut = "20s"
[providers.file]
filename = "dynamic.toml"
[log]
level = "info"
"""


@contextlib.contextmanager
def serving(origin: Origin, *, port: int = 0) -> Iterator[Instance]:
    """Files in an instance's directory, for one server."""
    with Instance() as instance:
        instance.write("daemun.toml", STATIC.format(port=port))
        instance.write("dynamic.toml", everything_to(f"http://{origin.address}"))
        yield instance


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Origin(answering(b"one")) as origin, serving(origin) as made:
        yield made


def test_control_plane_killed(instance: Instance) -> None:
    """kill -9 of the control plane loses no request; the next start adopts the engine, and may change it."""
    first = instance.run()
    engine = instance.engine_pid()
    with (
        Origin(answering(b"two")) as other,
        Traffic(instance.address()) as traffic,
        Client(instance.address()) as client,
    ):
        assert client.request().body == b"one"
        first.kill()
        traffic.more()
        assert client.request().body == b"one"
        second = instance.run()
        assert instance.engine_pid() == engine
        assert "engine adopted" in second.log
        traffic.more()
        assert client.request().body == b"one"
        instance.write("dynamic.toml", everything_to(f"http://{other.address}"))
        second.applied()
        assert client.request().body == b"two"
        traffic.more()
    assert not traffic.failures
    assert second.stop() == 0
    assert gone(engine)


def test_adopted_with_a_broken_file(instance: Instance) -> None:
    """A file that broke while no control plane ran does not take anything from the engine that runs."""
    instance.run().kill()
    engine = instance.engine_pid()
    instance.write("dynamic.toml", "[broken")
    plane = instance.run()
    assert instance.engine_pid() == engine
    assert instance.get("/").body == b"one"
    assert "dynamic.toml:1:" in plane.log
    with Origin(answering(b"two")) as other:
        instance.write("dynamic.toml", everything_to(f"http://{other.address}"))
        plane.applied()
        assert instance.get("/").body == b"two"


def test_start_with_a_broken_static_file(instance: Instance) -> None:
    """A start that fails leaves the running engine alone."""
    instance.run().kill()
    instance.write("daemun.toml", "[entryPoints\n")
    plane = instance.run(ready=False)
    assert plane.wait() == 1
    assert "daemun.toml:1:" in plane.log
    assert instance.get("/").body == b"one"


def test_engine_killed() -> None:
    """A killed engine is back with the last Plan, within a second."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
    with Origin(answering(b"one")) as origin, serving(origin, port=port) as instance:
        plane = instance.run()
        took = []
        for _ in range(2):
            engine = instance.engine_pid()
            plane.forget()
            begun = time.monotonic()
            os.kill(engine, signal.SIGKILL)
            plane.applied()
            took.append(time.monotonic() - begun)
            assert instance.get("/").body == b"one"
            assert instance.engine_pid() != engine
        assert min(took) < 1, took
        assert "the engine was killed by SIGKILL" in plane.log


def test_crash_loop(instance: Instance) -> None:
    """An engine that dies young three times is started with the Plan before the last; a new file is taken as ever."""
    plane = instance.run()
    with Origin(answering(b"two")) as two, Origin(answering(b"three")) as three:
        more = '[http.routers.b]\nrule = "Path(`/b`)"\nservice = "a"\n'
        instance.write("dynamic.toml", everything_to(f"http://{two.address}") + more)
        plane.applied()
        assert instance.get("/").body == b"two"
        for _ in range(3):
            os.kill(instance.engine_pid(), signal.SIGKILL)
            plane.applied()
        assert instance.get("/").body == b"one"
        assert "going back to the one before" in plane.log
        instance.write("dynamic.toml", everything_to(f"http://{three.address}"))
        plane.applied()
        assert instance.get("/").body == b"three"


def test_only_the_endpoints_are_set(instance: Instance) -> None:
    """Another server is no new Plan; the engine that is started again has it all the same, and the next Plan keeps it."""
    plane = instance.run()
    with Origin(answering(b"two")) as two, Origin(answering(b"three")) as three:
        for origin, body in ((two, b"two"), (three, b"three")):
            instance.write("dynamic.toml", everything_to(f"http://{origin.address}"))
            assert plane.told("X_DAEMUN_ENDPOINTS") == "1"
            assert instance.get("/").body == body
        with instance.control() as control:
            assert control.call("stats")["applied"] == 1
        assert three.address in (instance.state / "plan.json").read_text()
        os.kill(instance.engine_pid(), signal.SIGKILL)
        plane.applied()
        assert instance.get("/").body == b"three"
        more = '[http.routers.b]\nrule = "Path(`/b`)"\nservice = "a"\n'
        instance.write("dynamic.toml", everything_to(f"http://{three.address}") + more)
        assert plane.applied() == 2
        assert instance.get("/b").body == b"three"


def test_endpoints_set_before_an_adoption(instance: Instance) -> None:
    """The next control plane's endpoints are newer than those that were set by the one before."""
    first = instance.run()
    with Origin(answering(b"two")) as two, Origin(answering(b"three")) as three:
        instance.write("dynamic.toml", everything_to(f"http://{two.address}"))
        first.told("X_DAEMUN_ENDPOINTS")
        first.kill()
        instance.write("dynamic.toml", everything_to(f"http://{three.address}"))
        instance.run()
        assert instance.get("/").body == b"three"


def test_engine_killed_after_adoption(instance: Instance) -> None:
    """An engine that is not our child is watched just the same."""
    instance.run().kill()
    plane = instance.run()
    plane.forget()
    engine = instance.engine_pid()
    os.kill(engine, signal.SIGKILL)
    plane.applied()
    assert instance.engine_pid() not in {0, engine}
    assert instance.get("/").body == b"one"


def test_second_instance_is_refused(instance: Instance) -> None:
    """Who comes second is told whom to ask, and disturbs nothing."""
    first = instance.run()
    second = instance.run(ready=False)
    assert second.wait() == 1
    assert f"another daemun (pid {first.pid})" in second.log
    assert "--replace" in second.log
    assert instance.get("/").body == b"one"


def test_replace(instance: Instance) -> None:
    """--replace takes over: the old control plane leaves, the engine and its connections stay."""
    first = instance.run()
    engine = instance.engine_pid()
    with Client(instance.address()) as client:
        assert client.request().body == b"one"
        instance.run("--replace")
        assert first.wait() == 0
        assert instance.engine_pid() == engine
        assert client.request().body == b"one"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(instance: Instance, number: signal.Signals) -> None:
    """TERM and INT end both, with 0, and leave no socket."""
    plane = instance.run()
    engine = instance.engine_pid()
    plane.signal(number)
    assert plane.wait() == 0
    assert gone(engine)
    assert sorted(entry.name for entry in instance.state.iterdir()) == ["lock", "plan.json"]


def test_stop_after_adoption(instance: Instance) -> None:
    """An adopted engine is stopped too."""
    instance.run().kill()
    engine = instance.engine_pid()
    assert instance.run().stop() == 0
    assert gone(engine)


def test_stop_lets_requests_finish() -> None:
    """What runs when TERM comes gets its answer; a second TERM would not wait."""
    go = threading.Event()

    def slow(visit: Visit) -> None:
        visit.read_request()
        go.wait()
        visit.answer(b"late")

    with Origin(slow) as origin, serving(origin) as instance, Client(instance_address(instance)) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        until(lambda: origin.requests, what="the request at the origin")
        plane = instance.planes[0]
        plane.forget()
        plane.signal(signal.SIGTERM)
        plane.told("STOPPING")
        go.set()
        assert client.read_response().body == b"late"
        assert plane.wait() == 0


def test_second_term_ends_at_once() -> None:
    """A second TERM does not wait for what runs."""
    go = threading.Event()

    def slow(visit: Visit) -> None:
        visit.read_request()
        go.wait()

    with Origin(slow) as origin, serving(origin) as instance, Client(instance_address(instance)) as client:
        try:
            client.send(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
            until(lambda: origin.requests, what="the request at the origin")
            plane, engine = instance.planes[0], instance.engine_pid()
            plane.signal(signal.SIGTERM)
            plane.told("STOPPING")
            begun = time.monotonic()
            plane.signal(signal.SIGTERM)
            assert plane.wait() == 0
            assert time.monotonic() - begun < 15
            assert gone(engine)
        finally:
            go.set()


def instance_address(instance: Instance) -> tuple[str, int]:
    """Run it and return its address."""
    instance.run()
    return instance.address()


def test_port_in_use(instance: Instance) -> None:
    """An address that is taken ends the start with its reason, and leaves no engine."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        instance.write("daemun.toml", STATIC.format(port=taken.getsockname()[1]))
        plane = instance.run(ready=False)
        assert plane.wait() == 1
    assert "in use" in plane.log
    assert instance.engine_pid() == 0


def test_the_engine_is_on_its_own(instance: Instance) -> None:
    """The engine has a session of its own and writes to what we write to, not through us."""
    plane = instance.run()
    engine = instance.engine_pid()
    assert os.getsid(engine) == engine
    for descriptor in (1, 2):
        theirs, ours = (Path(f"/proc/{pid}/fd/{descriptor}").readlink() for pid in (engine, plane.pid))
        assert theirs == ours


def test_resident(instance: Instance) -> None:
    """The running control plane stays below 60 MB."""
    plane = instance.run()
    assert plane.resident() < 60 * 1000 * 1000
