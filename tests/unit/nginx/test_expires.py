"""`expires` in the Plan's words."""

from __future__ import annotations

import pytest

from daemun.nginx.expires import expires, seconds
from daemun.nginx.lookups import lookups
from daemun.plan.filter import Expires, ExpiresFrom
from daemun.plan.template import Entry, Literal, LookupPart, Map, ResponseHeader
from tests.kit.nginx_parts import parts, scene


@pytest.mark.parametrize(
    ("text", "after", "from_"),
    [
        ("30d", "2592000", ExpiresFrom.ACCESS),
        ("24h", "86400", ExpiresFrom.ACCESS),
        ("60", "60", ExpiresFrom.ACCESS),
        ("0", "0", ExpiresFrom.ACCESS),
        ("+1h", "3600", ExpiresFrom.ACCESS),
        ("-1", "-1", ExpiresFrom.ACCESS),
        ("epoch", "past", ExpiresFrom.ACCESS),
        ("max", "max", ExpiresFrom.ACCESS),
        ("modified +24h", "86400", ExpiresFrom.MODIFIED),
        ("@15h30m", "55800", ExpiresFrom.MIDNIGHT),
    ],
)
def test_times(text: str, after: str, from_: ExpiresFrom) -> None:
    """From now on, from the last change on, from midnight on."""
    made = parts(f"expires {text};")
    assert expires(made.http, made.making, scene()) == Expires(after=(Literal(after),), from_=from_)
    assert made.said == []


def test_nothing() -> None:
    """`off` is the default, and ends what is inherited."""
    made = parts("server { expires 1h; location / { expires off; } }")
    assert expires(made.http, made.making, scene()) is None
    assert expires(made.at("server", "location /"), made.making, scene()) is None


def test_a_map_says_it_for_each_response() -> None:
    """nginx's documented example; its values are turned into words beforehand."""
    made = parts(
        "map $sent_http_content_type $expires { default off; text/html epoch; ~image/ 1d; x later; y $host; }"
        "expires $expires;"
    )
    lookups(made.http.block, made.making)
    found = expires(made.http, made.making, scene())
    key = (ResponseHeader("content-type"),)
    assert found == Expires(after=(LookupPart(table="expires expires", key=key),), from_=ExpiresFrom.ACCESS)
    table = made.making.lookups["expires expires"]
    assert isinstance(table, Map)
    assert table.default == ()
    words = {"text/html": (Literal("past"),), "x": (), "y": ()}
    assert table.exact == tuple(Entry(key=key, value=value) for key, value in words.items())
    assert table.regexes[0].value == (Literal("86400"),)


def test_seconds_of_what_is_none() -> None:
    """A time of the day is below 24 hours; `epoch` is no time after a change."""
    assert seconds("@25h", modified=False) is None
    assert seconds("epoch", modified=True) is None
    assert seconds("later", modified=False) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", 'value: invalid value "soon"'),
        ("modifed 1h", 'value: invalid value "modifed"'),
        ("modified @1h", 'value: invalid value "@1h"'),
        ("$host", "not_yet: expires takes no such variable in this version"),
    ],
)
def test_what_is_wrong(text: str, said: str) -> None:
    """Each has its place."""
    made = parts(f"expires {text};")
    assert expires(made.http, made.making, scene()) is None or "$" in text
    assert made.said == [f"1 error {said}"]
