"""Bodies over HTTP/2: large ones each way at constant memory, and back-pressure stream by stream."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest

from tests.kit.gate import StreamGate, http2_gate
from tests.kit.http2 import WINDOW
from tests.kit.origin import Gone, Script, Visit, answering
from tests.kit.plans import policy
from tests.kit.waiting import until

BYTES = int(os.environ.get("DAEMUN_BODY_BYTES", str(300 << 20)))
PEAK = 64 << 20
"""The most the engine may ever have had resident, as over HTTP/1."""
BLOCK = bytes(range(256)) * 4096
LARGE_WINDOWS = {4: 1 << 20}
"""SETTINGS_INITIAL_WINDOW_SIZE."""


def _sending(size: int, framing: str) -> Script:
    def script(visit: Visit) -> None:
        visit.read_request()
        chunked = framing == "chunked"
        visit.send(
            b"HTTP/1.1 200 OK\r\n"
            + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: %d\r\n\r\n" % size)
        )
        for _ in range(size // len(BLOCK)):
            visit.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
        if chunked:
            visit.send(b"0\r\n\r\n")

    return script


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_download(framing: str) -> None:
    """Every byte arrives, and the engine's peak memory stays below 64 MB."""
    size = BYTES // len(BLOCK) * len(BLOCK)
    with http2_gate(_sending(size, framing), client={"settings": LARGE_WINDOWS}) as g:
        g.client.give((1 << 30) - WINDOW)
        stream = g.client.request()
        taken = 0
        while not stream.done:
            g.client.read_frame()
            if len(stream.body) >= len(BLOCK):
                assert stream.body[: len(BLOCK)] == BLOCK
                del stream.body[: len(BLOCK)]
                taken += len(BLOCK)
        assert (taken, stream.reset, bytes(stream.body)) == (size, None, b"")
        assert g.engine.memory_peak() < PEAK


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_upload(framing: str) -> None:
    """Every byte arrives, and the engine's peak memory stays below 64 MB."""
    size = BYTES // len(BLOCK) * len(BLOCK)

    def script(visit: Visit) -> None:
        head = visit.read_head()
        left = size
        while left:
            block = len(BLOCK)
            if framing == "chunked":
                block = int(visit.read_until(b"\r\n"), 16)
            visit.read_exactly(block)
            if framing == "chunked":
                visit.read_exactly(2)
            left -= block
            del visit.data[: visit.taken]
            visit.taken = 0
        assert (head.get("content-length") is None) == (framing == "chunked")
        visit.answer(b"whole")

    with http2_gate(script) as g:
        fields = [("content-length", str(size))] if framing == "length" else []
        stream = g.client.begin(g.client.head("POST", "/", *fields), end=False)
        for _ in range(size // len(BLOCK)):
            g.client.send_body(stream, BLOCK, end=False)
        g.client.data(stream, b"", end=True)
        assert g.client.answer(stream).text == "whole"
        assert g.engine.memory_peak() < PEAK


def test_bodies_arrive_as_sent() -> None:
    """Bodies of sizes about every limit are what they were, both ways, with and without a length."""
    sizes = [1, 255, 256, 4095, 4096, 4097, 16_384, 16_385, 32_768, 65_535, 65_536, 70_000, 1 << 20]

    def script(visit: Visit) -> None:
        while True:
            visit.answer(visit.read_request().body)

    with http2_gate(script) as g:
        for size in sizes:
            body = (BLOCK * 2)[:size]
            for fields in ([], [("content-length", str(size))]):
                stream = g.client.begin(g.client.head("POST", "/", *fields), end=False)
                g.client.send_body(stream, body)
                assert bytes(g.client.answer(stream).body) == body


def test_window_of_one_byte() -> None:
    """A client that takes one byte at a time gets all of them."""
    with http2_gate(answering(b"0123456789" * 500), client={"settings": {4: 0}, "reads": False}) as g:
        stream = g.client.request()
        while not stream.final:
            g.client.read_frame()
        assert stream.frames == []
        for _ in range(100):
            g.client.give(1, stream)
        while len(stream.body) < 100:
            g.client.read_frame()
        g.client.give(10_000, stream)
        assert g.client.answer(stream).text == "0123456789" * 500


def test_stalled_download_stops_its_endpoint_and_no_other_stream() -> None:
    """What a client does not take is not read from the endpoint; other streams of the connection go on."""
    sent = [0]
    stuck = threading.Event()

    def script(visit: Visit) -> None:
        while True:
            request = visit.read_request()
            if request.target != "/endless":
                visit.answer(b"ok")
                continue
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
            visit.socket.settimeout(1)
            with contextlib.suppress(Gone):
                while True:
                    visit.send(BLOCK)
                    sent[0] += len(BLOCK)
            stuck.set()
            return

    with http2_gate(script, client={"settings": {4: 100_000}, "reads": False}) as g:
        g.client.give((1 << 30) - WINDOW)
        stream = g.client.request("GET", "/endless")
        while len(stream.body) < 100_000:
            g.client.read_frame()
        for _ in range(20):
            assert g.client.ask("GET", "/small").text == "ok"
        assert stuck.wait(30)
        assert sent[0] < 32 << 20  # what sockets hold
        assert g.engine.memory_peak() < PEAK
        assert g.client.ask("GET", "/small").text == "ok"


def test_stalled_upload_stops_its_client_and_no_other_stream() -> None:
    """What an endpoint does not take is not given back to the client's window of that stream; others go on."""

    def script(visit: Visit) -> None:
        head = visit.read_head()
        if head.target == "/stuck":
            visit.ended.wait(60)
            return
        visit.read_until(b"0\r\n\r\n")
        visit.answer(b"ok")

    limits = {"initial_stream_window": 200_000, "initial_connection_window": 4 << 20}
    with http2_gate(script, http=policy(http2=limits)) as g:
        g.client.ping()
        stream = g.client.begin(g.client.head("POST", "/stuck"), end=False)
        sent = 0
        # The endpoint's socket takes some megabytes: until two looks at the windows show no more.
        while True:
            g.client.ping()
            room = min(stream.window, g.client.window)
            if room <= 0:
                break
            g.client.send_body(stream, b"x" * room, end=False)
            sent += room
        assert g.client.window > 0
        assert sent < 32 << 20
        for _ in range(5):
            assert g.client.ask("POST", "/other", body=b"y" * 100_000).text == "ok"
        assert g.engine.memory_peak() < PEAK
        g.client.reset(stream)
        until(lambda: _in_flight(g) == 0, what="the stuck exchange to end")


def _in_flight(g: StreamGate) -> int:
    return sum(endpoint["in_flight"] for endpoint in g.engine.stats()["services"]["app"])


def test_client_that_takes_nothing_from_its_socket() -> None:
    """With a limit on writes a client that does not read loses its connection; the exchanges end."""
    timeouts = {"write_idle_ms": 300}
    script = _sending(64 << 20, "length")
    with http2_gate(
        script, http=policy(timeouts=timeouts), client={"settings": {4: 1 << 30}, "receive_buffer": 4096}
    ) as g:
        g.client.give((1 << 30) - WINDOW)
        for number in range(3):
            g.client.request("GET", f"/{number}")
        until(lambda: _open(g) == 0, what="the connection to be closed")
        until(lambda: _in_flight(g) == 0, what="the exchanges to end")


def _open(g: StreamGate) -> int:
    return sum(thread["connections"] for thread in g.engine.stats()["threads"])


def test_small_answers_to_a_client_without_windows() -> None:
    """Answers that wait for windows wait in the engine, not more of them than streams at once."""
    with http2_gate(answering(b"x" * 4000), client={"settings": {4: 0}, "reads": False}) as g:
        streams = [g.client.request() for _ in range(250)]
        for stream in streams:
            while not stream.final:
                g.client.read_frame()
        over = g.client.request()
        g.client.answer(over)
        assert over.reset == 7  # REFUSED_STREAM
        for stream in streams:
            g.client.give(4000, stream)
        g.client.give(1 << 20)
        assert {g.client.answer(stream).text for stream in streams} == {"x" * 4000}


def test_body_limit() -> None:
    """The Plan's limit on bodies holds: by the length that is said, and by what comes."""
    with http2_gate(http=policy(limits={"body_bytes": 1000})) as g:
        stream = g.client.begin(g.client.head("POST", "/", ("content-length", "1001")), end=False)
        assert g.client.answer(stream).status == 413
        stream = g.client.begin(g.client.head("POST", "/"), end=False)
        for _ in range(3):
            g.client.data(stream, b"x" * 500)
        assert g.client.answer(stream).status == 413
        assert g.client.ask("POST", "/", body=b"x" * 1000).status == 200


def test_slow_body_is_given_up() -> None:
    """A body that does not come in time is a 408 of its stream; the connection goes on."""
    with http2_gate(http=policy(timeouts={"body_idle_ms": 300})) as g:
        stream = g.client.request("POST", end=False)
        assert g.client.answer(stream).status == 408
        assert g.client.ask().status == 200
