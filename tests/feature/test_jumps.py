"""Jumps: a route sends the exchange to another target or to a route by name; and what a jump must not do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.control import Refused
from tests.kit.engine import Engine
from tests.kit.gate import gate, http2_gate, http2_listener
from tests.kit.http2 import Http2
from tests.kit.origin import Origin, answering, dead
from tests.kit.plans import (
    Json,
    access_log,
    answer,
    faults,
    locations,
    nginx_policy,
    plan,
    proxy,
    replaced,
    route,
    service,
    text,
    variable,
)
from tests.kit.waiting import until


def to_uri(*uri: Json) -> Json:
    return {"uri": {"table": "table", "uri": list(uri)}}


def to_name(name: str) -> Json:
    return {"name": {"table": "table", "name": name}}


def says(*body: Json, status: int = 200) -> Json:
    return {"respond": {"status": status, "headers": [], "body": list(body)}}


PATH = [*variable("path"), {"literal": "?"}, *variable("query")]


def nginx_like(**fields: Any) -> Json:
    """Fields for `plan`: requests are read as nginx reads them."""
    return {"http": nginx_policy(), **fields}


def pages(*statuses: int, to: Json, status: Any = "original", faults: tuple[str, ...] = ()) -> Json:
    page = {"statuses": list(statuses), "faults": list(faults), "recursive": False, "answer": {"jump": to}}
    return {"error_pages": [{**page, "status": status}]}


def test_by_target_and_by_name() -> None:
    """A target is searched anew, with its own query; a name keeps path, query and method."""
    routes = {
        "to-uri": route({"jump": to_uri({"literal": "/found"}, *variable("path"), {"literal": "?by=jump"})}),
        "to-name": route({"jump": to_name("there")}),
        "found": route(says(*PATH)),
        "there": route(says({"literal": "there "}, *variable("method"), {"literal": " "}, *PATH)),
        "hidden": {**route(says(*text("hidden"))), "internal": True},
        "to-hidden": route({"jump": to_uri({"literal": "/hidden"})}),
    }
    tables = {
        "table": locations(
            prefixes={f"/{name}": name for name in ("to-uri", "to-name", "found", "hidden", "to-hidden")},
            named={"there": "there"},
        )
    }
    with gate(**nginx_like(routes=routes, tables=tables)) as g:
        ask = g.client.request
        assert ask("GET", "/to-uri/a?old=1").text == "/found/to-uri/a?by=jump"
        assert ask("POST", "/to-name/a?q=1", body=b"x").text == "there POST /to-name/a?q=1"
        assert ask("GET", "/to-hidden").text == "hidden"
        assert ask("GET", "/hidden").status == 404


def test_what_goes_upstream_after_a_jump() -> None:
    """A jump by target sends the new one, one by name the target as received."""
    routes = {
        "by-uri": route({"jump": to_uri({"literal": "/up/a b?x=1"})}),
        "by-name": route({"jump": to_name("up")}),
        "up": route(proxy(target="raw")),
    }
    tables = {
        "table": locations(prefixes={"/by-uri": "by-uri", "/by-name": "by-name", "/up": "up"}, named={"up": "up"})
    }
    with gate(**nginx_like(routes=routes, tables=tables)) as g:
        g.client.request("GET", "/by-uri/%7E?q")
        g.client.request("GET", "/by-name/%7E//x?q")
        assert [request.target for request in g.origin.requests] == ["/up/a%20b?x=1", "/by-name/%7E//x?q"]


@pytest.mark.parametrize("jump", [to_uri({"literal": "/again"}), to_name("again")])
def test_ten_jumps_and_no_more(jump: Json) -> None:
    """A circle ends in the fault's own answer."""
    routes = {"again": route({"jump": jump})}
    tables = {"table": locations(prefixes={"/again": "again"}, named={"again": "again"})}
    own = {"faults": {**faults(), "too_many_jumps": answer(508, "round and round")}}
    with (
        Engine({**plan(**nginx_like(routes=routes, tables=tables)), "faults": own}) as engine,
        engine.client() as client,
    ):
        ended = client.request("GET", "/again")
        assert (ended.status, ended.text) == (508, "round and round")
        assert client.request("GET", "/again").status == 508
        assert engine.stats()["faults"]["too_many_jumps"] == 2


def test_slash() -> None:
    """A prefix without its last slash is sent there with 301, the query goes along; fields of its route are added."""
    added = {"response_headers": {"statuses": [], "ops": [{"add": {"name": "X-Added", "value": text("1")}}]}}
    tables = {"table": locations(prefixes={"/dir/": "app", "/": "root"})}
    prefix = "table.locations.prefixes.0.redirect_without_slash"
    routes = {"app": route(says(*text("dir")), filters=["added"]), "root": route(says(*text("root")))}
    with gate(**nginx_like(routes=routes, filters={"added": added}, tables=replaced(tables, prefix, True))) as g:
        moved = g.client.request("GET", "/dir?q=1", host="example.org:81")
        assert (moved.status, moved.get("location"), moved.get("x-added")) == (
            301,
            "http://example.org:81/dir/?q=1",
            "1",
        )
        assert g.client.request("GET", "/dir/").text == "dir"
        assert g.client.request("GET", "/other").text == "root"
        g.client.send(b"GET /dir HTTP/1.0\r\n\r\n")
        assert g.client.read_response().get("location") == "/dir/"


