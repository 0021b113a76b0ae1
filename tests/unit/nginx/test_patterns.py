"""Regular expressions keep their groups only when somebody can read them."""

from __future__ import annotations

import pytest

from daemun.nginx.patterns import pattern
from daemun.plan.matching import Dialect, Pattern
from tests.kit.nginx_parts import parts


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        (r"\.json$", None),
        (r"^/(v\d+)/", 0),
        (r"^/(?:v\d+)/", None),
        (r"^/\(v\)", None),
        (r"^/[(]x", None),
        (r"^/[^](]x", None),
        (r"\Q(\E", None),
    ],
)
def test_a_numbered_group_needs_the_slot(text: str, slot: int | None) -> None:
    """What is escaped, in a class, or does not capture opens no group."""
    made = parts("server { return 302 /$1; }")
    assert pattern(text, made.making, None) == Pattern(regex=text, dialect=Dialect.PCRE, ignore_case=False, slot=slot)
    assert made.said == []


def test_without_a_reader_nothing_is_kept() -> None:
    """A slot costs a copy of what was matched; named groups are read as variables."""
    made = parts("server { location ~ ^/(a) { return 204; } location ~ ^/(?<b>x) { return 204; } }")
    assert pattern("^/(a)", made.making, None).slot is None
    assert pattern("^/(?<b>x)", made.making, None).slot == made.making.slot("b")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("^/(a", "missing closing parenthesis"),
        ("^/a)", "unmatched closing parenthesis"),
        ("^/[a", "missing terminating ] for character class"),
        ("^/a\\", "a backslash at the end"),
    ],
)
def test_what_pcre_would_refuse(text: str, fault: str) -> None:
    """Brackets that do not close are said here, with their place."""
    made = parts("server { }")
    pattern(text, made.making, None)
    assert made.said == [f'0 error value: the pattern "{text}" is malformed: {fault}']
