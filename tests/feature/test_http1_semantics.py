"""HTTP/1.1 and 1.0 between client and origin: framing, persistence, targets, fields that end at each hop (RFC 9110, 9112)."""

from __future__ import annotations

import contextlib
import json
import threading

import pytest

from tests.kit.gate import gate
from tests.kit.origin import Visit, answering, raw
from tests.kit.waiting import LIMIT, until
from tests.kit.wire import Closed


def test_keep_alive() -> None:
    """Requests one after the other share one client connection and one upstream connection (RFC 9112 section 9.3)."""
    with gate() as g:
        for number in range(5):
            response = g.client.request("GET", f"/{number}")
            assert json.loads(response.body)["line"] == f"GET /{number} HTTP/1.1"
            assert not response.closes
        assert len(g.origin.visits) == 1
        assert sum(t["accepted"] for t in g.engine.stats()["threads"]) == 1


def test_connection_close_is_obeyed() -> None:
    """`Connection: close` ends the client's connection after the answer, and not the upstream one (RFC 9112 section 9.6)."""
    with gate() as g:
        response = g.client.request("GET", "/", "Connection: close")
        assert response.status == 200
        assert response.closes
        g.client.assert_ended()
        with g.engine.client() as again:
            assert again.request().status == 200
        assert "connection: close" not in g.origin.requests[0].head.decode().lower()


def test_http10_closes_by_default() -> None:
    """An HTTP/1.0 client gets a whole answer and the end; upstream it is HTTP/1.1 with one Host (RFC 9112 section 3.2)."""
    with gate() as g:
        g.client.send(b"GET /old HTTP/1.0\r\n\r\n")
        response = g.client.read_response()
        assert response.status == 200
        g.client.assert_ended()
        assert g.origin.requests[0].line == "GET /old HTTP/1.1"
        assert len(g.origin.requests[0].all("host")) == 1


def test_http10_keep_alive() -> None:
    """An HTTP/1.0 client that asks for keep-alive is told whether it got it, and that is what happens (RFC 9112 C.2.2)."""
    with gate() as g:
        g.client.send(b"GET /1 HTTP/1.0\r\nHost: example.org\r\nConnection: keep-alive\r\n\r\n")
        response = g.client.read_response()
        assert response.status == 200
        if "keep-alive" in (response.get("connection") or "").lower():
            g.client.send(b"GET /2 HTTP/1.0\r\nHost: example.org\r\n\r\n")
            assert g.client.read_response().status == 200
        g.client.assert_ended()


def test_http10_gets_no_chunks() -> None:
    """A chunked answer reaches an HTTP/1.0 client without Transfer-Encoding, ended by close (RFC 9112 section 6.1)."""
    with gate(raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) as g:
        g.client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        response = g.client.read_response()
        assert response.get("transfer-encoding") is None
        assert response.body == b"abcde"
        g.client.assert_ended()


def test_pipelining_is_answered_in_order() -> None:
    """Requests sent at once, with and without bodies, are answered in their order (RFC 9112 section 9.3.2)."""
    with gate() as g:
        batch = b""
        for number in range(30):
            if number % 3 == 0:
                batch += b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
            elif number % 3 == 1:
                batch += b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" % number
            else:
                batch += (
                    b"PUT /%d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n" % number
                )
        g.client.send(batch)
        told = [json.loads(g.client.read_response().body) for _ in range(30)]
        assert [t["line"].split()[1] for t in told] == [f"/{number}" for number in range(30)]
        assert [t["body"] for t in told] == ["", "body", "body"] * 10


def test_pipelining_after_close_is_not_run() -> None:
    """What follows a request with `Connection: close` is not answered and not forwarded (RFC 9112 section 9.6)."""
    with gate() as g:
        g.client.send(b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert g.client.read_response().status == 200
        g.client.assert_ended()
        assert b"/2" not in g.origin.received


def test_chunked_request_with_trailers() -> None:
    """A chunked request arrives chunked, its extensions dropped, its trailers after it (RFC 9112 section 7.1)."""
    with gate() as g:
        g.client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            b'5;name=value\r\nhello\r\n6;q="a;b"\r\n world\r\n0;last\r\nX-Sum: 42\r\nX-More: yes\r\n\r\n'
        )
        assert g.client.read_response().status == 200
        request = g.origin.requests[0]
        assert request.body == b"hello world"
        assert request.all("transfer-encoding") == ["chunked"]
        assert not request.all("content-length")
        assert [(n.lower(), v) for n, v in request.trailers] == [("x-sum", "42"), ("x-more", "yes")]
        assert b"name=value" not in g.origin.received
        assert b";last" not in g.origin.received


