"""Floods over HTTP/2: who sends what brings nothing loses its connection, everyone else notices nothing.

Every flood goes on until the engine closes or until it had more than any client needs; a second connection asks
meanwhile and afterwards. What the engine lets pass is in engine/crates/engine/src/http2/meter.rs.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator

import pytest

from tests.kit.gate import StreamGate, http2_gate
from tests.kit.http2 import (
    CONTINUATION,
    DATA,
    ENHANCE_YOUR_CALM,
    HEADERS,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2,
    frame,
)
from tests.kit.origin import Visit, answering
from tests.kit.plans import policy
from tests.kit.waiting import until
from tests.kit.wire import Closed

MOST = 200_000
"""Frames after which a flood that was let pass has failed the test."""
PEAK = 64 << 20
CANCEL = (8).to_bytes(4)


def _flood(client: Http2, pieces: Iterator[bytes], at_once: int = 100) -> int:
    """Sends pieces until the engine closes; how many. What it says is read meanwhile."""
    reader = threading.Thread(target=client.read_to_end, daemon=True)
    reader.start()
    sent = 0
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while sent < MOST and not client.ended:
            client.send(b"".join(itertools.islice(pieces, at_once)))
            sent += at_once
    reader.join(30)
    assert client.ended, f"{sent} were let pass"
    return sent


def _fine(g: StreamGate) -> None:
    """A connection that was there before and a new one are served; nothing is left of the flood."""
    assert g.client.ask().status == 200
    with Http2(g.engine.address()) as new:
        assert new.ask().status == 200
    until(lambda: _in_flight(g) == 0, what="no exchange to be left")
    assert g.engine.memory_peak() < PEAK


def _in_flight(g: StreamGate) -> int:
    return sum(endpoint["in_flight"] for endpoint in g.engine.stats()["services"]["app"])


FLOODS = {
    "ping": frame(PING, 0, b"12345678"),
    "ping answers": frame(PING, 0, b"12345678", flags=1),
    "settings": frame(SETTINGS),
    "settings that change": frame(SETTINGS, 0, b"\0\4\0\0\xff\xff"),
    "priority": frame(PRIORITY, 3, b"\0\0\0\0\0"),
    "window updates of the connection": frame(WINDOW_UPDATE, 0, b"\0\0\0\1"),
    "window updates of a stream": frame(WINDOW_UPDATE, 1, b"\0\0\0\1"),
    "frames nobody knows": frame(0xBE, 0, b"what"),
    "empty data": frame(DATA, 1),
    "padding only": frame(DATA, 1, b"\0", flags=8),
}


@pytest.mark.parametrize("name", FLOODS)
def test_frames_that_bring_nothing(name: str) -> None:
    """Frames that are allowed one by one, in a number nobody needs."""
    with http2_gate() as g, Http2(g.engine.address()) as client:
        client.request("POST", end=False)
        _flood(client, itertools.repeat(FLOODS[name]))
        _fine(g)


def test_rapid_reset() -> None:
    """Streams that are opened and reset at once (CVE-2023-44487) end the connection; no exchange is left of them."""

    def pieces(client: Http2) -> Iterator[bytes]:
        for number in itertools.count(1, 2):
            yield frame(HEADERS, number, client.block(client.head()), flags=5) + frame(RST_STREAM, number, CANCEL)

    with http2_gate(answering(b"ok")) as g, Http2(g.engine.address()) as client:
        assert _flood(client, pieces(client)) < 20_000
        _fine(g)


def test_resets_one_by_one() -> None:
    """The same with each stream waited for: nobody resets a thousand streams without having been served."""
    with http2_gate(answering(b"x" * 5000)) as g, Http2(g.engine.address(), settings={4: 0}) as client:
        served = 0
        with contextlib.suppress(Closed, BrokenPipeError, ConnectionResetError):
            while served < 5000:
                stream = client.request()
                while not stream.final:
                    client.read_frame()
                client.reset(stream)
                served += 1
        assert 500 < served < 5000
        _fine(g)


def test_a_page_that_is_given_up_is_no_flood() -> None:
    """A browser that leaves resets a hundred streams; it may do so again and again."""
    with http2_gate(answering(b"x" * 5000)) as g:
        for _ in range(5):
            streams = [g.client.request("GET", f"/{number}") for number in range(100)]
            for stream in streams:
                g.client.reset(stream)
            g.client.ping()
            for _turn in range(50):
                assert g.client.ask().status == 200
        _fine(g)


def test_keeping_a_connection_alive_is_no_flood() -> None:
    """Window updates for every small answer, and PINGs between, for thousands of requests."""
    with http2_gate(answering(b"x" * 10)) as g:
        for turn in range(3000):
            assert g.client.ask().status == 200
            if turn % 10 == 0:
                g.client.ping()
        _fine(g)


def test_continuations_without_end() -> None:
    """A head that goes on and on in empty or small pieces."""
    for payload in (b"", b"\x00\x01a\x01b"):
        with http2_gate() as g, Http2(g.engine.address()) as client:
            client.send(frame(HEADERS, 1, client.block(client.head()), flags=1))
            _flood(client, itertools.repeat(frame(CONTINUATION, 1, payload)), at_once=10)
            assert client.goaways[-1][1] in (PROTOCOL_ERROR, ENHANCE_YOUR_CALM)
            _fine(g)


def test_more_streams_than_were_allowed() -> None:
    """Streams over the limit are refused one by one; who does not stop loses its connection."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.read_to_end()

    def pieces(client: Http2) -> Iterator[bytes]:
        for number in itertools.count(1, 2):
            yield frame(HEADERS, number, client.block(client.head()), flags=5)

    limits = {"max_concurrent_streams": 10}
    with http2_gate(script, http=policy(http2=limits)) as g:
        streams = [g.client.request() for _ in range(11)]
        assert g.client.answer(streams[-1]).reset == 7  # REFUSED_STREAM
        with Http2(g.engine.address()) as client:
            _flood(client, pieces(client))
        until(lambda: _in_flight(g) == 10, what="the ten to go on")


