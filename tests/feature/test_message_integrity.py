"""One message never leaks into another: bytes, fields and paths of one exchange stay out of the next.

Each case is a way in which an origin that lies, a client that hurries or a template could mix two messages.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, Visit, answering, echo, raw
from tests.kit.plans import access_log, plan, policy, proxy, replaced, route, text
from tests.kit.waiting import until

NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"


def scripted(first: bytes) -> Any:
    """The first request of all gets these bytes and an end; later ones are told what they were."""
    served = threading.Event()

    def script(visit: Visit) -> None:
        if served.is_set():
            return echo(visit)
        served.set()
        visit.read_request()
        visit.send(first)
        return visit.read_to_end()

    return script


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    ],
    ids=["two framings", "unasked 101"],
)
def test_pipelined_request_behind_a_bad_answer(answer: bytes) -> None:
    """The request behind a body is read from its first byte though the body's answer was refused."""
    with gate(scripted(answer)) as g:
        g.client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345" + NEXT)
        assert g.client.read_response().status == 502
        response = g.client.read_response()
        assert response.status == 200
        assert json.loads(response.body)["line"] == "GET /next HTTP/1.1"


def test_body_over_its_limit_is_no_request() -> None:
    """What stands in a chunk that is over the limit is not taken for the body's end and a request behind it."""
    whole_faults = replaced(plan(), "faults.faults.body_too_large.close", False)["faults"]
    inner = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    with Origin() as origin:
        whole = {**plan(origin.address, http=policy(limits={"body_bytes": 16})), "faults": whole_faults}
        with Engine(whole) as engine, engine.client() as client:
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
                % (len(inner), inner)
            )
            response = client.read_response()
            assert response.status == 413
            client.assert_ended()
        assert [r.target for r in origin.requests] == []


def test_204_with_a_coding_is_not_used_again() -> None:
    """A 204 that announces a body: nobody knows where it ends, so its connection serves no one else."""
    with gate(raw(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n")) as g:
        for _ in range(3):
            assert g.client.request().status == 204
        assert len(g.origin.visits) == 3


def test_switch_before_the_body_is_over() -> None:
    """101 while the request's body is still coming is refused: its rest would be raw bytes of the new protocol."""

    def hasty(visit: Visit) -> None:
        visit.read_head()
        visit.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        visit.read_to_end()

    with gate(hasty) as g:
        g.client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 10\r\n\r\n12345"
        )
        assert g.client.read_response().status == 502


def test_flood_of_interim_responses() -> None:
    """An origin that sends 103 for ever is given up, whether or not the client reads; memory stays."""

    def flood(visit: Visit) -> None:
        visit.read_request()
        interim = b"HTTP/1.1 103 Early Hints\r\nLink: </%s>\r\n\r\n" % (b"x" * 1000)
        for _ in range(60_000):
            visit.send(interim)

    with gate(flood, upstream={"response_head_ms": 20_000}) as g:
        g.client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: g.engine.stats()["faults"].get("upstream_invalid"), what="the origin to be given up")
        assert g.engine.memory_peak() < 40 << 20
        assert g.client.read_response().status == 502


def test_path_of_another_client_is_forgotten() -> None:
    """A request that cannot be read is logged without the path of the one before, whoever sent that."""
    fields = [("path", "path", "text"), ("query", "query", "text"), ("status", "status", "number")]
    logs = {"access": access_log("stdout", fields)}
    with Origin() as origin, Engine(plan(origin.address, logs=logs), threads=1) as engine:
        with engine.client() as one:
            assert one.request("GET", "/secret?token=1").status == 200
        with engine.client() as two:
            two.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert two.read_response().status == 400
        until(lambda: engine.stdout.count("\n") == 2, what="two lines")
        last = json.loads(engine.stdout.splitlines()[1])
        assert last == {"path": "", "query": "", "status": 400}


def test_fields_of_another_response_are_forgotten() -> None:
    """A template that reads a response's field finds none before there is one, though another client got one."""
    said = [{"upstream_header": "set-cookie"}]
    respond = {"respond": {"status": 200, "headers": [{"name": "X-Said", "value": said}], "body": said}}
    rules = [{"match": {"path": "/said"}, "route": "said"}, {"match": "always", "route": "app"}]
    with Origin(answering(b"ok", "Set-Cookie: session=secret")) as origin:
        whole = plan(origin.address, rules=rules, routes={"said": route(respond)})
        with Engine(whole, threads=1) as engine:
            with engine.client() as one:
                assert one.request().get("set-cookie") == "session=secret"
            with engine.client() as two:
                response = two.request("GET", "/said")
                assert response.body == b""
                assert response.get("x-said") is None


def captured(action: dict[str, Any], origin: str) -> dict[str, Any]:
    """nginx's way: the path decoded whole, its rest captured in slot 0."""
    pattern = {"regex": "(?s)^/(.*)$", "dialect": "pcre", "ignore_case": False, "slot": 0}
    whole = plan(
        origin,
        http=policy(path={"form": "decoded"}),
        rules=[{"match": {"path_regex": pattern}, "route": "app"}],
        routes={"app": route(action)},
    )
    return {**whole, "slots": ["rest"]}


