"""Lookups: map, geo and split_clients answer as nginx's do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.engine import Engine
from tests.kit.gate import gate
from tests.kit.nginx import Both, both, is_installed
from tests.kit.origin import Origin
from tests.kit.plans import Json, locations, nginx_policy, pattern, plan, proxy, route, text, variable

NGINX = r"""
map $arg_host $tenant {
    hostnames;
    default          nobody;
    .example.org     main;
    *.deep.example.org deep;
    shop.*           shop;
    exact.test       Exact;
    ~^(?<name>.+)\.TEST$ "by $name";
    ~*^(.+)\.net$    "net $1";
}
map $arg_word $word {
    ''      empty;
    One     1;
    ~^t     "t ${arg_word}";
    two     2;
}
map $word $again { 1 "first"; default "of $word"; }
geo $arg_ip $place {
    default        world;
    10.0.0.0/8     ten;
    10.1.0.0/16    inner;
    10.1.2.3       one;
    2001:db8::/32  doc;
}
split_clients $arg_key $bucket {
    0.5%   tiny;
    33%    third;
    *      rest;
}
split_clients "${arg_key}x" $half { 50% left; 49.99% right; }
server {
    listen PORT;
    location / {
        return 200 "$tenant|$word|$again|$place|$bucket|$half|$name";
    }
}
"""


def entry(key: str, *value: Json) -> Json:
    return {"key": key, "value": list(value)}


def lookup(table: str, key: list[Json]) -> Json:
    return {"lookup": {"table": table, "key": key}}


def argument(name: str) -> list[Json]:
    return [{"argument": name}]


NAME = {"named_capture": {"slot": 0, "group": "name"}}
WORD = lookup("word", argument("word"))

LOOKUPS: Json = {
    "tenant": {
        "map": {
            "hostnames": True,
            "exact": [
                entry(".example.org", *text("main")),
                entry("*.deep.example.org", *text("deep")),
                entry("shop.*", *text("shop")),
                entry("exact.test", *text("Exact")),
            ],
            "regexes": [
                {"pattern": pattern(r"^(?<name>.+)\.TEST$", 0), "value": [*text("by "), NAME]},
                {
                    "pattern": pattern(r"^(.+)\.net$", 1, ignore_case=True),
                    "value": [*text("net "), {"capture": {"slot": 1, "group": 1}}],
                },
            ],
            "default": text("nobody"),
            "volatile": False,
        }
    },
    "word": {
        "map": {
            "hostnames": False,
            "exact": [entry("", *text("empty")), entry("One", *text("1")), entry("two", *text("2"))],
            "regexes": [{"pattern": pattern("^t"), "value": [*text("t "), *argument("word")]}],
            "default": [],
            "volatile": False,
        }
    },
    "again": {
        "map": {
            "hostnames": False,
            "exact": [entry("1", *text("first"))],
            "regexes": [],
            "default": [*text("of "), WORD],
            "volatile": False,
        }
    },
    "place": {
        "geo": {
            "networks": [
                entry("10.0.0.0/8", *text("ten")),
                entry("10.1.0.0/16", *text("inner")),
                entry("10.1.2.3", *text("one")),
                entry("2001:db8::/32", *text("doc")),
            ],
            "default": text("world"),
            "proxies": None,
        }
    },
    "bucket": {
        "split": {
            "shares": [
                {"basis_points": 50, "value": text("tiny")},
                {"basis_points": 3300, "value": text("third")},
            ],
            "default": text("rest"),
        }
    },
    "half": {
        "split": {
            "shares": [
                {"basis_points": 5000, "value": text("left")},
                {"basis_points": 4999, "value": text("right")},
            ],
            "default": [],
        }
    },
}

BAR = {"literal": "|"}
BODY = [
    lookup("tenant", argument("host")),
    BAR,
    WORD,
    BAR,
    lookup("again", [WORD]),
    BAR,
    lookup("place", argument("ip")),
    BAR,
    lookup("bucket", argument("key")),
    BAR,
    lookup("half", [*argument("key"), *text("x")]),
    BAR,
    NAME,
]


def says(body: list[Json]) -> Json:
    return route({"respond": {"status": 200, "headers": [], "body": body}})


@pytest.fixture(scope="module")
def servers() -> Iterator[Both]:
    if not is_installed():
        pytest.skip("nginx is not installed")
    lowered = plan(
        http=nginx_policy(),
        lookups=LOOKUPS,
        slots=["name", "1"],
        routes={"app": says(BODY)},
        tables={"table": locations(prefixes={"/": "app"})},
    )
    with both(lowered, NGINX) as servers:
        yield servers


@pytest.mark.parametrize(
    "query",
    [
        "",
        "host=example.org&word=one&ip=10.2.3.4",
        "host=A.B.Example.ORG.&word=two&ip=10.1.2.3",
        "host=a.deep.example.org&word=Two&ip=10.1.9.9",
        "host=deep.example.org&word=tea&ip=2001:db8::1",
        "host=shop.anything.test&word=ONE&ip=2001:db9::1",
        "host=EXACT.test&word=none&ip=::ffff:10.1.2.3",
        "host=ann.TEST&ip=300.1.1.1",
        "host=ann.test&ip=nonsense",
        "host=Ann.NET&ip=255.255.255.255",
        "host=shop",
        "host=..",
    ],
)
def test_answers_as_nginx_does(servers: Both, query: str) -> None:
    """Keys of every kind fall on nginx's entries."""
    engine, nginx = servers.ask("GET", f"/?{query}")
    assert engine == nginx


