"""nginx's regular expressions to patterns: what they are called, and where their groups go.

Decisions: the groups of a pattern without named ones share the slot `1`, for `$1` means the last match, whichever it
was; a pattern with named groups writes a slot of the name of its first one. A pattern without groups writes nothing.
"""

from __future__ import annotations

import re

from daemun.nginx.directive import Directive
from daemun.nginx.making import Making
from daemun.nginx.values import complain
from daemun.plan.matching import Dialect, Pattern

LAST_MATCH = "1"
_NAMED = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>|\(\?'([A-Za-z_][A-Za-z0-9_]*)'")
_PLAIN = re.compile(r"(?<!\\)(?:\\\\)*\((?!\?)")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


def group_names(regex: str) -> tuple[str, ...]:
    """Return the names of a pattern's groups, in order."""
    return tuple(match[1] or match[2] for match in _NAMED.finditer(regex))


def pattern(
    regex: str, making: Making, directive: Directive, *, argument: int, ignore_case: bool = False
) -> Pattern | None:
    """Return the pattern, None when it cannot be compiled, which is said."""
    if (wrong := fault_of(regex)) is not None:
        complain(making, directive, f'pcre2_compile() failed: {wrong} in "{regex}"', argument=argument)
        return None
    names = group_names(regex)
    slot = making.slot(names[0]) if names else making.slot(LAST_MATCH) if has_groups(regex) else None
    return Pattern(regex=regex, dialect=Dialect.PCRE, ignore_case=ignore_case, slot=slot)


def has_groups(regex: str) -> bool:
    """Tell whether a pattern has a group without a name."""
    return _PLAIN.search(_CLASS.sub("", regex)) is not None


def fault_of(regex: str) -> str | None:
    """Return what is plainly wrong with a pattern: parentheses and brackets; the engine judges the rest."""
    depth, at = 0, 0
    while at < len(regex):
        char = regex[at]
        if char == "\\":
            at += 1
            if at >= len(regex):
                return "\\ at end of pattern"
        elif char == "[":
            match = _CLASS.match(regex, at)
            if match is None:
                return "missing terminating ] for character class"
            at = match.end() - 1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth < 0:
                return "unmatched closing parenthesis"
        at += 1
    return "missing closing parenthesis" if depth else None
