"""Ambiguous messages are refused, never forwarded: the tables of `refusal_cases`, whole and split at every byte."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from tests.feature.refusal_cases import (
    ACCEPTED,
    ANSWER_BODIES,
    ANSWER_HEADS,
    ANSWER_LIMITS,
    BODIES,
    HEADS,
    LIMITS,
    SMUGGLED,
    Case,
)
from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit, raw
from tests.kit.plans import listener, plan, policy
from tests.kit.waiting import until
from tests.kit.wire import Client, Closed


@dataclass(frozen=True, kw_only=True)
class Refusing:
    """An engine with small limits on a port and on a Unix socket, where pieces are seen apart."""

    engine: Engine
    origin: Origin

    def check(self, case: Case, pieces: Iterable[bytes], listener_name: str) -> None:
        """The case sent so is refused; nothing of it is a request at the origin."""
        before = len(self.origin.visits)
        with Client(self.engine.address(listener_name), limit=5) as client:
            client.send_pieces(pieces)
            response = client.read_response(case.data.split(b" ")[0].decode("latin-1"))
            assert response.status in case.statuses, response
            assert response.closes, response
            client.assert_ended()
        for visit in self.origin.visits[before:]:
            visit.ended.wait(10)
            assert b"smuggled" not in visit.data
            assert visit.requests == []
        if case in HEADS:
            assert len(self.origin.visits) == before, bytes(self.origin.visits[-1].data)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusing]:
    unix = str(tmp_path_factory.mktemp("listener") / "web.sock")
    with Origin() as origin:
        listeners = {"tcp": listener(), "unix": listener(unix=unix)}
        with Engine(
            plan(origin.address, http=policy(limits=LIMITS), listeners=listeners, upstream={"pool": {"max_idle": 0}})
        ) as engine:
            yield Refusing(engine=engine, origin=origin)


def named(cases: Iterable[Case]) -> list[object]:
    return [pytest.param(case, id=case.name.replace(" ", "-")) for case in cases]


@pytest.mark.parametrize("case", named(HEADS + BODIES))
def test_refused(refusing: Refusing, case: Case) -> None:
    """Refused with its status and a closed connection; the origin gets no request."""
    refusing.check(case, [case.data], "tcp")


@pytest.mark.parametrize("case", named(HEADS + BODIES))
def test_refused_split_at_every_byte(refusing: Refusing, case: Case) -> None:
    """The same when the message comes in two parts, cut anywhere, and when it comes byte by byte."""
    data = case.data[: -len(SMUGGLED)] if len(case.data) > 400 else case.data
    for at in range(1, len(data)):
        try:
            refusing.check(case, [data[:at], data[at:]], "unix")
        except AssertionError as error:
            raise AssertionError(f"cut at {at}: {data[:at]!r} | {data[at:]!r}: {error}") from error
    refusing.check(case, [data[at : at + 1] for at in range(len(data))], "unix")


@pytest.mark.parametrize(("data", "body"), [pytest.param(d, b, id=n.replace(" ", "-")) for n, d, b in ACCEPTED])
def test_accepted_split_at_every_byte(refusing: Refusing, data: bytes, body: bytes) -> None:
    """What is right stays right however it is cut: strictness refuses no good message."""
    for at in range(1, len(data)):
        with Client(refusing.engine.address("unix")) as client:
            client.send_pieces([data[:at], data[at:]])
            response = client.read_response()
        assert response.status == 200, (at, response)
        assert json.loads(response.body)["body"].encode() == body


def test_equal_lengths() -> None:
    """Content-Length twice with one value is refused or becomes one field (RFC 9110 section 8.6)."""
    for fields in (b"Content-Length: 5\r\nContent-Length: 5\r\n", b"Content-Length: 5, 5\r\n"):
        with gate() as g:
            g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\nhello")
            if g.client.read_response().status == 200:
                assert g.origin.requests[0].get("content-length") == "5"
                assert g.origin.requests[0].body == b"hello"
            else:
                assert g.origin.received == b""


def test_bare_lf_in_heads_where_tolerated() -> None:
    """With the policy's `bare_lf` it ends head lines and goes on as CRLF (RFC 9112 section 2.2)."""
    with gate(http=policy(tolerate={"bare_lf": True})) as g:
        g.client.send(b"POST / HTTP/1.1\nHost: a\nX: 1\r\nContent-Length: 5\n\nhello")
        assert g.client.read_response().status == 200
        request = g.origin.requests[0]
        assert (request.get("x"), request.body) == ("1", b"hello")
        assert request.head.count(b"\n") == request.head.count(b"\r\n")


