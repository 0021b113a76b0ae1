"""Configuration files change while traffic flows: what is right applies, what is wrong changes nothing."""

from __future__ import annotations

import errno
import itertools
import queue
import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.kit.daemun import Instance
from tests.kit.origin import Origin, Visit, answering
from tests.kit.traffic import Traffic
from tests.kit.wire import Client

STATIC = """
[entryPoints.web]
address = "127.0.0.1:0"
[providers.file]
filename = "dynamic.toml"
[log]
level = "info"
"""


def routers(**paths: str) -> str:
    """A dynamic file: a router for each path prefix, to this server."""
    text = ""
    for name, target in paths.items():
        path, _, url = target.partition(" ")
        text += f'[http.routers.{name}]\nrule = "PathPrefix(`{path}`)"\nservice = "{name}"\n'
        text += f'[http.services.{name}.loadBalancer]\nservers = [{{url = "{url}"}}]\n'
    return text


@pytest.fixture
def origins() -> Iterator[tuple[str, str]]:
    """Two servers that say `one` and `two`."""
    with Origin(answering(b"one")) as one, Origin(answering(b"two")) as two:
        yield f"http://{one.address}", f"http://{two.address}"


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance() as made:
        made.write("daemun.toml", STATIC)
        yield made


def test_rename_and_in_place(instance: Instance, origins: tuple[str, str]) -> None:
    """Both ways of changing a file take effect, on connections that are open too."""
    one, two = origins
    instance.write("dynamic.toml", routers(a=f"/ {one}"))
    plane = instance.run()
    with Client(instance.address()) as client:
        assert client.request().body == b"one"
        instance.write("dynamic.toml", routers(a=f"/ {two}"))
        plane.applied()
        assert client.request().body == b"two"
        (instance.path / "dynamic.toml").write_text(routers(a=f"/ {one}"))
        plane.applied()
        assert client.request().body == b"one"


def test_within_a_second(instance: Instance, origins: tuple[str, str]) -> None:
    """With 100 routers a change is in effect within a second of the rename."""
    one, _ = origins
    many = {f"r{number}": f"/r{number} {one}" for number in range(100)}
    instance.write("dynamic.toml", routers(**many))
    plane = instance.run()
    took = []
    for attempt in range(3):
        plane.forget()
        instance.write("dynamic.toml", routers(**many, new=f"/new{attempt} {one}"))
        begun = time.monotonic()
        plane.applied()
        took.append(time.monotonic() - begun)
        assert instance.get(f"/new{attempt}").body == b"one"
    assert min(took) < 1, took


def test_broken_file_changes_nothing(instance: Instance, origins: tuple[str, str]) -> None:
    """A file that does not parse is reported with its place; the old routes go on; the next good file applies."""
    one, two = origins
    instance.write("dynamic.toml", routers(a=f"/ {one}"))
    plane = instance.run()
    instance.write("dynamic.toml", '[http.routers.a]\nrule = "PathPrefix(`/`)\n')
    plane.refused()
    assert instance.get("/").body == b"one"
    assert re.search(r"ERR this is not TOML: .* at \S*dynamic\.toml:2:\d+", plane.log)
    (instance.path / "dynamic.toml").unlink()
    plane.refused()
    assert instance.get("/").body == b"one"
    instance.write("dynamic.toml", routers(a=f"/ {two}"))
    plane.applied()
    assert instance.get("/").body == b"two"


def test_one_bad_router(instance: Instance, origins: tuple[str, str]) -> None:
    """A router that cannot be used is reported with its place; the others serve."""
    one, two = origins
    bad = '[http.routers.bad]\nrule = "PathPrefix(`/wrong`"\nservice = "a"\n'
    instance.write("dynamic.toml", routers(a=f"/a {one}"))
    plane = instance.run()
    instance.write("dynamic.toml", bad + routers(a=f"/a {one}", b=f"/b {two}"))
    plane.applied()
    assert instance.get("/a").body == b"one"
    assert instance.get("/b").body == b"two"
    assert instance.get("/wrong").status == 404
    assert re.search(r"ERR .* at \S*dynamic\.toml:2:\d+ .*subject=http\.routers\.bad\.rule", plane.log)


def test_directory(instance: Instance, origins: tuple[str, str]) -> None:
    """Files of a directory come, change and go."""
    one, two = origins
    instance.write("daemun.toml", STATIC.replace('filename = "dynamic.toml"', 'directory = "conf.d"'))
    directory = instance.path / "conf.d"
    directory.mkdir()
    plane = instance.run()
    assert instance.get("/a").status == 404
    (directory / "a.toml").write_text(routers(a=f"/a {one}"))
    plane.applied()
    (directory / "b.yml").write_text(
        "http: {routers: {b: {rule: 'PathPrefix(`/b`)', service: b}},"
        f" services: {{b: {{loadBalancer: {{servers: [{{url: '{two}'}}]}}}}}}}}"
    )
    plane.applied()
    assert (instance.get("/a").body, instance.get("/b").body) == (b"one", b"two")
    (directory / "a.toml").unlink()
    plane.applied()
    assert (instance.get("/a").status, instance.get("/b").body) == (404, b"two")


