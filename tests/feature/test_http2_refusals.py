"""What is refused of HTTP/2: malformed requests by themselves, broken frames with their connection, heads over limits."""

from __future__ import annotations

import pytest

from tests.kit.gate import StreamGate, http2_gate
from tests.kit.http2 import (
    CANCEL,
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    ENHANCE_YOUR_CALM,
    HEADERS,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Http2,
    Stream,
    frame,
)
from tests.kit.origin import Visit
from tests.kit.plans import policy
from tests.kit.waiting import until

Fields = list[tuple[str, str]]
END_HEADERS = 4
GET: Fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a.test")]


def _without(name: str) -> Fields:
    return [field for field in GET if field[0] != name]


def _refused(stream: Stream) -> bool:
    """Reset as malformed, or answered with 400 (RFC 9113 section 8.1.1)."""
    return stream.reset == PROTOCOL_ERROR or stream.status == 400


@pytest.mark.parametrize(
    "fields",
    [
        [*GET, ("connection", "close")],
        [*GET, ("keep-alive", "timeout=5")],
        [*GET, ("proxy-connection", "close")],
        [*GET, ("transfer-encoding", "chunked")],
        [*GET, ("upgrade", "websocket")],
        [*GET, ("te", "gzip")],
        [*GET, ("host", "b.test")],
        [*GET, ("x-value", " padded")],
        [*GET, ("x-value", "padded\t")],
        [*GET, (":path", "/other")],
        [*GET, (":status", "200")],
        [("x-before", "1"), *GET],
        _without(":method"),
        _without(":scheme"),
        _without(":path"),
        _without(":authority"),
        [*_without(":path"), (":path", "")],
        [*_without(":path"), (":path", "relative")],
        [*_without(":path"), (":path", "http://b.test/")],
        [*_without(":path"), (":path", "*")],
        [*_without(":path"), (":path", "/a b")],
        [*_without(":path"), (":path", "/a\r\nHost: b")],
        [*_without(":authority"), (":authority", "user@a.test")],
        [*_without(":authority"), (":authority", "a.test/b")],
        [*_without(":authority"), (":authority", "a.test, b.test")],
        [*GET, ("content-length", "1")],
        [*GET, ("content-length", "-1")],
        [*GET, ("content-length", "1, 1")],
        [*GET, ("content-length", "+1")],
        [*GET, ("host", "a.test"), ("host", "b.test")],
    ],
    ids=repr,
)
def test_malformed_request(fields: Fields) -> None:
    """It is refused, nothing of it reaches the origin, and the connection serves the next one."""
    with http2_gate() as g:
        assert _refused(g.client.answer(g.client.begin(fields)))
        assert g.client.ask().status == 200
        assert len(g.origin.requests) == 1
        assert g.client.goaways == []


@pytest.mark.parametrize(
    "fields",
    [
        [*GET, ("X-Upper", "1")],
        [*GET, ("x-value", "a\r\nx-smuggled: 1")],
        [*GET, ("x-value", "a\0b")],
        [*GET, ("x name", "a")],
        [*GET, ("x-name:", "a")],
        [*GET, ("", "a")],
        [*GET, (":unknown", "1")],
        [*_without(":method"), (":method", "GE T")],
        [*_without(":method"), (":method", "")],
    ],
    ids=repr,
)
def test_fields_that_are_none(fields: Fields) -> None:
    """Names and values that cannot stand in a field end the connection; nothing of them reaches the origin."""
    with http2_gate() as g, Http2(g.engine.address()) as other:
        g.client.begin(fields)
        g.client.read_to_end()
        assert g.client.goaways[-1][1] == PROTOCOL_ERROR
        assert g.origin.requests == []
        assert other.ask().status == 200


@pytest.mark.parametrize(
    "fields", [[*GET, ("host", "A.TEST")], [*_without(":authority"), ("host", "a.test")]], ids=repr
)
def test_host_beside_authority(fields: Fields) -> None:
    """Host may say the same in another case, or stand alone; the origin gets one."""
    with http2_gate() as g:
        assert g.client.answer(g.client.begin(fields)).status == 200
        assert (g.origin.requests[0].get("host") or "").lower() == "a.test"


