"""Filters of the first issue: prefixes, paths, fields, redirects, in their order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.origin import Origin, answering
from tests.kit.plans import plan, proxy, route, text


def filtered(*filters: dict[str, Any]) -> dict[str, Any]:
    """Fields for `plan`: the one route with these filters, in this order."""
    named = {f"f{number}": one for number, one in enumerate(filters)}
    return {"filters": named, "routes": {"app": route(proxy(), filters=named)}}


@pytest.mark.parametrize(
    ("filters", "target", "upstream", "fields"),
    [
        ([{"add_prefix": {"prefix": "/v1"}}], "/a?b", "/v1/a?b", {}),
        ([{"strip_prefix": {"prefixes": ["/api", "/other"]}}], "/api/a?b", "/a?b", {"x-forwarded-prefix": "/api"}),
        ([{"strip_prefix": {"prefixes": ["/api"]}}], "/api", "/", {"x-forwarded-prefix": "/api"}),
        ([{"strip_prefix": {"prefixes": ["/api"]}}], "/none/a", "/none/a", {}),
        ([{"replace_path": {"path": "/x"}}], "/a/b?c", "/x?c", {"x-replaced-path": "/a/b"}),
        (
            [{"strip_prefix": {"prefixes": ["/api"]}}, {"add_prefix": {"prefix": "/v2"}}],
            "/api/a",
            "/v2/a",
            {"x-forwarded-prefix": "/api"},
        ),
    ],
)
def test_paths(filters: list[dict[str, Any]], target: str, upstream: str, fields: dict[str, str]) -> None:
    """Prefixes come and go, one filter after the other; what was cut off or replaced is said."""
    with gate(**filtered(*filters)) as g:
        assert g.client.request("GET", target).status == 200
        request = g.origin.requests[0]
        assert request.target == upstream
        assert {name: request.get(name) for name in fields} == fields
        if not fields:
            assert not request.all("x-forwarded-prefix")


def test_request_fields() -> None:
    """Set, add and remove, in order; an empty value removes; a template is filled in."""
    ops = [
        {"set": {"name": "X-Set", "value": text("1")}},
        {"set": {"name": "X-Gone", "value": []}},
        {"add": {"name": "X-Add", "value": text("2")}},
        {"remove": "X-Removed"},
        {"set": {"name": "X-Path", "value": [{"variable": "method"}, {"literal": " "}, {"variable": "path"}]}},
        {"set": {"name": "Host", "value": text("inner.test")}},
    ]
    with gate(**filtered({"request_headers": ops})) as g:
        g.client.request(
            "GET", "/p", "X-Set: old", "x-set: older", "X-Gone: 1", "X-Add: 1", "X-REMOVED: 1", "X-Kept: 1"
        )
        request = g.origin.requests[0]
        assert request.all("x-set") == ["1"]
        assert request.all("x-gone") == []
        assert request.all("x-add") == ["1", "2"]
        assert request.all("x-removed") == []
        assert request.get("x-path") == "GET /p"
        assert request.get("x-kept") == "1"
        assert request.get("host") == "inner.test"


def test_field_values_cannot_break_out() -> None:
    """What a template takes from a request can add no line to the forwarded head."""
    value = [{"argument": "v"}, {"header": "x-in"}]
    with gate(**filtered({"request_headers": [{"set": {"name": "X-Out", "value": value}}]})) as g:
        g.client.request("GET", "/?v=a%0d%0aX-Evil:1", "X-In: b")
        assert not g.origin.requests[0].all("x-evil")
        assert g.origin.requests[0].get("x-out") == "a%0d%0aX-Evil:1b"


def test_response_fields() -> None:
    """The same on answers, everywhere or on some statuses only."""
    ops = [{"set": {"name": "X-Set", "value": text("1")}}, {"remove": "X-Secret"}]
    only = [{"set": {"name": "X-Teapot", "value": text("1")}}]
    filters = filtered(
        {"response_headers": {"statuses": [], "ops": ops}}, {"response_headers": {"statuses": [418], "ops": only}}
    )
    with gate(answering(b"ok", "X-Set: 0", "X-Secret: 1", "X-Kept: 1"), **filters) as g:
        response = g.client.request()
        assert (response.all("x-set"), response.all("x-secret"), response.get("x-kept")) == (["1"], [], "1")
        assert not response.all("x-teapot")
    with gate(answering(b"ok", status="418 I'm a teapot"), **filters) as g:
        assert g.client.request().get("x-teapot") == "1"


def test_hidden_fields() -> None:
    """`hide` takes fields from the origin's answer."""
    with gate(
        answering(b"ok", "X-Powered-By: secret", "Server: secret"), action={"hide": ["x-powered-by", "server"]}
    ) as g:
        response = g.client.request()
        assert not response.all("x-powered-by")
        assert "secret" not in repr(response.headers)