def test_static_file(instance: Instance, origins: tuple[str, str]) -> None:
    """Entry points appear and vanish without a restart; a connection of another one does not notice."""
    one, _ = origins
    instance.write("dynamic.toml", routers(a=f"/ {one}"))
    plane = instance.run()
    with Client(instance.address()) as client:
        assert client.request().body == b"one"
        instance.write("daemun.toml", STATIC + '[entryPoints.second]\naddress = "127.0.0.1:0"\n')
        plane.applied()
        assert instance.get("/", listener="second").body == b"one"
        assert client.request().body == b"one"
        old = instance.address("second")
        instance.write("daemun.toml", STATIC)
        plane.applied()
        assert client.request().body == b"one"
        with socket.socket() as late:
            assert late.connect_ex(old) == errno.ECONNREFUSED
        instance.write("daemun.toml", "[entryPoints\n")
        plane.refused()
        assert client.request().body == b"one"


def test_nothing_changed(instance: Instance, origins: tuple[str, str]) -> None:
    """A file that means the same is not applied again."""
    one, _ = origins
    text = routers(a=f"/ {one}")
    instance.write("dynamic.toml", text)
    plane = instance.run()
    with instance.control() as control:
        before = control.call("stats")["applied"]
        plane.forget()
        instance.write("dynamic.toml", text)
        plane.told("X_DAEMUN_UNCHANGED")
        assert control.call("stats")["applied"] == before


@pytest.mark.parametrize("keep_alive", [False, True])
def test_no_request_notices(instance: Instance, origins: tuple[str, str], *, keep_alive: bool) -> None:
    """While routes, servers and an entry point come and go, every request of another router is answered."""
    one, two = origins
    second = '[entryPoints.second]\naddress = "127.0.0.1:0"\n'
    instance.write("dynamic.toml", routers(a=f"/ {one}"))
    plane = instance.run()
    with Traffic(instance.address(), keep_alive=keep_alive) as traffic:
        for number in range(20):
            instance.write("daemun.toml", STATIC + second * (number % 2 == 0))
            plane.applied()
            instance.write("dynamic.toml", routers(a=f"/ {(one, two)[number % 2]}", b=f"/b{number} {one}"))
            plane.applied()
            traffic.more(5)
    assert not traffic.failures


def lasting(visit: Visit) -> None:
    """Answers by path: a tunnel that echoes, a stream of events (one for each line of the tunnel), a plain answer."""
    while True:
        request = visit.read_request()
        if request.target == "/ws":
            visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            while True:
                visit.send(visit.read_until(b"\n"))
        if request.target == "/events":
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in itertools.count():
                visit.send(b"4\r\n%4d\r\n" % number)
                STEPS.get()
        visit.answer(b"plain")


STEPS: queue.Queue[None] = queue.Queue()
WEBSOCKET = (
    b"GET /ws HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.mark.timeout(400)
def test_lasting_connections(instance: Instance) -> None:
    """A WebSocket, an event stream and an idle connection survive 200 reloads that add and remove an entry point."""
    second = '[entryPoints.second]\naddress = "127.0.0.1:0"\n'
    with Origin(lasting) as origin:
        url = f"http://{origin.address}"
        instance.write("dynamic.toml", routers(a=f"/ {url}"))
        plane = instance.run()
        address = instance.address()
        with Client(address) as tunnel, Client(address) as events, Client(address) as idle:
            assert idle.request().body == b"plain"
            tunnel.send(WEBSOCKET)
            assert tunnel.read_head().status == 101
            events.send(b"GET /events HTTP/1.1\r\nHost: example.org\r\n\r\n")
            assert events.read_head().status == 200
            assert events.read_chunk() == b"   0"
            for number in range(1, 101):
                instance.write("daemun.toml", STATIC + second * (number % 2))
                plane.applied()
                instance.write("dynamic.toml", routers(a=f"/ {url}", **{f"b{number}": f"/b {url}"}))
                plane.applied()
                if number % 10 == 0:
                    tunnel.send(b"%d\n" % number)
                    assert tunnel.read_until(b"\n") == b"%d\n" % number
                    STEPS.put(None)
                    assert events.read_chunk() == b"%4d" % (number // 10)
            assert idle.request().body == b"plain"
        STEPS.put(None)