@pytest.mark.parametrize("case", named(c for c in BODIES if "LF" in c.name and "trailer" not in c.name))
def test_bare_lf_tolerance_never_touches_chunks(case: Case) -> None:
    """`bare_lf` changes nothing in chunk framing."""
    with gate(http=policy(tolerate={"bare_lf": True}, limits=LIMITS)) as g:
        g.client.send(case.data)
        assert g.client.read_response().status == 400
        g.client.assert_ended()
        assert g.origin.requests == []


def test_bare_cr_is_refused_where_bare_lf_is_tolerated() -> None:
    """The tolerance is for LF only."""
    with gate(http=policy(tolerate={"bare_lf": True})) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n")
        assert g.client.read_response().status == 400
        assert g.origin.received == b""


def test_refused_after_a_good_request() -> None:
    """A good request before a bad one on the same connection is answered first."""
    with gate() as g:
        g.client.send(b"GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n" + SMUGGLED)
        assert g.client.read_response().status == 200
        assert g.client.read_response().status == 400
        g.client.assert_ended()
        assert [r.target for r in g.origin.requests] == ["/good"]


def test_body_beyond_the_limit() -> None:
    """413: at once when its length says so, and in the middle of chunks; never completed upstream."""
    with gate(http=policy(limits={"body_bytes": 100})) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n")
        assert g.client.read_response().status == 413
        assert g.origin.received == b""
        with g.engine.client() as client:
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
                + b"x" * 101
                + b"\r\n0\r\n\r\n"
            )
            assert client.read_response().status == 413
        assert g.origin.requests == []


@pytest.mark.parametrize("case", named(ANSWER_HEADS))
def test_answer_refused(case: Case) -> None:
    """An origin whose answer's head is not strict HTTP gives 502, nothing of its bytes, and is not used again."""
    with gate(raw(case.data), upstream={"limits": ANSWER_LIMITS}) as g:
        response = g.client.request()
        assert response.status == 502, response
        assert response.body == b"Bad Gateway"
        assert g.client.request("POST", body=b"again").status == 502
        assert len(g.origin.visits) >= 2


@pytest.mark.parametrize("case", named(ANSWER_HEADS))
def test_answer_refused_split_at_every_byte(case: Case) -> None:
    """The same however the origin's bytes are cut."""
    data = case.data
    cuts = range(1, len(data)) if len(data) < 400 else range(1, 60)
    at = iter(cuts)

    def cutting(visit: Visit) -> None:
        cut = next(at)
        visit.read_request()
        visit.send(data[:cut])
        visit.wait_taken()
        visit.send(data[cut:])
        visit.read_to_end()

    with gate(cutting, unix=True, upstream={"limits": ANSWER_LIMITS}) as g:
        for cut in cuts:
            with g.engine.client() as client:
                response = client.request("POST", body=b"x")
            assert response.status == 502, (cut, data[:cut], response)


@pytest.mark.parametrize("case", named(ANSWER_BODIES))
def test_broken_answer_body_never_looks_whole(case: Case) -> None:
    """A body that breaks off is 502, or is cut off for the client too: never a complete message (RFC 9112 section 8)."""
    with gate(raw(case.data, close=True), upstream={"limits": ANSWER_LIMITS}) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            response = g.client.read_response()
        except Closed:
            return
        assert response.status == 502, response


def test_bytes_after_an_answer() -> None:
    """What an origin sends beyond its answer is no answer to anybody: its connection is given up."""
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
    with gate(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright" + stray)) as g:
        for number in range(3):
            assert g.client.request().body == b"right"
            until(lambda n=number: len(g.origin.visits) > n, what="a connection of its own")  # type: ignore[misc]


def test_bytes_before_a_request() -> None:
    """What an origin says on an idle connection is no answer to the next request."""
    sent = []

    def chatty(visit: Visit) -> None:
        visit.read_request()
        visit.answer(b"right")
        visit.answer(b"stray", status="408 Request Timeout")
        sent.append(1)
        visit.read_until(b"\r\n\r\n")
        visit.answer(b"wrong")

    with gate(chatty) as g:
        for number in range(3):
            assert g.client.request().body == b"right"
            until(lambda n=number: len(sent) > n, what="the stray answer")  # type: ignore[misc]


def test_bare_lf_from_an_origin_where_tolerated() -> None:
    """With the transport's `bare_lf` the answer goes on with CRLF."""
    with gate(raw(b"HTTP/1.1 200 OK\nX: 1\nContent-Length: 2\n\nok"), upstream={"limits": {"bare_lf": True}}) as g:
        response = g.client.request()
        assert (response.status, response.get("x"), response.body) == (200, "1", b"ok")