def test_faults_before_a_route_is_known() -> None:
    """The host's pages and response fields hold where no route was found, even for a head that cannot be read."""
    filters = {
        "pages": pages(400, 404, to=to_uri({"literal": "/page"})),
        "added": {"response_headers": {"statuses": [], "ops": [{"add": {"name": "X-Added", "value": text("1")}}]}},
    }
    routes = {"app": route(says(*text("page for "), *variable("method")))}
    tables = {"table": locations(prefixes={"/page": "app"})}
    fields = nginx_like(filters=filters, host_filters=["pages", "added"], routes=routes, tables=tables)
    with Engine(plan(**fields)) as engine:
        with engine.client() as client:
            lost = client.request("GET", "/nowhere")
            assert (lost.status, lost.text) == (404, "page for GET")
        with engine.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello")
            bad = client.read_response()
            assert (bad.status, bad.text, bad.closes) == (400, "page for GET", True)
            client.assert_ended()
        with engine.client() as client:
            client.send(b"GET / HTTP/1.1\r\nbroken head\r\n\r\n")
            bad = client.read_response()
            assert (bad.status, bad.text, bad.closes) == (400, "page for GET", True)
            client.assert_ended()
    without = nginx_like(filters=filters, host_filters=["added"], routes=routes, tables=tables)
    with gate(**without) as g:
        assert g.client.request("GET", "/nowhere").get("x-added") == "1"


def test_a_fault_is_meant_whatever_its_status() -> None:
    """A page may stand for a fault by its kind (nginx's 497), and a redirect may be the page."""
    filters = {
        "pages": {
            "error_pages": [
                {
                    "statuses": [],
                    "faults": ["no_route"],
                    "recursive": False,
                    "answer": {
                        "redirect": {
                            "location": [*text("https://"), *variable("host"), *variable("request_uri")],
                            "respond": {"status": 308, "headers": [], "body": []},
                        }
                    },
                    "status": {"fixed": 308},
                }
            ]
        }
    }
    with gate(**nginx_like(filters=filters, host_filters=["pages"], tables={"table": locations()})) as g:
        sent = g.client.request("GET", "/a?b")
        assert (sent.status, sent.get("location")) == (308, "https://example.org/a?b")


def test_the_body_of_a_failed_request_is_no_request() -> None:
    """A page stands for a failure while the body is still to come: that body is never read as the next request."""
    evil = b"GET /evil HTTP/1.1\r\nHost: example.org\r\n\r\n"
    filters = {"pages": pages(413, 502, to=to_uri({"literal": "/page"}), status="answered")}
    with Origin(answering(b"page")) as origin, dead() as nowhere:
        routes = {
            "app": route(proxy()),
            "small": {**route(proxy(), filters=["pages"]), "body_bytes": 10},
            "gone": route(proxy("nowhere"), filters=["pages"]),
        }
        own = {**faults(), "body_too_large": answer(413, "too large")}
        tables = {"table": locations(prefixes={"/page": "app", "/evil": "app", "/small": "small", "/gone": "gone"})}
        services = {"nowhere": service(nowhere)}
        whole = plan(origin.address, **nginx_like(filters=filters, routes=routes, tables=tables, services=services))
        with Engine({**whole, "faults": {"faults": own}}) as engine:
            head = "POST {} HTTP/1.1\r\nHost: example.org\r\nContent-Length: {}\r\n\r\n"
            with engine.client() as client:
                client.send(head.format("/small", len(evil) + 5).encode() + evil[:20])
                page = client.read_response()
                assert (page.status, page.text, page.closes) == (200, "page", True)
                client.send(evil[20:])
                client.assert_ended()
            with engine.client() as client:
                client.send(head.format("/gone", len(evil)).encode() + evil[:20])
                client.send(evil[20:])
                page = client.read_response()
                assert (page.status, page.text) == (200, "page")
        # As with nginx, a page that is got has the body of what failed, where nothing of it is lost.
        assert [(request.line, request.body) for request in origin.requests] == [
            ("GET /page HTTP/1.1", b""),
            ("GET /page HTTP/1.1", evil),
        ]


def test_a_body_that_is_refused_is_not_asked_for() -> None:
    """A client that waits for 100 gets the page for its refused body at once, and the page's application no Expect."""
    filters = {"pages": pages(413, to=to_uri({"literal": "/page"}))}
    with Origin(answering(b"page")) as origin:
        routes = {"app": route(proxy()), "small": {**route(proxy(), filters=["pages"]), "body_bytes": 10}}
        tables = {"table": locations(prefixes={"/page": "app", "/small": "small"})}
        whole = plan(origin.address, **nginx_like(filters=filters, routes=routes, tables=tables))
        with Engine(whole) as engine, engine.client() as client:
            head = "POST /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n"
            client.send(head.encode())
            page = client.read_response()
            assert (page.status, page.text, page.closes, page.interim) == (413, "page", True, ())
        assert origin.requests[0].all("expect") == []


