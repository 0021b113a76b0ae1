"""HTTP/2 from clients: what a request becomes upstream and what its response becomes (RFC 9113 section 8)."""

from __future__ import annotations

import json
import threading

import httpx
import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate, http2_gate, http2_listener
from tests.kit.http2 import PREFACE, Http2
from tests.kit.origin import Origin, Visit, answering, raw
from tests.kit.plans import access_log, listener, plan, replaced, route, text
from tests.kit.waiting import until


def _told(body: bytearray) -> tuple[str, dict[str, str]]:
    told = json.loads(bytes(body))
    return told["line"], {name.lower(): value for name, value in told["headers"]}


def test_request_goes_upstream_as_http1() -> None:
    """The pseudo-header fields become request line and Host; the forwarded family is the same as from HTTP/1."""
    with http2_gate() as g:
        answer = g.client.answer(
            g.client.begin(g.client.head("GET", "/a/b?c=d", ("accept", "*/*"), ("x-own", "1"), authority="a.test:8080"))
        )
        assert answer.status == 200
        line, fields = _told(answer.body)
        assert line == "GET /a/b?c=d HTTP/1.1"
        assert fields["host"] == "a.test:8080"
        assert fields["accept"] == "*/*"
        assert fields["x-own"] == "1"
        assert fields["x-forwarded-for"] == "127.0.0.1"
        assert fields["x-forwarded-proto"] == "http"
        assert fields["x-forwarded-host"] == "a.test:8080"
        assert not {"transfer-encoding", "content-length", "connection", "te"} & set(fields)


def test_response_has_lower_case_names_and_no_connection_fields() -> None:
    """Fields of the upstream's connection stay with it; the date is added, the length said."""
    script = answering(b"hello", "X-Own: Value", "Connection: X-Secret", "X-Secret: 1", "Keep-Alive: timeout=5")
    with http2_gate(script) as g:
        answer = g.client.ask()
        assert answer.text == "hello"
        assert answer.get("x-own") == "Value"
        assert answer.get("content-length") == "5"
        assert answer.get("date")
        names = {name for name, _ in answer.final or ()}
        assert names == {name.lower() for name in names}
        assert not names & {"connection", "x-secret", "keep-alive", "transfer-encoding"}


def test_end_stands_on_the_last_frame() -> None:
    """A small body is one DATA frame that ends the stream; a response without one ends with its HEADERS."""
    with http2_gate(answering(b"x" * 100)) as g:
        assert g.client.ask().frames == [100]
        head = g.client.ask("HEAD")
        assert (head.frames, head.get("content-length")) == ([], "100")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "200 OK"])
def test_no_body(status: str) -> None:
    """204, 304 and an empty 200 end with their HEADERS."""
    fields = b"" if status.startswith("204") else b"Content-Length: 0\r\n"
    with http2_gate(raw(f"HTTP/1.1 {status}\r\n".encode() + fields + b"\r\n")) as g:
        answer = g.client.ask()
        assert answer.status == int(status[:3])
        assert answer.frames == []
        assert g.client.ask().status == int(status[:3])


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
    ],
)
def test_framing_of_http1_is_taken_off(answer: bytes, body: str) -> None:
    """Chunks and the end of the connection become DATA; nothing says a length then."""
    with http2_gate(raw(answer, close=True)) as g:
        got = g.client.ask()
        assert got.text == body
        assert got.get("content-length") is None
        assert got.trailers == ()


def test_body_with_its_length() -> None:
    """A length that is said goes on; a body without one is chunked upstream."""
    with http2_gate() as g:
        answer = g.client.ask("POST", "/", ("content-length", "5"), body=b"hello")
        assert json.loads(bytes(answer.body))["body"] == "hello"
        first = g.origin.requests[-1]
        assert (first.get("content-length"), first.get("transfer-encoding")) == ("5", None)
        g.client.ask("POST", body=b"hello")
        second = g.origin.requests[-1]
        assert (second.body, second.get("content-length"), second.get("transfer-encoding")) == (
            b"hello",
            None,
            "chunked",
        )