def test_splits_as_nginx_does(servers: Both) -> None:
    """Every key falls into nginx's share, whatever its length."""
    with servers.engine.client() as engine, servers.nginx.client() as nginx:
        found = set()
        for number in range(400):
            target = f"/?key={'k' * (number % 9)}{number}"
            text = nginx.request("GET", target).text
            assert engine.request("GET", target).text == text, target
            found.add(text.split("|")[4])
    assert found >= {"third", "rest"}


def test_evaluated_once_an_exchange_unless_volatile() -> None:
    """A lookup keeps its first answer for the exchange, though what it was asked with has changed since; a volatile one does not."""
    volatile = {"hostnames": False, "exact": [], "regexes": [], "default": [{"capture": {"slot": 0, "group": 0}}]}
    lookups = {"kept": {"map": {**volatile, "volatile": False}}, "asked": {"map": {**volatile, "volatile": True}}}
    both_of_them: list[Json] = [lookup("kept", []), BAR, lookup("asked", [])]
    steps = [
        {"set": {"slot": 0, "value": [{"argument": "v"}]}},
        {"set": {"slot": 1, "value": both_of_them}},
        {"set": {"slot": 0, "value": text("later")}},
    ]
    body: list[Json] = [{"capture": {"slot": 1, "group": 0}}, BAR, *both_of_them]
    routes = {"app": {**says(body), "filters": ["script"]}}
    with gate(lookups=lookups, slots=["v", "seen"], filters={"script": {"script": steps}}, routes=routes) as g:
        assert g.client.request("GET", "/?v=first").text == "first|first|first|later"
        # The next exchange knows nothing of this one.
        assert g.client.request("GET", "/?v=second").text == "second|second|second|later"


def test_a_lookup_that_asks_for_itself_is_empty_there() -> None:
    """Two lookups that ask for each other end, with nothing where the circle closes."""
    circle = {"hostnames": False, "exact": [], "regexes": [], "volatile": False}
    lookups = {
        "a": {"map": {**circle, "default": [*text("a"), lookup("b", [])]}},
        "b": {"map": {**circle, "default": [*text("b"), lookup("a", [])]}},
    }
    with gate(lookups=lookups, routes={"app": says([lookup("a", [])])}) as g:
        assert g.client.request().text == "ab"


def test_lookups_stand_wherever_templates_do() -> None:
    """In request and response fields, conditions and hosts, upstream and in answers."""
    mapped = {
        "tenant": {
            "map": {
                "hostnames": False,
                "exact": [entry("example.org", *text("main"))],
                "regexes": [],
                "default": text("none"),
                "volatile": False,
            }
        }
    }
    of_host = lookup("tenant", variable("host"))
    filters = {
        "in": {"request_headers": [{"set": {"name": "X-In", "value": [of_host]}}]},
        "out": {"response_headers": {"statuses": [], "ops": [{"add": {"name": "X-Out", "value": [of_host]}}]}},
        "refuse": {
            "respond": {
                "when": {"equals": {"value": [of_host], "to": text("none")}},
                "respond": {"status": 403, "headers": [], "body": [of_host]},
            }
        },
    }
    routes = {"app": route(proxy(host=[of_host]), filters=filters)}
    with Origin() as origin, Engine(plan(origin.address, lookups=mapped, filters=filters, routes=routes)) as engine:
        with engine.client() as client:
            answer = client.request("GET", "/", host="EXAMPLE.org")
            assert (answer.status, answer.get("x-out")) == (200, "main")
            refused = client.request("GET", "/", host="other.org")
            assert (refused.status, refused.text) == (403, "none")
        assert (origin.requests[0].get("x-in"), origin.requests[0].get("host")) == ("main", "main")