def test_requests_that_break_the_rules() -> None:
    """A client that has hundreds of streams reset for its malformed requests loses its connection."""

    def pieces(client: Http2) -> Iterator[bytes]:
        for number in itertools.count(1, 2):
            fields = [*client.head(), ("connection", "close")]
            yield frame(HEADERS, number, client.block(fields), flags=5)

    with http2_gate() as g, Http2(g.engine.address()) as client:
        assert _flood(client, pieces(client), at_once=10) < 5000
        _fine(g)
        assert len(g.origin.requests) == 2


def test_small_data_without_end() -> None:
    """A body in frames of one byte that its endpoint does not take: they may not pile up."""

    def script(visit: Visit) -> None:
        if visit.read_head().method == "GET":
            return visit.answer(b"ok")
        visit.ended.wait(60)
        return None

    windows = {"initial_stream_window": 1 << 20, "initial_connection_window": 1 << 20}
    with http2_gate(script, http=policy(http2=windows)) as g:
        stream = g.client.request("POST", end=False)
        with contextlib.suppress(AssertionError, BrokenPipeError, ConnectionResetError):
            for _ in range(400):
                g.client.send(frame(DATA, stream.number, b"x") * 1000)
                g.client.ping()
        assert g.engine.memory_peak() < PEAK
        with Http2(g.engine.address()) as new:
            assert new.ask().status == 200


def test_flood_is_told() -> None:
    """The GOAWAY of a flood says ENHANCE_YOUR_CALM."""
    with http2_gate() as g, Http2(g.engine.address()) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(20):
                client.send(frame(PING, 0, b"12345678", flags=1) * 1000)
        client.read_to_end()
        assert client.goaways[-1][1] == ENHANCE_YOUR_CALM
        _fine(g)