def test_empty_body_that_was_not_announced() -> None:
    """A stream that is left open and then ended by an empty DATA frame is a request with an empty body."""
    with http2_gate() as g:
        stream = g.client.request("POST", end=False)
        g.client.data(stream, b"", end=True)
        assert g.client.answer(stream).status == 200
        assert g.origin.requests[-1].body == b""


def test_trailers_both_ways() -> None:
    """Trailers of a request and of a response go on; those that may not stand there do not."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            b"2\r\nhi\r\n0\r\nX-Sum: 9\r\nContent-Length: 3\r\n\r\n"
        )

    with http2_gate(script) as g:
        stream = g.client.request("POST", "/", ("trailer", "x-check"), body=b"data", end=False)
        g.client.trailers(stream, ("x-check", "7"), ("host", "other.test"))
        answer = g.client.answer(stream)
        assert answer.text == "hi"
        assert list(answer.trailers) == [("x-sum", "9")]
        assert g.origin.requests[0].trailers == (("x-check", "7"),)
        assert g.origin.requests[0].body == b"data"


def test_trailers_behind_a_body_of_known_length() -> None:
    """Where trailers are announced beside a length the body is chunked upstream, so that they go on."""
    with http2_gate() as g:
        fields = (("content-length", "4"), ("trailer", "x-check"))
        stream = g.client.begin(g.client.head("POST", "/", *fields), end=False)
        g.client.data(stream, b"data")
        g.client.trailers(stream, ("x-check", "7"))
        assert g.client.answer(stream).status == 200
        request = g.origin.requests[0]
        assert (request.body, request.trailers, request.get("content-length")) == (b"data", (("x-check", "7"),), None)


def test_trailers_without_a_body() -> None:
    """A response of trailers only keeps them."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\ngrpc-status: 0\r\n\r\n"
    with http2_gate(raw(answer)) as g:
        assert list(g.client.ask().trailers) == [("grpc-status", "0")]


def test_crumbs_of_a_cookie_are_joined() -> None:
    """Several cookie lines are one upstream (RFC 9113 section 8.2.3)."""
    with http2_gate() as g:
        answer = g.client.ask("GET", "/", ("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2"))
        assert _told(answer.body)[1]["cookie"] == "a=1; b=2"


def test_set_cookie_lines_stay_apart() -> None:
    """A field that must not be joined arrives as often as it was sent, in order."""
    with http2_gate(answering(b"", "Set-Cookie: a=1", "Set-Cookie: b=2")) as g:
        assert g.client.ask().all("set-cookie") == ["a=1", "b=2"]


def test_interim_responses() -> None:
    """1xx go on before the final response."""

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nConnection: x\r\n\r\n")
        visit.answer(b"page")

    with http2_gate(script) as g:
        answer = g.client.ask()
        assert [dict(head) for head in answer.interim] == [{":status": "103", "link": "</style.css>"}]
        assert (answer.status, answer.text) == (200, "page")


def test_expectation() -> None:
    """A client that expects 100 gets the endpoint's, and then sends its body."""

    def script(visit: Visit) -> None:
        visit.read_head()
        visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        visit.read_until(b"0\r\n\r\n")
        visit.answer(b"taken")

    with http2_gate(script) as g:
        stream = g.client.request("POST", "/", ("expect", "100-continue"), end=False)
        while not stream.interim:
            g.client.read_frame()
        assert dict(stream.interim[0])[":status"] == "100"
        g.client.send_body(stream, b"body")
        assert g.client.answer(stream).text == "taken"