@pytest.mark.parametrize(
    "name", ["Content-Length", "Transfer-Encoding", "Host", "Connection", "Authorization", "Content-Encoding"]
)
def test_trailers_change_no_meaning(name: str) -> None:
    """A trailer that frames or routes never reaches the origin, refused or dropped (RFC 9110 section 6.5.1)."""
    with gate() as g:
        g.client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n%s: 7\r\n\r\n"
            % name.encode()
        )
        assert g.client.read_response().status in (200, 400)
        after = g.origin.received.partition(b"\r\n\r\n")[2]
        assert name.lower().encode() not in after.lower()


def test_chunked_response_with_trailers() -> None:
    """A chunked answer arrives chunked with its trailers, and the connection stays (RFC 9112 section 7.1)."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n"
    with gate(raw(answer)) as g:
        for _ in range(2):
            response = g.client.request("GET", "/", "TE: trailers")
            assert response.framing == "chunked"
            assert response.body == b"abcde"
            assert [(n.lower(), v) for n, v in response.trailers] == [("x-sum", "7")]
        assert len(g.origin.visits) == 1


def test_chunks_are_not_renumbered_into_a_length() -> None:
    """A body whose length is not known goes on chunked; one with a length keeps it (RFC 9112 section 6)."""
    with gate() as g:
        assert g.client.request("POST", "/", body=b"12345").status == 200
        assert g.origin.requests[0].get("content-length") == "5"
        assert not g.origin.requests[0].all("transfer-encoding")


def _continuing(visit: Visit) -> None:
    while True:
        head = visit.read_head()
        visit.taken -= len(head.head)  # the request is read whole below
        if "100-continue" in (head.get("expect") or ""):
            visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        visit.answer(visit.read_request().body)


def test_expect_100_continue() -> None:
    """The client gets one 100 before it sends the body, then the answer (RFC 9110 section 10.1.1)."""
    with gate(_continuing) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert g.client.read_head().status == 100
        g.client.send(b"hello")
        response = g.client.read_response()
        assert (response.status, response.body, len(response.interim)) == (200, b"hello", 0)
        assert g.client.request("GET", "/").status == 200


def test_expect_100_continue_refused_by_origin() -> None:
    """An origin that answers at once: the client gets that answer, whether or not a 100 came before (RFC 9110 section 10.1.1)."""

    def refusing(visit: Visit) -> None:
        visit.read_head()
        visit.answer(b"no", "Connection: close", status="413 Content Too Large")

    with gate(refusing) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert g.client.read_response("POST").status == 413


def test_expect_from_http10_is_ignored() -> None:
    """An HTTP/1.0 client never gets a 1xx (RFC 9110 sections 10.1.1 and 15.2)."""
    with gate(_continuing) as g:
        g.client.send(b"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
        response = g.client.read_response()
        assert (response.status, response.body, response.interim) == (200, b"hello", ())


def test_unknown_expectation() -> None:
    """An expectation that nobody knows is answered 417 (RFC 9110 section 10.1.1) and not forwarded."""
    with gate() as g:
        assert g.client.request("GET", "/", "Expect: a-miracle").status == 417
        assert g.origin.received == b""


def test_head() -> None:
    """HEAD has no body whatever its fields say, and the connection goes on (RFC 9110 section 9.3.2)."""
    with gate(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")) as g:
        for _ in range(3):
            response = g.client.request("HEAD", "/")
            assert (response.status, response.get("content-length"), response.body) == (200, "12345", b"")
        assert len(g.origin.visits) == 1


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: "x"\r\n\r\n'),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_bodiless_responses(method: str, answer: bytes) -> None:
    """Answers without a body end with their head, and both connections go on (RFC 9112 section 6.3)."""
    with gate(raw(answer)) as g:
        for _ in range(3):
            response = g.client.request(method)
            assert response.status == int(answer[9:12])
            assert response.body == b""
        assert len(g.origin.visits) == 1


def test_1xx_is_passed_on() -> None:
    """103 and its fields reach the client before the answer (RFC 9110 section 15.2, RFC 8297)."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    with gate(raw(hints + hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as g:
        response = g.client.request()
        assert [i.status for i in response.interim] == [103, 103]
        assert response.interim[0].get("link") == "</a.css>; rel=preload"
        assert response.body == b"ok"


