"""The condition of an `if`."""

from __future__ import annotations

import pytest

from daemun.nginx.conditions import condition
from daemun.plan.matching import Dialect, Pattern
from daemun.plan.script import Condition, Equals, File, FileTest, Matches, Not, Truthy
from daemun.plan.template import Literal
from daemun.plan.variable import Variable
from tests.kit.nginx_parts import Parts, parts

HOST = (Variable.HOST,)
A = (Literal("a"),)


def searched(text: str, *, ignore_case: bool = False) -> Pattern:
    return Pattern(regex=text, dialect=Dialect.PCRE, ignore_case=ignore_case, slot=None)


def judged(text: str) -> tuple[Condition | None, Parts]:
    made = parts(f"if {text} {{ }}")
    tested = condition(made.http.own("if")[0], made.making, captures=None, root=(Literal("/srv"),), here={})
    return tested.when if tested is not None else None, made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("($host)", Truthy(HOST)),
        ("( $host )", Truthy(HOST)),
        ("($host = a)", Equals(value=HOST, to=A)),
        ("($host = '')", Equals(value=HOST, to=())),
        ("($host != a)", Not(Equals(value=HOST, to=A))),
        ("($host = $args)", Equals(value=HOST, to=(Variable.QUERY,))),
        ("($host ~ a)", Matches(value=HOST, pattern=searched("a"))),
        ("($host ~* (a|b))", Matches(value=HOST, pattern=searched("(a|b)", ignore_case=True))),
        ("($host !~ a)", Not(Matches(value=HOST, pattern=searched("a")))),
        ("($host !~* a )", Not(Matches(value=HOST, pattern=searched("a", ignore_case=True)))),
        ("(-f $request_filename)", File(path=(Literal("/srv"), Variable.PATH), test=FileTest.FILE)),
        ("(!-d /x)", Not(File(path=(Literal("/x"),), test=FileTest.DIRECTORY))),
        ("(-e /x)", File(path=(Literal("/x"),), test=FileTest.EXISTS)),
        ("(!-x /x)", Not(File(path=(Literal("/x"),), test=FileTest.EXECUTABLE))),
    ],
)
def test_conditions(text: str, expected: Condition) -> None:
    """A variable alone, compared, searched; a test of a file; each with its opposite."""
    found, made = judged(text)
    assert found == expected
    assert made.said == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$host", 'invalid condition "$host"'),
        ("($host", 'invalid condition "($host"'),
        ("()", 'invalid condition "()"'),
        ("(host = a)", 'invalid condition "host"'),
        ("($host = a b)", 'invalid condition "$host"'),
        ("($host$args = a)", 'invalid condition "$host$args"'),
        ("($host == a)", 'unexpected "==" in condition'),
        ("($host > a)", 'unexpected ">" in condition'),
        ("(-g /x)", 'invalid condition "-g"'),
        ("(-f)", 'invalid condition "-f"'),
        ("($hots)", 'unknown "$hots" variable'),
        ("($host ~ a[)", 'the pattern "a[" is malformed: missing terminating ] for character class'),
    ],
)
def test_what_is_no_condition(text: str, said: str) -> None:
    """As nginx would say it."""
    _, made = judged(text)
    assert [one.message for one in made.making.problems] == [said]
    assert made.making.problems[0].place is not None
    assert made.making.problems[0].place.line == 1


def test_two_equal_signs_are_told_apart() -> None:
    """The one that is meant is suggested."""
    _, made = judged("($host == a)")
    assert made.making.problems[0].suggestion == "="
