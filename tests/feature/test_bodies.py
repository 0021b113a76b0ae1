"""Large bodies each way at constant memory, and back-pressure: who reads slowly stops who sends.

`DAEMUN_BODY_BYTES` sets the size (`make soak`: 10 GB); 1 GB without it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Gone, Origin, Script, Visit
from tests.kit.plans import plan
from tests.kit.waiting import until

BYTES = int(os.environ.get("DAEMUN_BODY_BYTES", str(10**9)))
PEAK = 64 << 20
"""The most the engine may ever have had resident (issue 3)."""

BLOCK = bytes(range(256)) * 4096


def _blocks(count: int, size: int) -> tuple[int, int]:
    return count // size, count % size


def _take(connection: socket.socket, count: int, into: memoryview) -> int:
    """Receives up to `count` bytes; how many came before the end."""
    taken = 0
    while taken < count:
        got = connection.recv_into(into[: min(len(into), count - taken)])
        if not got:
            break
        taken += got
    return taken


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_download(framing: str) -> None:
    """Every byte arrives, and the engine's peak memory stays below 64 MB."""
    whole, rest = _blocks(BYTES, len(BLOCK))

    def sending(visit: Visit) -> None:
        visit.read_request()
        if framing == "length":
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BYTES)
            for _ in range(whole):
                visit.send(BLOCK)
            visit.send(BLOCK[:rest])
        else:
            visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK)
            for _ in range(whole):
                visit.send(chunk)
            visit.send(b"%x\r\n%s\r\n0\r\n\r\n" % (rest, BLOCK[:rest]) if rest else b"0\r\n\r\n")

    with gate(sending) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        head = g.client.read_head()
        into = memoryview(bytearray(1 << 20))
        if framing == "length":
            assert head.get("content-length") == str(BYTES)
            taken = len(g.client.buffer) + _take(g.client.socket, BYTES - len(g.client.buffer), into)
        else:
            assert head.get("transfer-encoding") == "chunked"
            taken = _chunked_size(g.client.socket, bytes(g.client.buffer))
        assert taken == BYTES
        assert g.engine.memory_peak() <= PEAK


def _chunked_size(connection: socket.socket, have: bytes) -> int:
    """The size of a chunked body whose first bytes are `have`, read without keeping it."""
    total, buffer = 0, bytearray(have)

    def more() -> None:
        part = connection.recv(1 << 20)
        assert part, "cut off"
        buffer.extend(part)

    while True:
        while (end := buffer.find(b"\r\n")) < 0:
            more()
        size = int(bytes(buffer[:end]), 16)
        del buffer[: end + 2]
        if size == 0:
            return total
        left = size + 2
        while left > len(buffer):
            left -= len(buffer)
            buffer.clear()
            more()
        del buffer[:left]
        total += size


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_upload(framing: str) -> None:
    """The same towards the origin."""
    whole, rest = _blocks(BYTES, len(BLOCK))

    def taking(visit: Visit) -> None:
        head = visit.read_head()
        have = bytes(visit.data[visit.taken :])
        if framing == "length":
            into = memoryview(bytearray(1 << 20))
            taken = len(have) + _take(visit.socket, BYTES - len(have), into)
        else:
            assert head.get("transfer-encoding") == "chunked"
            taken = _chunked_size(visit.socket, have)
        visit.answer(b"%d" % taken, "Connection: close")

    with gate(taking) as g:
        field = b"Content-Length: %d" % BYTES if framing == "length" else b"Transfer-Encoding: chunked"
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % field)
        chunk = BLOCK if framing == "length" else b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK)
        for _ in range(whole):
            g.client.send(chunk)
        if framing == "length":
            g.client.send(BLOCK[:rest])
        else:
            g.client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (rest, BLOCK[:rest]) if rest else b"0\r\n\r\n")
        assert g.client.read_response("POST").body == b"%d" % BYTES
        assert g.engine.memory_peak() <= PEAK


def _counting(counted: list[int]) -> Script:
    """An endless sender that counts what it got rid of."""

    def sending(visit: Visit) -> None:
        visit.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        visit.socket.settimeout(3)
        try:
            while True:
                counted[0] += visit.socket.send(BLOCK)
        except TimeoutError:
            counted[1] = 1
            visit.read_to_end()
        except OSError as error:
            raise Gone from error

    return sending


def test_slow_reader_stops_the_origin() -> None:
    """A client that reads nothing: the origin can send what buffers hold, then no more; memory stays."""
    counted = [0, 0]
    with (
        Origin(_counting(counted)) as origin,
        Engine(plan(origin.address)) as engine,
        engine.client(receive_buffer=65_536) as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.read_head().status == 200
        until(lambda: counted[1], what="the origin to be stopped for three seconds")
        assert counted[0] < 32 << 20
        assert engine.memory_peak() <= PEAK


def test_slow_origin_stops_the_client() -> None:
    """An origin that reads nothing: the client can send what buffers hold, then no more; others are served meanwhile."""
    release = threading.Event()

    def deaf(visit: Visit) -> None:
        if visit.read_head().method == "GET":
            visit.answer(b"ok")
            return
        release.wait(60)

    with gate(deaf) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n")
        g.client.socket.settimeout(3)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64 << 20:
                sent += g.client.socket.send(BLOCK)
        assert sent < 32 << 20
        with g.engine.client(limit=5) as other:
            assert other.request().status == 200
        assert g.engine.memory_peak() <= PEAK
        release.set()


def test_many_bodies_at_once_stay_small() -> None:
    """200 clients that read nothing of 200 endless answers: bounded memory, for each buffers little."""
    counted = [0, 0]
    with Origin(_counting(counted)) as origin, Engine(plan(origin.address)) as engine:
        clients = [engine.client(receive_buffer=4_096) for _ in range(200)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.read_head().status == 200
        until(lambda: counted[1], what="origins to be stopped")
        assert engine.memory_peak() <= PEAK
        for client in clients:
            client.close()


def test_tunnel_back_pressure() -> None:
    """A tunnel whose reader stops holds the sender, in constant memory."""

    def flood(visit: Visit) -> None:
        visit.read_head()
        visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        visit.socket.settimeout(3)
        try:
            while True:
                counted[0] += visit.socket.send(BLOCK)
        except TimeoutError:
            counted[1] = 1

    counted = [0, 0]
    with gate(flood) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        assert g.client.read_head().status == 101
        until(lambda: counted[1], what="the origin to be stopped for three seconds")
        assert counted[0] < 32 << 20
        assert g.engine.memory_peak() <= PEAK