CAPTURE = [{"capture": {"slot": 0, "group": 1}}]
SPLIT = "/a%0d%0aX-Split:%201%0d%0a%0d%0a"


def test_host_from_a_template_cannot_split() -> None:
    """A Host that is made from a decoded path is refused when it is none; nothing reaches the origin."""
    with Origin() as origin, Engine(captured(proxy(host=CAPTURE), origin.address)) as engine, engine.client() as client:
        assert client.request("GET", "/good.example").status == 200
        assert origin.requests[0].get("host") == "good.example"
        with engine.client() as other:
            assert other.request("GET", SPLIT).status == 400
        assert len(origin.requests) == 1


def test_target_from_a_template_cannot_split() -> None:
    """A target that is made from a decoded path cannot end or split the request line."""
    target = {"template": [{"literal": "/to/"}, *CAPTURE]}
    whole_action = proxy(target=target)
    with Origin() as origin, Engine(captured(whole_action, origin.address)) as engine, engine.client() as client:
        assert client.request("GET", "/good").status == 200
        assert origin.requests[0].target == "/to/good"
        for bad in (SPLIT, "/a%20HTTP/1.1"):
            with engine.client() as other:
                assert other.request("GET", bad).status in (200, 400)
        assert all(r.line.count(" ") == 2 for r in origin.requests)
        assert all(r.get("x-split") is None for r in origin.requests)


def test_empty_target_from_a_template() -> None:
    """A template that gives nothing asks for the root, or is refused: never an empty target."""
    action = proxy(target={"template": CAPTURE})
    with Origin() as origin, Engine(captured(action, origin.address)) as engine, engine.client() as client:
        assert client.request("GET", "/").status in (200, 400)
        assert all(r.target.startswith("/") for r in origin.requests)


def test_redirect_from_a_template_cannot_split() -> None:
    """A redirect that is made from a decoded path keeps to its line; so do fields of answers."""
    location = [{"literal": "http://b/"}, *CAPTURE]
    action = {"redirect": {"status_get": 302, "status_other": 307, "location": location}}
    with Origin() as origin, Engine(captured(action, origin.address)) as engine, engine.client() as client:
        response = client.request("GET", SPLIT)
        assert response.status == 302
        assert response.get("x-split") is None
        assert "%0D%0A" in (response.get("location") or "")
    answer = {"respond": {"status": 200, "headers": [{"name": "X-Rest", "value": CAPTURE}], "body": text("ok")}}
    with Origin() as origin, Engine(captured(answer, origin.address)) as engine, engine.client() as client:
        response = client.request("GET", SPLIT)
        assert response.status == 200
        assert response.get("x-split") is None
        assert response.get("x-rest") is None


def test_replaced_path_cannot_split() -> None:
    """A path a filter puts in goes upstream as one word, whatever the user wrote."""
    filters = {"replace": {"replace_path": {"path": "/a b\r\nX-Split: 1"}}}
    with Origin() as origin:
        whole = plan(origin.address, filters=filters, routes={"app": route(proxy(), filters=["replace"])})
        with Engine(whole) as engine, engine.client() as client:
            assert client.request().status in (200, 400, 500)
        assert all(r.line.count(" ") == 2 and r.get("x-split") is None for r in origin.requests)


def test_data_after_close_is_no_request() -> None:
    """What a client sends behind `Connection: close` is not read as a request (RFC 9112 section 9.6)."""
    with gate() as g:
        g.client.send(b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + NEXT)
        assert g.client.read_response().closes
        g.client.assert_ended()
        assert [r.target for r in g.origin.requests] == ["/last"]


@pytest.mark.parametrize("status", ["200 OK", "304 Not Modified"])
def test_bytes_behind_an_answer_are_dropped(status: str) -> None:
    """An answer with more bytes than it says: they reach nobody, and the connection is not used again."""
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    length = b"" if status.startswith("304") else b"Content-Length: 2\r\n"
    body = b"" if status.startswith("304") else b"ok"
    with gate(raw(b"HTTP/1.1 " + status.encode() + b"\r\n" + length + b"\r\n" + body + extra)) as g:
        for _ in range(3):
            assert g.client.request().status == int(status[:3])
        assert len(g.origin.visits) == 3


def test_pipelined_behind_a_chunked_body() -> None:
    """A request behind a chunked body with trailers, all in one packet, is the next request."""
    with gate() as g:
        g.client.send(
            b"POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n" + NEXT
        )
        assert json.loads(g.client.read_response().body)["body"] == "abc"
        assert json.loads(g.client.read_response().body)["line"] == "GET /next HTTP/1.1"
        assert [r.target for r in g.origin.requests] == ["/one", "/next"]


def test_interim_then_death_is_not_resent_as_unsent() -> None:
    """A reused connection that dies after a 103 has answered something: the request is not sent to it again."""
    asked: list[bytes] = []

    def dying(visit: Visit) -> None:
        visit.read_request()
        visit.answer()
        head = visit.read_head()
        asked.append(head.head)
        visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        visit.finish_writing()
        visit.read_to_end()

    with gate(dying, balance={"retry": {"on": []}}) as g:
        assert g.client.request().status == 200
        response = g.client.request("GET", "/again")
        assert response.status == 502
        assert len(asked) == 1
