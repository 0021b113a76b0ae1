"""`add_header` becomes filters ResponseHeaders."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.nginx.headers import STATUSES, response_headers
from daemun.nginx.level import Level
from daemun.plan.filter import Add, Expires, ExpiresFrom, ResponseHeaders, Set
from daemun.plan.plan import from_json
from daemun.plan.route import HeaderValue
from daemun.plan.template import Literal
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import Parts, parts, scene

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def added(name: str, value: str) -> Add:
    return Add(HeaderValue(name=name, value=(Literal(value),)))


def filters(made: Parts, level: Level) -> list[ResponseHeaders]:
    """In the order of the response: the reverse of the route's."""
    names = response_headers(level, made.making, scene())
    found = [made.making.filters[name] for name in reversed(names)]
    return [one for one in found if isinstance(one, ResponseHeaders)]


def test_the_golden_header() -> None:
    """`always`: every status."""
    made = parts((GOLDEN / "if-and-set.conf").read_text())
    plan = from_json((GOLDEN / "if-and-set.json").read_bytes())
    assert filters(made, made.at("server", "location /")) == [plan.filters["/ colour"]]


def test_kinds_stand_apart_and_in_order() -> None:
    """Only what is `always` goes with an error; neighbours of one kind are one filter."""
    made = parts("add_header A 1; add_header B 2; add_header C 3 always; add_header D 4;")
    assert filters(made, made.http) == [
        ResponseHeaders(statuses=STATUSES, ops=(added("A", "1"), added("B", "2"))),
        ResponseHeaders(statuses=(), ops=(added("C", "3"),)),
        ResponseHeaders(statuses=STATUSES, ops=(added("D", "4"),)),
    ]


def test_validators_are_replaced() -> None:
    """There is one ETag and one Last-Modified; an empty value takes it away."""
    made = parts('add_header ETag "\\"x\\""; add_header Last-Modified "";')
    etag = Set(HeaderValue(name="ETag", value=(Literal('"x"'),)))
    modified = Set(HeaderValue(name="Last-Modified", value=()))
    assert filters(made, made.http) == [ResponseHeaders(statuses=STATUSES, ops=(etag, modified))]


def test_values_end_with_their_text() -> None:
    """White space at the end has no meaning, and a newline would end the head."""
    made = parts('add_header A "1 \\n"; add_header B "$host\\n"; add_header C "\\n";')
    (found,) = filters(made, made.http)
    assert found.ops[0] == added("A", "1")
    assert found.ops[1] == Add(HeaderValue(name="B", value=(Variable.HOST,)))
    assert found.ops[2] == Add(HeaderValue(name="C", value=()))


def test_expires_comes_first() -> None:
    """`add_header Cache-Control` adds a second line."""
    made = parts("add_header Cache-Control public; expires 1h;")
    expires = Expires(after=(Literal("3600"),), from_=ExpiresFrom.ACCESS)
    ops = (expires, added("Cache-Control", "public"))
    assert filters(made, made.http) == [ResponseHeaders(statuses=STATUSES, ops=ops)]


@pytest.mark.parametrize(
    ("inherit", "names"),
    [("", ["B"]), ("add_header_inherit on;", ["B"]), ("add_header_inherit merge;", ["B", "A"])],
)
def test_inheritance_with_fields_of_its_own(inherit: str, names: list[str]) -> None:
    """All or nothing, unless `merge` says otherwise."""
    made = parts(f"add_header A 1; server {{ add_header B 2; {inherit} }}")
    found = filters(made, made.at("server"))
    assert [op.field.name for one in found for op in one.ops if isinstance(op, Add)] == names


def test_inheritance_without_fields_of_its_own() -> None:
    """What stands above holds, unless it is `off`."""
    made = parts("add_header A 1; server { location /a { } location /b { add_header_inherit off; } }")
    assert len(filters(made, made.at("server", "location /a"))) == 1
    assert filters(made, made.at("server", "location /b")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("add_header A 1 alway;", 'value: invalid parameter "alway"'),
        ("add_header A $nothing;", 'unknown: unknown "$nothing" variable'),
        ("add_trailer A 1;", "not_yet: add_trailer is not served by this version"),
        ("add_header A 1; add_header_inherit some;", 'value: invalid value "some"'),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    """Each has its place."""
    made = parts(text)
    response_headers(made.http, made.making, scene())
    assert made.said == [f"1 error {said}"]
