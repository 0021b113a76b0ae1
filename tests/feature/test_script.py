"""nginx's rewrite phase: the same configuration for nginx and, lowered by hand, for the engine answers alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.nginx import Both, both, is_installed
from tests.kit.origin import Origin
from tests.kit.plans import Json, capture, locations, nginx_policy, pattern, plan, proxy, route, service, text, variable

NGINX = r"""
upstream app { server APP; }
upstream green { server GREEN; }
server {
    listen PORT;
    set $colour blue;
    rewrite ^/v1/(.*)$ /api/$1;
    if ($http_x_gone) { return 410 gone; }
    if ($arg_end = now) { return 444; }
    location /old/ { rewrite ^/old/(.*)$ /new/$1 last; return 403; }
    location /new/ { proxy_set_header X-Colour $colour; proxy_pass http://app; }
    location /api/ { rewrite ^/api/(.*)$ /new/$1? last; }
    location /paint/ { rewrite ^/paint/([^/]+)/?$ /draw?id=$1 break; proxy_pass http://app/ignored/; }
    location /loop/ { rewrite ^/loop/(.*)$ /loop/x$1 last; }
    location /ten/ {
        rewrite "^/ten/x{9}$" /new/ten last;
        rewrite "^/ten/(x{0,8})$" /ten/x$1 last;
    }
    location /eleven/ {
        rewrite "^/eleven/x{10}$" /new/eleven last;
        rewrite "^/eleven/(x{0,9})$" /eleven/x$1 last;
    }
    location /chain/ {
        rewrite ^/chain/(.*)$ /second/$1;
        rewrite ^/second/(.*)$ /new/2/$1?two=2;
        set $colour green;
    }
    location /stay/ { rewrite ^/stay/(.*)$ /nowhere/$1; break; proxy_pass http://app; }
    location /moved/ { rewrite ^/moved/(.*)$ http://other.test/$1 permanent; }
    location /found/ { rewrite ^/found/(.*)$ http://other.test/x?p=$1 redirect; }
    location /bare/ { rewrite ^/bare/(.*)$ http://other.test/$1? redirect; }
    location /named/ {
        if ($uri ~ ^/named/(?<who>[^/]+)/(.*)$) { set $tail $2; }
        proxy_set_header X-Who $who;
        proxy_set_header X-Tail $tail;
        proxy_pass http://app;
    }
    location /if/ {
        add_header X-Where parent always;
        if ($http_x_canary = 1) { add_header X-Where canary always; set $colour green; proxy_pass http://green; }
        if ($request_method = DELETE) { return 405; }
        if ($http_x_also) { set $colour also; }
        proxy_set_header X-Colour $colour;
        proxy_pass http://app;
    }
    location /lost/ {
        if ($uri ~ ^/lost/(\d+)) { set $tail got$1; }
        if ($http_x_none ~ (never)) { set $tail never; }
        proxy_set_header X-Tail $tail$1;
        proxy_pass http://app;
    }
    location ~ ^/regex/(?<who>[^/]+)/(\d+)$ {
        proxy_set_header X-Who $who;
        proxy_set_header X-Tail $2;
        proxy_pass http://app;
    }
    location /internal/ { internal; proxy_pass http://app; }
    location /into/ { rewrite ^/into/(.*)$ /internal/$1 last; }
    location /text/ { return 200 "you are $uri"; }
}
"""

# The slots: `colour` and `tail` are set; `1` is what patterns capture by number and by name.
COLOUR, TAIL, ONE, GONE = range(4)


ANSWERS = {"redirect": 302, "permanent": 301}


def rewrite(regex: str, replacement: list[Json], then: str = "continue", *, append: bool = True) -> Json:
    return {
        "rewrite": {
            "pattern": pattern(regex, ONE),
            "replacement": replacement,
            "append_query": append,
            "then": {"redirect": {"status": ANSWERS[then], "headers": [], "body": []}} if then in ANSWERS else then,
        }
    }


def set_slot(slot: int, value: list[Json]) -> Json:
    return {"set": {"slot": slot, "value": value}}


def when(condition: Json, *steps: Any, to: str | None = None) -> Json:
    return {"if": {"when": condition, "steps": list(steps), "route": to}}


def matches(value: list[Json], regex: str) -> Json:
    return {"matches": {"value": value, "pattern": pattern(regex, ONE)}}


def equals(value: list[Json], to: str) -> Json:
    return {"equals": {"value": value, "to": text(to)}}


def answer(status: int, body: list[Json]) -> Json:
    return {"return": {"status": status, "headers": [], "body": body}}


def sets(**fields: list[Json]) -> Json:
    named = {f"X-{name.capitalize()}": value for name, value in fields.items()}
    return {"request_headers": [{"set": {"name": name, "value": value}} for name, value in named.items()]}


def adds(value: str) -> Json:
    return {"response_headers": {"statuses": [], "ops": [{"add": {"name": "X-Where", "value": text(value)}}]}}


SCRIPTS: dict[str, list[Any]] = {
    "server": [
        set_slot(COLOUR, text("blue")),
        rewrite("^/v1/(.*)$", [*text("/api/"), *capture(ONE, 1)]),
        when({"true": [{"header": "x-gone"}]}, answer(410, text("gone"))),
        when(equals([{"argument": "end"}], "now"), "close"),
    ],
    "old": [rewrite("^/old/(.*)$", [*text("/new/"), *capture(ONE, 1)], "last"), answer(403, [])],
    "api": [rewrite("^/api/(.*)$", [*text("/new/"), *capture(ONE, 1)], "last", append=False)],
    "paint": [rewrite("^/paint/([^/]+)/?$", [*text("/draw?id="), *capture(ONE, 1)], "break")],
    "loop": [rewrite("^/loop/(.*)$", [*text("/loop/x"), *capture(ONE, 1)], "last")],
    "ten": [
        rewrite("^/ten/x{9}$", text("/new/ten"), "last"),
        rewrite("^/ten/(x{0,8})$", [*text("/ten/x"), *capture(ONE, 1)], "last"),
    ],
    "eleven": [
        rewrite("^/eleven/x{10}$", text("/new/eleven"), "last"),
        rewrite("^/eleven/(x{0,9})$", [*text("/eleven/x"), *capture(ONE, 1)], "last"),
    ],
    "chain": [
        rewrite("^/chain/(.*)$", [*text("/second/"), *capture(ONE, 1)]),
        rewrite("^/second/(.*)$", [*text("/new/2/"), *capture(ONE, 1), *text("?two=2")]),
        set_slot(COLOUR, text("green")),
    ],
    "stay": [rewrite("^/stay/(.*)$", [*text("/nowhere/"), *capture(ONE, 1)]), "break"],
    "moved": [rewrite("^/moved/(.*)$", [*text("http://other.test/"), *capture(ONE, 1)], "permanent")],
    "found": [rewrite("^/found/(.*)$", [*text("http://other.test/x?p="), *capture(ONE, 1)], "redirect")],
    "bare": [rewrite("^/bare/(.*)$", [*text("http://other.test/"), *capture(ONE, 1)], "redirect", append=False)],
    "named": [
        when(
            {"matches": {"value": variable("path"), "pattern": pattern("^/named/(?<who>[^/]+)/(.*)$", ONE)}},
            set_slot(TAIL, capture(ONE, 2)),
        )
    ],
    "if": [
        when(equals([{"header": "x-canary"}], "1"), set_slot(COLOUR, text("green")), to="canary"),
        when(equals(variable("method"), "DELETE"), answer(405, []), to="also"),
        when({"true": [{"header": "x-also"}]}, set_slot(COLOUR, text("also")), to="also"),
    ],
    "lost": [
        when(matches(variable("path"), r"^/lost/(\d+)"), set_slot(TAIL, [*text("got"), *capture(ONE, 1)])),
        when(matches([{"header": "x-none"}], "(never)"), set_slot(TAIL, text("never"))),
    ],
    "into": [rewrite("^/into/(.*)$", [*text("/internal/"), *capture(ONE, 1)], "last")],
}
WHO = [{"named_capture": {"slot": ONE, "group": "who"}}]


def lowered(app: str, green: str) -> Json:
    """What NGINX says, as a Plan."""
    passing = proxy(target="raw", host=text("app"))
    filters: Json = {
        **{f"{name} script": {"script": steps} for name, steps in SCRIPTS.items()},
        "colour": sets(colour=capture(COLOUR)),
        "who": sets(who=WHO, tail=capture(TAIL)),
        "tail": sets(tail=[*capture(TAIL), *capture(ONE, 1)]),
        "number": sets(who=WHO, tail=capture(ONE, 2)),
        "parent": adds("parent"),
        "canary": adds("canary"),
    }
    # nginx's `if` inherits nothing of add_header once it says one of its own.
    routes = {
        **{
            name: route(passing, filters=[f"{name} script"])
            for name in ("old", "api", "loop", "ten", "eleven", "chain", "stay", "moved", "found", "bare", "into")
        },
        "new": route(passing, filters=["colour"]),
        "paint": route(
            proxy(target={"replace_prefix": {"prefix": "/paint/", "with": "/ignored/"}}), filters=["paint script"]
        ),
        "named": route(passing, filters=["named script", "who"]),
        "if": route(passing, filters=["if script", "colour", "parent"]),
        "canary": route(proxy("green", target="raw"), filters=["colour", "canary"]),
        "also": route(passing, filters=["colour", "parent"]),
        "lost": route(passing, filters=["lost script", "tail"]),
        "regex": route(passing, filters=["number"]),
        "internal": {**route(passing), "internal": True},
        "text": route({"respond": {"status": 200, "headers": [], "body": [*text("you are "), *variable("path")]}}),
    }
    names = [name for name in SCRIPTS if name != "server"] + ["new", "internal", "text"]
    return plan(
        app,
        http=nginx_policy(),
        services={"green": service(green)},
        host_filters=["server script"],
        filters=filters,
        routes=routes,
        slots=["colour", "tail", "1", "gone"],
        tables={
            "table": locations(
                prefixes={f"/{name}/": name for name in names},
                regexes=[(pattern(r"^/regex/(?<who>[^/]+)/(\d+)$", ONE), "regex")],
            )
        },
    )


@pytest.fixture(scope="module")
def servers() -> Iterator[Both]:
    if not is_installed():
        pytest.skip("nginx is not installed")
    with Origin() as app, Origin() as green:
        http = NGINX.replace("APP", app.address).replace("GREEN", green.address)
        with both(lowered(app.address, green.address), http) as servers:
            yield servers


@pytest.mark.parametrize(
    "target",
    [
        "/old/a?q=1",
        "/old/a%20b%2Fc?q=%20",
        "/v1/a?q=1",
        "/api/x?gone=1",
        "/new/plain%2F?q",
        "/paint/7?x=1",
        "/paint/a&b",
        "/paint/a%26b+c%20d?x",
        "/paint/not/here",
        "/ten/",
        "/eleven/",
        "/loop/",
        "/chain/a?q=1",
        "/chain/a",
        "/stay/a?q=1",
        "/moved/a?q=1",
        "/moved/a%20b%23c%25%26%2B%3F",
        "/moved/%C3%A9",
        "/found/a&b?q=1",
        "/found/a%26b?q=1",
        "/bare/a?q=1",
        "/named/ann/rest/of",
        "/named/a%26n/re%20st",
        "/named/none",
        "/lost/12",
        "/lost/x",
        "/regex/bob/42",
        "/internal/a",
        "/into/a",
        "/text/a%20b",
        "/nothing/here",
    ],
)
def test_rewrites_as_nginx_does(servers: Both, target: str) -> None:
    """Status, Location, and the target and fields the application sees are nginx's."""
    engine, nginx = servers.ask("GET", target)
    assert engine == nginx


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GET", []),
        ("GET", ["X-Canary: 1"]),
        ("GET", ["X-Canary: 1", "X-Also: 1"]),
        ("GET", ["X-Also: 0"]),
        ("GET", ["X-Also: yes"]),
        ("DELETE", []),
        ("DELETE", ["X-Canary: 1"]),
        ("GET", ["X-Gone: 1"]),
        ("POST", []),
    ],
)
def test_if_chooses_as_nginx_does(servers: Both, method: str, fields: list[str]) -> None:
    """`if` sets, answers, or puts another route in the place of the present one."""
    engine, nginx = servers.ask(method, "/if/a?q=1", *fields, body=b"body" if method == "POST" else b"")
    assert engine == nginx


def test_444_closes_without_a_word(servers: Both) -> None:
    """`return 444` ends the connection, and no byte is sent."""
    for server in (servers.engine, servers.nginx):
        with server.client() as client:
            client.send(b"GET /new/?end=now HTTP/1.1\r\nHost: example.org\r\n\r\n")
            client.assert_ended()


def test_slots_are_of_one_exchange() -> None:
    """What one request has set the next one on the connection does not see."""
    filters = {
        "script": {"script": [when({"true": [{"argument": "v"}]}, set_slot(0, [{"argument": "v"}]))]},
        "slot": sets(slot=capture(0)),
    }
    routes = {"app": route(proxy(), filters=filters)}
    with gate(filters=filters, routes=routes, slots=["v"]) as g:
        for target in ("/?v=1", "/"):
            assert g.client.request("GET", target).status == 200
        assert [request.get("x-slot") for request in g.origin.requests] == ["1", None]


def test_a_rewrite_undoes_what_filters_of_the_route_before_have_done() -> None:
    """Fields that a route's filters have set, and Host, are the client's again in the route that is found next."""
    filters = {
        "fields": {"request_headers": [{"set": {"name": "X-Left", "value": text("1")}}, {"remove": "X-Own"}]},
        "host": {"request_headers": [{"set": {"name": "Host", "value": text("inner.test")}}]},
        "script": {"script": [{"rewrite": {**rewrite("^/a", text("/b"))["rewrite"], "pattern": pattern("^/a")}}]},
    }
    routes = {"app": route(proxy()), "a": route(proxy(), filters=["fields", "host", "script"])}
    tables = {"table": locations(prefixes={"/a": "a", "/b": "app"})}
    with (
        Origin() as origin,
        Engine(plan(origin.address, filters=filters, routes=routes, tables=tables, http=nginx_policy())) as engine,
    ):
        with engine.client() as client:
            assert client.request("GET", "/a", "X-Own: mine").status == 200
        request = origin.requests[0]
        assert (request.get("x-left"), request.get("x-own"), request.get("host")) == (None, "mine", "example.org")