@pytest.mark.parametrize(("said", "sent"), [(5, 4), (5, 6), (0, 1)])
def test_length_that_is_not_the_body(said: int, sent: int) -> None:
    """A body that is not as long as it says is reset (RFC 9113 section 8.1.1); the origin never sees a whole one."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.answer(b"ok")

    with http2_gate(script) as g:
        stream = g.client.begin(g.client.head("POST", "/", ("content-length", str(said))), end=False)
        g.client.data(stream, b"x" * sent, end=True)
        g.client.answer(stream)
        assert stream.reset == PROTOCOL_ERROR
        if said:
            assert all(len(request.body) < said for request in g.origin.requests)
        assert g.client.ask("GET").status in (200, 502)


def test_trailers_that_are_malformed() -> None:
    """Fields of the connection have no place in trailers: the request is reset and never whole."""
    with http2_gate() as g:
        stream = g.client.request("POST", body=b"x", end=False)
        g.client.trailers(stream, ("connection", "close"))
        assert _refused(g.client.answer(stream))
        assert g.client.ask().status == 200
        assert [request.method for request in g.origin.requests] == ["GET"]


def test_pseudo_fields_in_trailers() -> None:
    """Pseudo-header fields behind a body are not taken for fields, and do not go on."""
    with http2_gate() as g:
        stream = g.client.request("POST", "/real", body=b"x", end=False)
        g.client.trailers(stream, (":path", "/other"), ("x-sum", "1"))
        assert _refused(g.client.answer(stream)) or g.origin.requests[0].trailers == (("x-sum", "1"),)
        assert all(request.target == "/real" for request in g.origin.requests)


def _many(count: int, size: int = 1) -> Fields:
    return [*GET, *((f"x-{number}", "v" * size) for number in range(count))]


@pytest.mark.parametrize(
    ("limits", "fields", "status"),
    [
        ({"fields": 20}, _many(21), 431),
        ({"fields": 20}, [*GET, *[("x", "1")] * 21], 431),
        ({"field_bytes": 100}, _many(1, 200), 431),
        ({"head_bytes": 500}, _many(10, 100), 431),
        ({"target_bytes": 100}, [*_without(":path"), (":path", "/" + "p" * 200)], 414),
        ({}, [*_without(":method"), (":method", "M" * 40)], 501),
    ],
)
def test_head_over_a_limit(limits: dict[str, int], fields: Fields, status: int) -> None:
    """Every limit of a head is answered as from HTTP/1, and the connection serves the next request."""
    with http2_gate(http=policy(limits=limits)) as g:
        assert g.client.answer(g.client.begin(fields)).status == status
        assert g.client.ask().status == 200
        assert len(g.origin.requests) == 1


def test_header_list_over_what_was_announced() -> None:
    """A list above SETTINGS_MAX_HEADER_LIST_SIZE is a 431; one far above it ends the connection."""
    with http2_gate(http=policy(http2={"max_header_list_bytes": 4_000})) as g:
        assert g.client.answer(g.client.begin(_many(50, 60))).status == 431
        assert g.client.ask().status == 200
        g.client.begin(_many(500, 100))
        g.client.read_to_end()
        assert g.client.goaways[-1][1] == ENHANCE_YOUR_CALM


def test_bomb_of_indexed_fields() -> None:
    """A field that the compression table makes one byte long cannot be repeated into a great head."""
    with http2_gate(http=policy(http2={"max_header_list_bytes": 1 << 20})) as g:
        value = "v" * 3000
        for number in range(20):
            stream = g.client.begin([*GET, *[("x-bomb", value)] * 400], number=2 * number + 1)
            g.client.answer(stream)
            assert stream.status == 431
        assert g.engine.memory_peak() < 64 << 20


@pytest.mark.parametrize(
    "broken",
    [
        frame(DATA, 0, b"x"),
        frame(DATA, 1, b"x"),
        frame(HEADERS, 0, flags=END_HEADERS),
        frame(HEADERS, 2, b"\x82\x84\x86", flags=END_HEADERS),
        frame(CONTINUATION, 1, flags=END_HEADERS),
        frame(PRIORITY, 0, b"\0\0\0\0\0"),
        frame(RST_STREAM, 0, b"\0\0\0\0"),
        frame(RST_STREAM, 1, b"\0\0\0\0"),
        frame(SETTINGS, 0, b"12345"),
        frame(SETTINGS, 1),
        frame(PUSH_PROMISE, 1, b"\0\0\0\2", flags=END_HEADERS),
        frame(PING, 0, b"1234567"),
        frame(PING, 1, b"12345678"),
        frame(WINDOW_UPDATE, 0, b"\0\0\0\0"),
        frame(WINDOW_UPDATE, 0, b"\x7f\xff\xff\xff"),
        frame(DATA, 1, b"x" * 20_000),
    ],
    ids=lambda one: one[:9].hex(),
)
def test_broken_frames_end_the_connection(broken: bytes) -> None:
    """What breaks the rules of the connection ends it with GOAWAY; other connections notice nothing."""
    with http2_gate() as g, Http2(g.engine.address()) as other:
        g.client.ping()
        g.client.send(broken)
        g.client.read_to_end()
        assert g.client.goaways
        assert g.client.goaways[-1][1] != 0
        assert other.ask().status == 200


def test_headers_that_cannot_be_decompressed() -> None:
    """A header block that is broken ends the connection: what follows cannot be read."""
    with http2_gate() as g:
        g.client.send(frame(HEADERS, 1, b"\xff\xff\xff\xff\xff", flags=END_HEADERS | 1))
        g.client.read_to_end()
        assert g.client.goaways[-1][1] in (COMPRESSION_ERROR, PROTOCOL_ERROR)


def test_garbage_after_the_preface() -> None:
    """Bytes that are no frames end the connection, and the engine goes on."""
    with http2_gate() as g:
        for garbage in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\xff" * 5000, b"\0" * 5000):
            with Http2(g.engine.address()) as client:
                client.send(garbage)
                client.read_to_end()
        assert g.client.ask().status == 200


def _in_flight(g: StreamGate) -> int:
    return sum(endpoint["in_flight"] for endpoint in g.engine.stats()["services"]["app"])


def test_request_that_is_reset_before_its_end() -> None:
    """A half-sent request that the client gives up ends upstream as well."""
    with http2_gate() as g:
        stream = g.client.request("POST", body=b"half", end=False)
        until(lambda: _in_flight(g) == 1, what="the request to be under way")
        g.client.reset(stream, CANCEL)
        until(lambda: _in_flight(g) == 0, what="the request to be given up")
        assert g.origin.requests == []
        assert g.client.ask().status == 200
