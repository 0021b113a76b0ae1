"""The condition of `if (…)`: a variable, a comparison, a match, or a test of the file system.

Facts (nginx's ngx_http_rewrite_module.c): the first word begins with `(`, the last ends with `)`; a variable stands
left, and stands alone (true unless empty or `0`) or is followed by `=`, `!=`, `~`, `~*`, `!~`, `!~*` and one word; else
`-f`, `-d`, `-e`, `-x`, each also with `!` before it, and one word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from daemun.nginx.declared import group_names
from daemun.nginx.directive import Directive
from daemun.nginx.making import Making
from daemun.nginx.patterns import pattern
from daemun.nginx.values import complain
from daemun.nginx.variables import template
from daemun.plan.script import Condition, Equals, File, FileTest, Matches, Not, Truthy
from daemun.plan.template import Template

_VARIABLE = re.compile(r"\$[A-Za-z0-9_]+")
_TESTS = {"f": FileTest.FILE, "d": FileTest.DIRECTORY, "e": FileTest.EXISTS, "x": FileTest.EXECUTABLE}
_REMEDY = 'write `if ($name)`, `if ($name = text)`, `if ($name ~ "pattern")` or `if (-f $request_filename)`'


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A condition; the slot its pattern writes, and the names of the pattern's groups."""

    when: Condition
    slot: int | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    text: str
    index: int


def condition(
    one: Directive,
    making: Making,
    *,
    captures: int | None,
    root: Template | None,
    here: Mapping[str, Template],
) -> Tested | None:
    """Return the condition of an `if`; None when it cannot be read, which becomes a problem."""
    words = _words(one)
    if not words:
        _invalid(one, making, None)
        return None
    left, rest = words[0], words[1:]

    def text(word: _Word) -> Template:
        return template(word.text, making, one.places[word.index], captures=captures, root=root, here=here)

    if len(left.text) > 1 and left.text.startswith("$"):
        if not _VARIABLE.fullmatch(left.text) or len(rest) not in (0, 2):
            _invalid(one, making, left)
            return None
        if not rest:
            return Tested(when=Truthy(text(left)))
        return _compared(one, making, left=text(left), rest=rest, right=text(rest[1]) if "=" in rest[0].text else ())
    test = _TESTS.get(left.text.removeprefix("!").removeprefix("-"))
    if re.fullmatch("!?-.", left.text) is None or test is None or len(rest) != 1:
        _invalid(one, making, left)
        return None
    exists: Condition = File(path=text(rest[0]), test=test)
    return Tested(when=Not(exists) if left.text.startswith("!") else exists)


def _compared(one: Directive, making: Making, *, left: Template, rest: list[_Word], right: Template) -> Tested | None:
    operator, operand = rest
    if operator.text in ("=", "!="):
        equal: Condition = Equals(value=left, to=right)
        return Tested(when=Not(equal) if operator.text == "!=" else equal)
    if operator.text not in ("~", "~*", "!~", "!~*"):
        complain(
            making,
            one,
            f'unexpected "{operator.text}" in condition',
            argument=operator.index,
            remedy="the operators are =, !=, ~, ~*, !~ and !~*",
            suggestion="=" if operator.text == "==" else "",
        )
        return None
    searched = pattern(operand.text, making, one.places[operand.index], ignore_case=operator.text.endswith("*"))
    matches: Condition = Matches(value=left, pattern=searched)
    if operator.text.startswith("!"):
        return Tested(when=Not(matches), slot=searched.slot)
    return Tested(when=matches, slot=searched.slot, groups=tuple(group_names(operand.text)))


def _words(one: Directive) -> list[_Word]:
    """Return the words between the parentheses; nothing when these are not there."""
    words = [_Word(text=text, index=index) for index, text in enumerate(one.args)]
    if not words or not words[0].text.startswith("(") or not words[-1].text.endswith(")"):
        return []
    words[0] = _Word(text=words[0].text[1:], index=0)
    words[-1] = _Word(text=words[-1].text[:-1], index=words[-1].index)
    # `( $x = a )`: the parentheses are words of their own.
    if not words[0].text:
        del words[0]
    if words and not words[-1].text and one.args[words[-1].index] == ")":
        del words[-1]
    return words


def _invalid(one: Directive, making: Making, word: _Word | None) -> None:
    found = word.text if word is not None else " ".join(one.args)
    complain(
        making, one, f'invalid condition "{found}"', argument=word.index if word is not None else 0, remedy=_REMEDY
    )