def test_early_answer_asks_for_no_more_of_the_body() -> None:
    """An answer before the body's end is whole; the rest is called off with NO_ERROR (RFC 9113 section 8.1)."""

    def script(visit: Visit) -> None:
        visit.read_head()
        visit.answer(b"no", status="413 Content Too Large")
        visit.read_to_end()

    with http2_gate(script) as g:
        stream = g.client.request("POST", "/", body=b"x" * 1000, end=False)
        g.client.answer(stream)
        assert (stream.status, stream.text) == (413, "no")
        while stream.reset is None:
            g.client.read_frame()
        assert stream.reset == 0
        assert g.client.goaways == []


def test_answers_of_the_engine() -> None:
    """Answers and faults of the engine's own come over HTTP/2 too, and the connection goes on."""
    rules = [{"match": {"path": "/own"}, "route": "own"}, {"match": {"path": "/app"}, "route": "app"}]
    own = {"respond": {"status": 200, "headers": [{"name": "X-A", "value": text("b")}], "body": text("mine")}}
    with http2_gate(rules=rules, routes={"own": route(own)}) as g:
        answer = g.client.ask("GET", "/own")
        assert (answer.status, answer.text, answer.get("x-a")) == (200, "mine", "b")
        assert answer.frames == [4]
        head = g.client.ask("HEAD", "/own")
        assert (head.status, head.frames, head.get("content-length")) == (200, [], "4")
        missing = g.client.ask("GET", "/missing")
        assert (missing.status, missing.text) == (404, "404 page not found\n")
        assert g.client.ask("POST", "/missing", body=b"x" * 50_000).status == 404
        assert g.client.ask("GET", "/app").status == 200
        assert g.client.goaways == []


def test_endpoint_that_is_gone_is_a_502() -> None:
    """A fault before a response is answered as from HTTP/1."""
    with Origin() as origin, Engine(plan(origin.address, listeners={"web": http2_listener()})) as engine:
        origin.close()
        with Http2(engine.address()) as client:
            assert client.ask().status == 502


def test_many_streams_at_once() -> None:
    """Streams of one connection run at the same time: all are asked before one is answered."""
    count = 100
    together = threading.Barrier(count)

    def script(visit: Visit) -> None:
        request = visit.read_request()
        together.wait(30)
        visit.answer(request.target.encode())

    with http2_gate(script) as g:
        streams = [g.client.request("GET", f"/{number}") for number in range(count)]
        assert [g.client.answer(stream).text for stream in streams] == [f"/{number}" for number in range(count)]
        stats = g.engine.stats()
        assert sum(thread["requests"] for thread in stats["threads"]) == count
        assert sum(thread["accepted"] for thread in stats["threads"]) == 1


