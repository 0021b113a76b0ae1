"""Copies of requests go elsewhere, and nobody waits for what comes back (nginx's `mirror`)."""

from __future__ import annotations

import threading

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import http2_listener
from tests.kit.http2 import Http2
from tests.kit.origin import Origin, Visit, answering
from tests.kit.plans import Json, listener, locations, nginx_policy, plan, proxy, route, service, text
from tests.kit.waiting import until

BODY = bytes(range(256)) * 8_000
HELD = {"buffer": {"memory": 16_384}}


def lowered(app: str, shadow: str, *, body: bool = True) -> Json:
    """`mirror /mirror;` with `proxy_pass http://shadow$request_uri;` there."""
    copy = proxy("shadow", target={"template": [{"variable": "request_uri"}]}, request_body=HELD, pass_body=body)
    return plan(
        app,
        http=nginx_policy(),
        filters={
            "mirror": {"mirror": {"to": {"uri": {"table": "table", "uri": text("/mirror")}}, "body": body}},
            "own": {"request_headers": [{"set": {"name": "X-Own", "value": text("main")}}]},
        },
        routes={
            "app": route(proxy(target="raw", request_body=HELD), filters=["mirror", "own"]),
            "/mirror": {**route(copy), "internal": True},
        },
        services={"shadow": service(shadow)},
        tables={"table": locations(exact={"/mirror": "/mirror"}, prefixes={"/": "app"})},
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("size", [0, 1_000, len(BODY)])
def test_a_copy_of_everything(method: str, size: int) -> None:
    """Method, target, fields and body, from memory and file; what the route's filters add is the route's."""
    with (
        Origin(answering(b"app")) as app,
        Origin(answering(b"shadow", status="500 No")) as shadow,
        Engine(lowered(app.address, shadow.address)) as engine,
        engine.client() as client,
    ):
        body = BODY[:size]
        fields = [f"Content-Length: {size}"] if size and method in ("GET", "DELETE") else []
        client.send(f"{method} /a%2Fb?c HTTP/1.1\r\nHost: a\r\nX-Theirs: 1\r\n".encode())
        length = fields[0] if fields else f"Content-Length: {size}"
        client.send(f"{length}\r\n\r\n".encode() + body)
        response = client.read_response(method)
        assert (response.status, response.body) == (200, b"app")
        until(lambda: len(shadow.requests) == 1, what="the copy")
        for origin in (app, shadow):
            (request,) = origin.requests
            assert (request.method, request.target, request.body) == (method, "/a%2Fb?c", body)
            assert request.get("x-theirs") == "1"
        assert app.requests[0].get("x-own") == "main"
        assert shadow.requests[0].get("x-own") is None
        assert client.request().body == b"app"
        until(lambda: engine.nameless_files() == 0, what="the file to be closed")


def test_without_the_body() -> None:
    """`body` off: the copy has none."""
    with (
        Origin(answering(b"app")) as app,
        Origin(answering(b"shadow")) as shadow,
        Engine(lowered(app.address, shadow.address, body=False)) as engine,
        engine.client() as client,
    ):
        assert client.request("POST", body=BODY).body == b"app"
        until(lambda: len(shadow.requests) == 1, what="the copy")
        assert app.requests[0].body == BODY
        assert shadow.requests[0].body == b""


def test_nobody_waits() -> None:
    """A shadow that never answers, or is gone, delays nothing, on the same connection too."""
    release = threading.Event()

    def deaf(visit: Visit) -> None:
        visit.read_request()
        release.wait(30)

    with (
        Origin(answering(b"app")) as app,
        Origin(deaf) as shadow,
        Engine(lowered(app.address, shadow.address), threads=1) as engine,
        engine.client() as client,
    ):
        for _ in range(5):
            assert client.request("POST", body=b"x").body == b"app"
        until(lambda: len(shadow.requests) == 5, what="the copies")
        shadow.close()
        release.set()
        for _ in range(5):
            assert client.request().body == b"app"


def test_a_copy_outlives_its_plan() -> None:
    """A copy that is on its way when another Plan is applied, or its listener goes, still arrives."""
    go_on = threading.Event()

    def slow(visit: Visit) -> None:
        visit.read_head()
        go_on.wait(30)
        visit.taken = 0
        visit.read_request()
        visit.answer()

    with Origin(answering(b"app")) as app, Origin(slow) as shadow:
        whole = lowered(app.address, shadow.address)
        with Engine(whole) as engine, engine.client() as client:
            assert client.request("POST", body=BODY).body == b"app"
            shadow.visit()
            engine.apply(plan(app.address, listeners={"other": listener()}))
            go_on.set()
            until(lambda: len(shadow.requests) == 1, what="the copy")
            assert shadow.requests[0].body == BODY


def test_a_body_that_is_refused() -> None:
    """A body over its limit: 413, and neither gets anything."""
    with Origin(answering(b"app")) as app, Origin(answering(b"shadow")) as shadow:
        whole = lowered(app.address, shadow.address)
        whole["routes"]["app"]["body_bytes"] = 1_000
        with Engine(whole) as engine, engine.client() as client:
            client.send(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d1\r\n" + BODY[:2001] + b"\r\n"
            )
            assert client.read_response("POST").status == 413
            assert app.requests == shadow.requests == []


def test_of_a_stream() -> None:
    """A request over HTTP/2 is copied the same way."""
    with Origin(answering(b"app")) as app, Origin(answering(b"shadow")) as shadow:
        whole = lowered(app.address, shadow.address)
        whole["listeners"]["web"] = http2_listener()
        with Engine(whole) as engine, Http2(engine.address()) as client:
            stream = client.ask("POST", "/a", body=BODY)
            assert (stream.status, stream.text) == (200, "app")
            until(lambda: len(shadow.requests) == 1, what="the copy")
            assert app.requests[0].body == shadow.requests[0].body == BODY
