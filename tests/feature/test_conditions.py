"""Conditions: when an answer, a redirect, a step of a script or a line of an access log applies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.gate import gate
from tests.kit.plans import Json, access_log, capture, pattern, proxy, route, text
from tests.kit.waiting import until

V = [{"argument": "v"}]
TRUE: Json = {"true": V}
IS_A: Json = {"equals": {"value": V, "to": text("a")}}
HAS_DIGIT: Json = {"matches": {"value": V, "pattern": pattern(r"[a-z](\d)", 0)}}
SAME: Json = {"equals": {"value": V, "to": [{"argument": "w"}]}}


@pytest.mark.parametrize(
    ("condition", "holds", "fails"),
    [
        (TRUE, ["v=1", "v=00", "v=no"], ["", "v=", "v=0"]),
        (IS_A, ["v=a"], ["v=A", "v=ab", ""]),
        (SAME, ["v=x&w=x", ""], ["v=x", "v=x&w=y"]),
        (HAS_DIGIT, ["v=a1", "v=xx7yy"], ["v=1a", "v=A1"]),
        ({"not": TRUE}, ["", "v=0"], ["v=1"]),
        ({"all": [TRUE, {"not": IS_A}]}, ["v=b"], ["v=a", "v=0", ""]),
        ({"any": [IS_A, HAS_DIGIT]}, ["v=a", "v=b2"], ["v=b", ""]),
        ({"all": []}, [""], []),
        ({"any": []}, [], [""]),
    ],
)
def test_an_answer_when_it_holds(condition: Json, holds: list[str], fails: list[str]) -> None:
    """`respond` answers where the condition holds, and lets everything else through; so does `redirect`."""
    respond = {"when": condition, "respond": {"status": 403, "headers": [], "body": text("no")}}
    redirect = {"when": condition, "redirect": {"status_get": 302, "status_other": 307, "location": text("/there")}}
    filters: Json = {"respond": {"respond": respond}, "redirect": {"redirect": redirect}}
    routes = {"app": route(proxy(), filters=["respond"]), "other": route(proxy(), filters=["redirect"])}
    rules = [{"match": {"path": "/other"}, "route": "other"}, {"match": "always", "route": "app"}]
    with gate(filters=filters, routes=routes, rules=rules, slots=["1"]) as g:
        for query in holds:
            assert g.client.request("GET", f"/?{query}").status == 403, query
            assert g.client.request("GET", f"/other?{query}").status == 302, query
        for query in fails:
            assert g.client.request("GET", f"/?{query}").status == 200, query
            assert g.client.request("GET", f"/other?{query}").status == 200, query


def test_what_a_condition_has_captured_is_there_afterwards() -> None:
    """The groups of a pattern that matched can be answered with; one that fails in a script leaves no numbers behind."""
    said = {"status": 200, "headers": [], "body": [*text("["), *capture(0, 1), *text("]")]}
    steps: list[Any] = [
        {"if": {"when": HAS_DIGIT, "steps": [], "route": None}},
        {
            "if": {
                "when": {"matches": {"value": [{"argument": "w"}], "pattern": pattern("(x)", 0)}},
                "steps": [],
                "route": None,
            }
        },
    ]
    filters: Json = {"script": {"script": steps}}
    routes = {"app": route({"respond": said}, filters=filters)}
    when = {"respond": {"respond": {"when": HAS_DIGIT, "respond": said}}}
    with gate(filters=when, routes={"app": route(proxy(), filters=when)}, slots=["1"]) as g:
        assert g.client.request("GET", "/?v=a7").text == "[7]"
    with gate(filters=filters, routes=routes, slots=["1"]) as g:
        assert g.client.request("GET", "/?v=a7&w=x").text == "[x]"
        assert g.client.request("GET", "/?v=a7").text == "[]"


def test_lines_of_an_access_log() -> None:
    """A log has only the lines for which its condition holds, and may ask what was answered."""
    log = access_log("stdout", [("uri", "request_uri", "text"), ("status", "status", "number")])
    loud = {"not": {"equals": {"value": [{"variable": "status"}], "to": text("200")}}}
    filters: Json = {"no": {"respond": {"when": TRUE, "respond": {"status": 403, "headers": [], "body": []}}}}
    routes = {"app": route(proxy(), filters=filters, logs=["log"])}
    with gate(logs={"log": {**log, "when": loud}}, filters=filters, routes=routes) as g:
        for target in ("/", "/?v=1", "/x", "/?v=2"):
            g.client.request("GET", target)
        lines = until(lambda: g.engine.stdout.count("\n") >= 2 and g.engine.stdout, what="two lines")
        assert lines == '{"uri":"/?v=1","status":403}\n{"uri":"/?v=2","status":403}\n'