def test_redirect_filter() -> None:
    """A redirect answers when its condition holds, and lets others through."""
    location = [{"literal": "https://"}, {"variable": "host"}, {"variable": "request_uri"}]
    when = {"equals": {"value": [{"variable": "scheme"}], "to": text("http")}}
    never = {"equals": {"value": [{"variable": "scheme"}], "to": text("https")}}
    to = {"status_get": 302, "status_other": 307, "location": location}
    with gate(**filtered({"redirect": {"when": when, "redirect": to}})) as g:
        response = g.client.request("GET", "/a?b=c", host="a.test:80")
        assert (response.status, response.get("location")) == (302, "https://a.test/a?b=c")
        assert g.client.request("POST", "/a", body=b"x").status == 307
        assert g.origin.received == b""
    with gate(**filtered({"redirect": {"when": never, "redirect": to}})) as g:
        assert g.client.request().status == 200


def test_respond_reads_on() -> None:
    """An answer of the engine's own to a request with a body leaves the connection usable, or says that it closes it."""
    action = {"respond": {"status": 200, "headers": [], "body": text("own")}}
    with Engine(plan(routes={"app": route(action)})) as engine, engine.client() as client:
        response = client.request("POST", body=b"x" * 100_000)
        assert response.text == "own"
        if response.closes:
            client.assert_ended()
        else:
            assert client.request().text == "own"


def test_close_action() -> None:
    """The action `close` ends the connection without a word (nginx 444)."""
    with Engine(plan(routes={"app": route("close")})) as engine, engine.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.assert_ended()


def test_rules_in_order() -> None:
    """The first rule that matches wins, whatever kind it is."""

    def said(name: str) -> dict[str, Any]:
        return route({"respond": {"status": 200, "headers": [], "body": text(name)}})

    pattern = {"regex": "^/r[0-9]+$", "dialect": "re2", "ignore_case": False, "slot": None}
    rules = [
        {"match": {"all": [{"host": "a.test"}, {"path_prefix": "/x/long"}]}, "route": "long"},
        {"match": {"path_prefix": "/x"}, "route": "prefix"},
        {"match": {"all": [{"host": "a.test"}, {"not": {"method": "POST"}}]}, "route": "host"},
        {"match": {"path_regex": pattern}, "route": "regex"},
        {
            "match": {"any": [{"header": {"name": "x-a", "value": "1"}}, {"query": {"key": "k", "value": "v w"}}]},
            "route": "any",
        },
        {"match": {"client_ip": ["127.0.0.8/31"]}, "route": "ip"},
    ]
    routes = {name: said(name) for name in ("long", "prefix", "host", "regex", "any", "ip")}
    with (
        Origin() as origin,
        Engine(plan(origin.address, rules=rules, routes=routes)) as engine,
        engine.client() as client,
    ):
        assert client.request("GET", "/x/longer", host="A.test.:80").text == "long"
        assert client.request("GET", "/x/longer", host="b.test").text == "prefix"
        assert client.request("GET", "/y", host="a.test").text == "host"
        assert client.request("POST", "/y", host="a.test").status == 404
        assert client.request("GET", "/r12", host="b.test").text == "regex"
        assert client.request("GET", "/r12x", host="b.test").status == 404
        assert client.request("GET", "/", "X-A: 0", "X-A: 1", host="b.test").text == "any"
        assert client.request("GET", "/?k=v+w", host="b.test").text == "any"
        assert client.request("GET", "/?j=1&k=v%20w", host="b.test").text == "any"
        with engine.client(source="127.0.0.9") as other:
            assert other.request(host="b.test").text == "ip"
