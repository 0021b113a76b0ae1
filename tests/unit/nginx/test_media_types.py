"""`types` and `default_type`."""

from __future__ import annotations

from daemun.nginx.media_types import content_type, default_type, types, types_id
from daemun.plan.template import Entry, Literal, LookupPart, Map
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import parts, scene


def test_three_extensions_are_built_in() -> None:
    """And text/plain for the rest."""
    made = parts("server { }")
    assert types(made.http, made.making) == {"html": "text/html", "gif": "image/gif", "jpg": "image/jpeg"}
    assert types_id(made.at("server"), made.making) == "nginx"
    assert list(made.making.mime_types) == ["nginx"]
    assert default_type(made.http) == "text/plain"


def test_blocks_of_a_level_add_up_and_replace_those_above() -> None:
    """Extensions have no case."""
    made = parts("types { text/css css CSS; a/b x; } types { c/d y; } server { types { e/f z; } }")
    assert types(made.http, made.making) == {"css": "text/css", "x": "a/b", "y": "c/d"}
    assert types(made.at("server"), made.making) == {"z": "e/f"}
    assert types_id(made.http, made.making) == "types"
    assert types_id(made.at("server"), made.making) == "types 2"
    assert types_id(made.http, made.making) == "types"
    assert made.said == []


def test_the_later_of_two_lines_counts() -> None:
    """With a warning."""
    made = parts("types { a/b x;\nc/d x; }")
    assert types(made.http, made.making) == {"x": "c/d"}
    assert made.said == [
        '2 warning duplicate: duplicate extension "x", content type: "c/d", previous content type: "a/b"'
    ]


def test_the_type_of_an_answer() -> None:
    """An exact location's is known beforehand; else the extension is looked up."""
    made = parts("types { text/css css; }")
    assert content_type(made.http, made.making, scene(path="/a.CSS", exact=True)) == (Literal("text/css"),)
    assert content_type(made.http, made.making, scene(path="/.css", exact=True)) == (Literal("text/plain"),)
    key = (Variable.PATH_EXTENSION,)
    assert content_type(made.http, made.making, scene()) == (LookupPart(table="types", key=key),)
    table = made.making.lookups["types"]
    assert isinstance(table, Map)
    assert table.exact == (Entry(key="css", value=(Literal("text/css"),)),)
    assert table.default == (Literal("text/plain"),)


def test_where_all_types_are_one_nothing_is_looked_up() -> None:
    """`types { }` with a default is the usual way to say so."""
    made = parts("types { } default_type a/b;")
    assert content_type(made.http, made.making, scene()) == (Literal("a/b"),)
    assert made.making.lookups == {}


def test_charset() -> None:
    """It is added to text/html and a few others, or to those that are named; `off` ends it."""
    made = parts(
        "types { text/html html; text/css css; } charset utf-8; location 1 { } location 2 { charset off; }"
        "location 3 { charset_types text/css; } location 4 { charset $arg_c; }"
    )
    one, off, named, variable = (made.at(f"location {number}") for number in (1, 2, 3, 4))
    assert types(one, made.making) == {"html": "text/html; charset=utf-8", "css": "text/css"}
    assert default_type(one) == "text/plain; charset=utf-8"
    assert types(off, made.making) == types(variable, made.making) == {"html": "text/html", "css": "text/css"}
    assert types(named, made.making) == {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8"}
    assert default_type(named) == "text/plain"