def test_http1_on_the_same_listener() -> None:
    """What does not begin with the preface is HTTP/1; what begins like it and is not is refused."""
    with http2_gate() as g:
        with g.engine.client() as client:
            assert client.request().status == 200
            assert client.request().status == 200
        for line in (b"PRI * HTTP/2.1\r\n\r\n", b"PRI / HTTP/2.0\r\n\r\n", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"):
            with g.engine.client() as client:
                client.send(line)
                assert client.read_response().status in (400, 505)
        assert g.client.ask().status == 200


def test_preface_in_pieces() -> None:
    """The preface may come byte by byte."""
    with http2_gate() as g, g.engine.client() as client:
        for byte in PREFACE:
            client.send(bytes([byte]))
        client.send(b"\0\0\0\4\0\0\0\0\0")
        assert client.read_exactly(9)[3] == 4  # its SETTINGS


def test_preface_only_where_http2_is_spoken() -> None:
    """A listener that does not list HTTP/2 answers the preface as HTTP/1 does."""
    with gate() as g:
        g.client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert g.client.read_response().status == 400


def test_preface_later_is_refused() -> None:
    """HTTP/2 does not begin in the middle of an HTTP/1 connection."""
    with http2_gate() as g, g.engine.client() as client:
        assert client.request().status == 200
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert client.read_response().status == 400


def test_listener_for_http2_only() -> None:
    """HTTP/1 is not served where only HTTP/2 is spoken."""
    with http2_gate(listeners={"web": listener(protocols=["http2"])}) as g:
        assert g.client.ask().status == 200
        with g.engine.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"HTTP/1.1" not in client.read_to_end()
        assert len(g.origin.requests) == 1


def test_upgrade_to_h2c_stays_ignored() -> None:
    """The obsolete way to HTTP/2 (RFC 9113 section 3.1) leads nowhere, and the origin is not told of it."""
    with http2_gate() as g, g.engine.client() as client:
        fields = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
        answer = client.request("GET", "/", *fields)
        assert answer.status == 200
        assert g.origin.requests[-1].get("upgrade") is None


def test_connect_is_not_served() -> None:
    """CONNECT is 501; the extended one (RFC 8441) is not announced and refused."""
    with http2_gate() as g:
        answer = g.client.answer(g.client.begin([(":method", "CONNECT"), (":authority", "a.test:443")]))
        assert answer.status == 501
        websocket = [*g.client.head("CONNECT"), (":protocol", "websocket")]
        assert g.client.answer(g.client.begin(websocket)).reset == 1
        assert 8 not in g.client.settings
        assert g.client.ask().status == 200


def test_options_of_the_server() -> None:
    """`*` is the target of OPTIONS."""
    with http2_gate() as g:
        assert _told(g.client.ask("OPTIONS", "*").body)[0] == "OPTIONS * HTTP/1.1"


def test_limits_are_announced() -> None:
    """SETTINGS say the Plan's limits."""
    with http2_gate() as g:
        g.client.ping()
        assert g.client.settings[3] == 250
        assert g.client.settings[4] == 65_535
        assert g.client.settings[6] == 1 << 20


def test_access_log() -> None:
    """The log says HTTP/2.0, counts the requests of the connection, and the bytes of the body."""
    fields = [
        ("protocol", "protocol", "text"),
        ("line", "request_line", "text"),
        ("status", "status", "number"),
        ("count", "connection_requests", "number"),
        ("bytes", "response_body_bytes", "number"),
        ("up", "request_body_bytes", "number"),
    ]
    with http2_gate(answering(b"hello"), logs={"log": access_log("stdout", fields)}) as g:
        g.client.ask()
        g.client.ask("POST", "/p", body=b"abc")
        until(lambda: g.engine.stdout.count("\n") == 2, what="two lines")
        lines = [json.loads(line) for line in g.engine.stdout.splitlines()]
        assert lines[0] == {
            "protocol": "HTTP/2.0", "line": "GET / HTTP/2.0", "status": 200, "count": 1, "bytes": 5, "up": 0
        }  # fmt: skip
        assert (lines[1]["count"], lines[1]["up"]) == (2, 3)


def test_client_of_the_wild() -> None:
    """httpx speaks HTTP/2 with prior knowledge, with many requests at once on one connection."""
    with http2_gate() as g:
        host, port = g.engine.tcp()
        with httpx.Client(http1=False, http2=True, base_url=f"http://{host}:{port}") as client:
            assert client.get("/a").http_version == "HTTP/2"
            assert client.post("/b", content=b"x" * 300_000).json()["body"] == "x" * 300_000


def test_filters_see_one_head() -> None:
    """Filters change a request of HTTP/2 and its response as they do those of HTTP/1."""
    filters = {
        "request": {"request_headers": [{"set": {"name": "X-Added", "value": text("yes")}}, {"remove": "X-Gone"}]},
        "response": {"response_headers": {"statuses": [], "ops": [{"set": {"name": "X-Seen", "value": text("Too")}}]}},
    }
    with Origin() as origin:
        whole = plan(origin.address, listeners={"web": http2_listener()}, filters=filters)
        whole = replaced(whole, "routes.app.filters", ["request", "response"])
        with Engine(whole) as engine, Http2(engine.address()) as client:
            answer = client.ask("GET", "/", ("x-gone", "1"))
            fields = _told(answer.body)[1]
            assert fields["x-added"] == "yes"
            assert "x-gone" not in fields
            assert answer.get("x-seen") == "Too"
