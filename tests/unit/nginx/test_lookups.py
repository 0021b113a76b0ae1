"""`map` and `split_clients` become lookups."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemun.nginx.lookups import lookups
from daemun.plan.plan import from_json
from daemun.plan.template import Capture, Entry, Literal, Lookup, Map, Share, Split, Template
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import Parts, parts

GOLDEN = Path(__file__).parents[2] / "golden" / "plan"


def tables(text: str) -> tuple[dict[str, Lookup], Parts]:
    made = parts(text)
    lookups(made.http.block, made.making)
    return made.making.lookups, made


def text(value: str) -> Template:
    return (Literal(value),) if value else ()


def test_the_golden_map() -> None:
    """Default, empty key, hostnames, a pattern with a named group."""
    found, made = tables((GOLDEN / "map.conf").read_text())
    plan = from_json((GOLDEN / "map.json").read_bytes())
    assert found == plan.lookups
    assert tuple(made.making.slots) == plan.slots
    assert made.said == []


def test_words_of_the_block_are_keys_behind_a_backslash() -> None:
    r"""`\default` is a key; without a default there is the empty text."""
    found, _ = tables('map $uri $x { "\\\\default" a; \\\\hostnames b; volatile; }')
    table = found["x"]
    assert isinstance(table, Map)
    assert table.exact == (Entry(key="default", value=text("a")), Entry(key="hostnames", value=text("b")))
    assert table.default == ()
    assert table.volatile
    assert not table.hostnames


def test_values_are_templates() -> None:
    """With variables, and the groups of the pattern beside them."""
    found, made = tables("map $uri $x { ~*^/(.) u$1; A $host; default $http_y; }")
    table = found["x"]
    assert isinstance(table, Map)
    assert table.regexes[0].pattern.ignore_case
    assert table.regexes[0].value == (Literal("u"), Capture(slot=made.making.slot("1"), group=1))
    assert table.exact == (Entry(key="a", value=(Variable.HOST,)),)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("a;", "syntax: invalid number of the map parameters"),
        ("a b c;", "syntax: invalid number of the map parameters"),
        ("a b; A c;", 'duplicate: conflicting parameter "a"'),
        ("default b; default c;", "duplicate: duplicate default map parameter"),
        ("hostnames; a*.b c;", 'value: invalid hostname or wildcard "a*.b"'),
        ("a $nothing;", 'unknown: unknown "$nothing" variable'),
        ("~( a;", 'value: the pattern "(" is malformed: missing closing parenthesis'),
    ],
)
def test_what_is_wrong_in_a_map(entries: str, said: str) -> None:
    """Each has the line of its entry."""
    _, made = tables(f"map $uri $x {{\n{entries} }}")
    assert made.said == [f"2 error {said}"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("map $uri x { }", 'value: invalid variable name "x"'),
        ("map $uri $host { }", 'duplicate: the duplicate "host" variable'),
        ("map $uri $x { } server { set $x 1; }", 'not_yet: "$x" is written by `set` too'),
    ],
)
def test_variables_a_map_may_not_define(line: str, said: str) -> None:
    """nginx's own are taken."""
    _, made = tables(line)
    assert made.said == [f"1 error {said}"]


def test_shares() -> None:
    """In 1/100 of a percent; `*` takes the rest, and holds no variables."""
    found, _ = tables("split_clients $remote_addr $v { 0.5% a; 20% .$b; 33.33% c; * d; }")
    assert found["v"] == Split(
        shares=(
            Share(basis_points=50, value=text("a")),
            Share(basis_points=2000, value=text(".$b")),
            Share(basis_points=3333, value=text("c")),
        ),
        default=text("d"),
    )


def test_what_fills_the_hundred_takes_the_rest() -> None:
    """The last hash too belongs to somebody; without a rest the text is empty."""
    assert tables("split_clients a $v { 50% a; 50% b; }")[0]["v"] == Split(
        shares=(Share(basis_points=5000, value=text("a")),), default=text("b")
    )
    assert tables("split_clients a $v { 50% a; }")[0]["v"] == Split(
        shares=(Share(basis_points=5000, value=text("a")),), default=()
    )


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ("50% a; 51% b;", "value: percent total is greater than 100%"),
        ("100% a; 1% b;", "value: percent total is greater than 100%"),
        ("0% a;", 'value: invalid percent value "0%"'),
        ("50 a;", 'value: invalid percent value "50"'),
        ("0.001% a;", 'value: invalid percent value "0.001%"'),
        ("5%;", "syntax: a share is a percentage (or *) and a value"),
    ],
)
def test_what_is_wrong_in_shares(entries: str, said: str) -> None:
    """Each has its place."""
    _, made = tables(f"split_clients a $v {{\n{entries} }}")
    assert made.said == [f"2 error {said}"]
