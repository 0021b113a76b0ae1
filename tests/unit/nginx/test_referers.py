"""`valid_referers` becomes a table of patterns."""

from __future__ import annotations

import re

import pytest

from daemun.nginx.referers import invalid_referer
from daemun.nginx.script import rewrite_phase
from daemun.plan.filter import Script
from daemun.plan.script import If, Truthy
from daemun.plan.template import Literal, LookupPart, Map
from tests.kit.nginx_parts import Parts, parts, scene


def judged(words: str, referer: str) -> tuple[str, Parts]:
    """What the table makes of a referer, asked as the engine asks it: exact keys, then patterns in order."""
    made = parts(
        f"server {{ server_name a.test .b.test ~^r[0-9]\\.test$ ~part; location / {{ valid_referers {words}; }} }}"
    )
    (part,) = invalid_referer(made.at("server", "location /"), made.making)
    assert isinstance(part, LookupPart)
    table = made.making.lookups[part.table]
    assert isinstance(table, Map)
    value = table.default
    for one in table.regexes:
        if re.search(one.pattern.regex, referer, re.IGNORECASE):
            value = one.value
            break
    value = next((one.value for one in table.exact if one.key == referer.lower()), value)
    return "".join(one.text for one in value if isinstance(one, Literal)), made


@pytest.mark.parametrize(
    ("words", "referer", "expected"),
    [
        ("www.x.test", "http://www.x.test/page", ""),
        ("www.x.test", "https://WWW.x.test", ""),
        ("www.x.test", "http://www.x.test:8080/page", ""),
        ("www.x.test", "http://www.x.test.evil/", "1"),
        ("www.x.test", "http://evil/www.x.test", "1"),
        ("www.x.test", "", "1"),
        ("none www.x.test", "", ""),
        ("none www.x.test", "garbage", "1"),
        ("blocked www.x.test", "garbage", ""),
        ("blocked www.x.test", "http://evil.test/", "1"),
        ("blocked www.x.test", "http://su", ""),
        ("*.x.test", "http://a.b.x.test/", ""),
        ("*.x.test", "http://x.test/", "1"),
        (".x.test", "http://x.test/", ""),
        ("www.x.*", "http://www.x.org/", ""),
        ("x.test/pictures/", "http://x.test/pictures/1", ""),
        ("x.test/pictures/", "http://x.test/Pictures/1", "1"),
        ("x.test/pictures/", "http://x.test/other", "1"),
        (r"~\.google\.", "https://www.google.com/search", ""),
        (r"~^google\.", "https://www.google.com/search", "1"),
        ("server_names", "http://a.test/", ""),
        ("server_names", "http://c.b.test/", ""),
        ("server_names", "http://c.test/", "1"),
        ("server_names", "http://r1.test:80/x", ""),
        ("server_names", "http://r1.test.evil/", "1"),
        ("server_names", "http://a.parting.test/", ""),
        ("server_names", "http://x.test/part", "1"),
    ],
)
def test_referers(words: str, referer: str, expected: str) -> None:
    """Names, wildcards, paths, patterns, none and blocked."""
    value, made = judged(words, referer)
    assert value == expected
    assert made.said == []


def test_the_variable_is_known_in_conditions() -> None:
    """Without `valid_referers` every referer is valid."""
    made = parts(
        "server { location /a { valid_referers x.test; if ($invalid_referer) { return 403; } } location /b { if ($invalid_referer) { break; } } }"
    )
    rewrite_phase(made.at("server", "location /a"), made.making, scene("/a"), None)
    rewrite_phase(made.at("server", "location /b"), made.making, scene("/b"), None)
    first, second = made.making.filters["/a script"], made.making.filters["/b script"]
    assert isinstance(first, Script)
    assert isinstance(second, Script)
    assert isinstance(first.steps[0], If)
    assert isinstance(first.steps[0].when, Truthy)
    assert isinstance(first.steps[0].when.value[0], LookupPart)
    assert isinstance(second.steps[0], If)
    assert second.steps[0].when == Truthy(())
    assert made.said == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a*.x.test", 'invalid hostname or wildcard "a*.x.test"'),
        ("~", 'empty regex in "~"'),
        ("~(", 'the pattern "(" is malformed: missing closing parenthesis'),
    ],
)
def test_what_is_wrong(words: str, said: str) -> None:
    """Each has its place."""
    made = parts(f"valid_referers x.test {words};")
    invalid_referer(made.http, made.making)
    assert [one.message for one in made.making.problems] == [said]