def test_1xx_comes_at_once() -> None:
    """A 103 arrives while the origin is still thinking."""

    def thinking(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        visit.read_until(b"never")

    with gate(thinking) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert g.client.read_head().status == 103


def test_1xx_is_not_for_http10() -> None:
    """An HTTP/1.0 client gets the answer without the 1xx before it (RFC 9110 section 15.2)."""
    with gate(raw(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as g:
        g.client.send(b"GET / HTTP/1.0\r\n\r\n")
        response = g.client.read_response()
        assert (response.interim, response.body) == ((), b"ok")


def test_hop_by_hop_request_fields_are_removed() -> None:
    """Fields of this hop, and those that Connection names, do not go upstream (RFC 9110 section 7.6.1)."""
    with gate() as g:
        g.client.request(
            "GET",
            "/",
            "Connection: X-Mine, keep-alive",
            "connection: x-second",
            "X-Mine: 1",
            "X-Second: 2",
            "Keep-Alive: timeout=5",
            "Proxy-Connection: keep-alive",
            "TE: gzip",
            "X-Kept: 3",
        )
        request = g.origin.requests[0]
        for name in ("x-mine", "x-second", "keep-alive", "proxy-connection"):
            assert not request.all(name), name
        assert "gzip" not in ",".join(request.all("te"))
        assert request.get("x-kept") == "3"


def test_hop_by_hop_response_fields_are_removed() -> None:
    """The same in answers (RFC 9110 section 7.6.1)."""
    with gate(
        answering(
            b"ok", "Connection: X-Mine", "X-Mine: 1", "Keep-Alive: timeout=5", "Proxy-Connection: close", "X-Kept: 3"
        )
    ) as g:
        response = g.client.request()
        for name in ("x-mine", "keep-alive", "proxy-connection"):
            assert not response.all(name), name
        assert response.get("x-kept") == "3"


@pytest.mark.parametrize("listed", ["content-length", "transfer-encoding", "host"])
def test_connection_cannot_remove_framing(listed: str) -> None:
    """Naming Host or a framing field in Connection leaves the forwarded message whole (RFC 9110 section 7.6.1)."""
    framing = b"Transfer-Encoding: chunked\r\n" if listed == "transfer-encoding" else b"Content-Length: 5\r\n"
    body = b"5\r\nhello\r\n0\r\n\r\n" if listed == "transfer-encoding" else b"hello"
    with gate() as g:
        g.client.send(
            b"POST / HTTP/1.1\r\nHost: a.test\r\nConnection: %s\r\n%s\r\n%s" % (listed.encode(), framing, body)
        )
        status = g.client.read_response().status
        assert status in (200, 400)
        if status == 200:
            assert g.origin.requests[0].body == b"hello"
            assert g.origin.requests[0].get("host") == "a.test"


@pytest.mark.parametrize(
    ("line", "upstream", "host"),
    [
        ("GET http://other.test/a?b=c HTTP/1.1", "GET /a?b=c HTTP/1.1", "other.test"),
        ("GET http://other.test:81 HTTP/1.1", "GET / HTTP/1.1", "other.test:81"),
        ("GET HTTP://other.test?x=1 HTTP/1.1", "GET /?x=1 HTTP/1.1", "other.test"),
        ("OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1", "example.org"),
        ("OPTIONS http://other.test HTTP/1.1", "OPTIONS * HTTP/1.1", "other.test"),
        ("OPTIONS http://other.test/ HTTP/1.1", "OPTIONS / HTTP/1.1", "other.test"),
    ],
)
def test_target_forms(line: str, upstream: str, host: str) -> None:
    """Absolute-form becomes origin-form and its authority the Host; `*` stays (RFC 9112 sections 3.2.2 and 3.2.4)."""
    with gate() as g:
        g.client.send(f"{line}\r\nHost: example.org\r\n\r\n".encode())
        assert g.client.read_response().status == 200
        assert g.origin.requests[0].line == upstream
        assert g.origin.requests[0].get("host") == host


def test_methods_and_fields_are_passed_as_they_are() -> None:
    """Unknown methods, repeated fields, empty and obs-text values go through in order (RFC 9110 sections 5.3, 5.5 and 9.1)."""
    with gate(
        answering(b"", "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Empty: ", "X-Byte: caf\xe9", status="299 Quite OK")
    ) as g:
        g.client.send(
            "PURGE /x HTTP/1.1\r\nHost: a\r\nX-A:1\r\nX-A: \t2 \t\r\nX-Empty:\r\nX-Byte: caf\xe9\r\n\r\n".encode(
                "latin-1"
            )
        )
        response = g.client.read_response()
        request = g.origin.requests[0]
        assert request.line == "PURGE /x HTTP/1.1"
        assert request.all("x-a") == ["1", "2"]
        assert request.all("x-empty") == [""]
        assert request.all("x-byte") == ["caf\xe9"]
        assert (response.status, response.reason) == (299, "Quite OK")
        assert response.all("set-cookie") == ["a=1", "b=2"]
        assert response.all("x-empty") == [""]
        assert response.all("x-byte") == ["caf\xe9"]


def test_methods_are_case_sensitive() -> None:
    """`get` is another method than GET and goes on as it is (RFC 9110 section 9.1)."""
    with gate() as g:
        g.client.request("get")
        assert g.origin.requests[0].method == "get"


def test_empty_lines_before_a_request() -> None:
    """An empty line before the request line is skipped (RFC 9112 section 2.2)."""
    with gate() as g:
        g.client.send(b"\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert [g.client.read_response().status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_response_that_ends_by_close(version: str) -> None:
    """An answer without a length ends with the origin's connection, and ends for the client too (RFC 9112 section 6.3)."""
    with gate(raw(b"HTTP/1.1 200 OK\r\n\r\nall of it", close=True)) as g:
        g.client.send(f"GET / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
        response = g.client.read_response()
        assert response.body == b"all of it"
        assert response.framing == ("chunked" if version == "1.1" else "close")


def test_response_from_http10_origin() -> None:
    """An HTTP/1.0 origin's answer is passed on as HTTP/1.1, and its connection is not used again (RFC 9112 section 9.3)."""
    with gate(raw(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", close=True)) as g:
        for number in range(3):
            response = g.client.request()
            assert (response.version, response.body) == ("HTTP/1.1", b"ok")
            assert len(g.origin.visits) == number + 1


def test_half_close_still_gets_the_answer() -> None:
    """A client that shuts down its side after the request gets the answer, even a late one (RFC 9112 section 9.6)."""

    def late(visit: Visit) -> None:
        request = visit.read_request()
        g.client.finish_writing()
        visit.answer(request.body, "X-Late: yes")

    with gate(late) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        response = g.client.read_response()
        assert (response.body, response.get("x-late")) == (b"hello", "yes")
        g.client.assert_ended()


def test_half_close_within_pipeline() -> None:
    """Requests sent before the half-close are all answered, then the connection ends."""
    with gate() as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        g.client.finish_writing()
        assert [g.client.read_response().status for _ in range(3)] == [200, 200, 200]
        g.client.assert_ended()


@pytest.mark.parametrize("framing", ["Content-Length: 10", "Transfer-Encoding: chunked"])
def test_half_close_within_a_body(framing: str) -> None:
    """A request cut off in its body is not completed: no success, and the origin's connection ends (RFC 9112 section 8)."""
    with gate() as g:
        g.client.send(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode() + b"3\r\nabc\r\n")
        g.client.finish_writing()
        with contextlib.suppress(Closed):
            assert g.client.read_response().status in (400, 408, 499)
        g.client.assert_ended()
        assert g.origin.requests == []
        if g.origin.visits:
            assert g.origin.visits[0].ended.wait(10)
        assert g.origin.requests == []


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_event_stream_arrives_at_once(framing: str) -> None:
    """Each event reaches the client while the origin has nothing more to say; the head comes before the first."""
    turns = threading.Semaphore(0)

    def streaming(visit: Visit) -> None:
        visit.read_request()
        coding = "Transfer-Encoding: chunked\r\n" if framing == "chunked" else ""
        visit.send(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{coding}\r\n".encode())
        for number in range(20):
            assert turns.acquire(timeout=LIMIT)
            data = b"data: %d\n\n" % number
            visit.send(b"%x\r\n%s\r\n" % (len(data), data) if framing == "chunked" else data)
        visit.send(b"0\r\n\r\n" if framing == "chunked" else b"")

    with gate(streaming, action={"flush_ms": 60_000}) as g:
        g.client.send(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        assert g.client.read_head().get("content-type") == "text/event-stream"
        for number in range(20):
            turns.release()
            assert g.client.read_chunk() == b"data: %d\n\n" % number
        assert g.client.read_chunk() == b""


def test_request_body_streams() -> None:
    """The first part of a request body reaches the origin before the client has sent the second."""
    with gate() as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        until(lambda: b"first" in g.origin.received, what="the first part at the origin")
        g.client.send(b"6\r\nsecond\r\n0\r\n\r\n")
        assert json.loads(g.client.read_response().body)["body"] == "firstsecond"


def test_early_response() -> None:
    """An answer that comes before the body is read reaches the client, who stops or goes on (RFC 9112 section 9.3)."""

    def early(visit: Visit) -> None:
        visit.read_head()
        visit.answer(b"enough", "Connection: close", status="413 Content Too Large")
        visit.read_to_end()

    with gate(early) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)
        response = g.client.read_response()
        assert (response.status, response.body) == (413, b"enough")