@pytest.mark.parametrize("held", ["stream", {"buffer": {"memory": 1_000}}])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_goes_on_to_the_page(held: Any, *, chunked: bool) -> None:
    """A page by name gets the whole body, in memory, in a file or still to come, from clients of either kind."""
    body = bytes(range(256)) * 400
    filters = {"pages": pages(502, to=to_name("there"), status="answered")}
    head = "POST /gone HTTP/1.1\r\nHost: example.org\r\n"
    with dead() as nowhere, Origin() as origin:
        routes = {
            "gone": route(proxy("nowhere", request_body=held), filters=["pages"]),
            "there": route(proxy(request_body=held)),
        }
        tables = {"table": locations(prefixes={"/gone": "gone"}, named={"there": "there"})}
        services = {"nowhere": service(nowhere)}
        listeners = {"web": http2_listener()}
        fields = nginx_like(filters=filters, routes=routes, tables=tables, services=services, listeners=listeners)
        with Engine(plan(origin.address, **fields)) as engine:
            with engine.client() as client:
                if chunked:
                    sent = b"".join(b"%x\r\n%s\r\n" % (1024, body[at : at + 1024]) for at in range(0, len(body), 1024))
                    client.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + sent + b"0\r\n\r\n")
                else:
                    client.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                assert client.read_response().status == 200
            with Http2(engine.address()) as streams:
                length = () if chunked else (("content-length", str(len(body))),)
                assert streams.ask("POST", "/gone", *length, body=body).status == 200
        assert [request.line for request in origin.requests] == ["POST /gone HTTP/1.1"] * 2
        assert all(request.body == body for request in origin.requests)


def test_over_http2() -> None:
    """A stream gets its page, the others go on."""
    filters = {"pages": pages(404, to=to_uri({"literal": "/page"}))}
    routes = {
        "app": route(proxy(intercept_errors=True), filters=["pages"]),
        "page": route(says(*text("page for "), *variable("path"))),
    }
    tables = {"table": locations(prefixes={"/": "app", "/page": "page"})}
    with http2_gate(
        answering(b"not here", status="404 Not Found"), **nginx_like(filters=filters, routes=routes, tables=tables)
    ) as g:
        for _ in range(2):
            page = g.client.ask("POST", "/lost", body=b"body")
            assert (page.status, page.text) == (404, "page for /page")


def test_the_log_says_what_was_asked_and_answered() -> None:
    """A page's status is logged, and the request line is the client's own, though the page was got with GET."""
    filters = {"pages": pages(404, to=to_uri({"literal": "/page"}), status={"fixed": 299})}
    routes = {
        "app": route(proxy(intercept_errors=True), filters=["pages"], logs=["log"]),
        "page": route(says(*text("page")), logs=["log"]),
    }
    tables = {"table": locations(prefixes={"/": "app", "/page": "page"})}
    fields = [("line", "request_line", "text"), ("status", "status", "number"), ("path", "path", "text")]
    logs = {"log": access_log("stdout", fields)}
    with gate(
        answering(b"", status="404 Not Found"), **nginx_like(filters=filters, routes=routes, tables=tables, logs=logs)
    ) as g:
        assert g.client.request("POST", "/lost", body=b"body").status == 299
        line = until(lambda: g.engine.stdout, what="the access log")
        assert line == '{"line":"POST /lost HTTP/1.1","status":299,"path":"/page"}\n'


@pytest.mark.parametrize(
    ("changes", "where", "message"),
    [
        ({"routes": {"app": route({"jump": to_name("none")})}}, "routes.app", "there is no named location `none`"),
        (
            {"routes": {"app": route({"jump": {"uri": {"table": "none", "uri": []}}})}},
            "routes.app",
            "there is no table `none`",
        ),
        (
            {"filters": {"f": {"script": [{"set": {"slot": 1, "value": []}}]}}, "slots": ["only"]},
            "filters.f",
            "there is no slot `1`",
        ),
        (
            {"filters": {"f": {"script": [{"if": {"when": {"all": []}, "steps": [], "route": "none"}}]}}},
            "filters.f",
            "there is no route `none`",
        ),
        (
            {"routes": {"app": route(says({"lookup": {"table": "none", "key": []}}))}},
            "routes.app",
            "there is no lookup `none`",
        ),
    ],
)
def test_what_leads_nowhere_is_refused(changes: Json, where: str, message: str) -> None:
    """An id that names nothing is refused when the Plan is applied, and where it stands is said."""
    with Engine(None) as engine, pytest.raises(Refused) as refused:
        engine.apply(plan(**changes))
    assert (refused.value.kind, refused.value.where, refused.value.message) == ("bad_reference", where, message)
