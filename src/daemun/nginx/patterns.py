"""nginx's regular expressions as Patterns: PCRE, with the slot that keeps what matched.

A pattern keeps its groups only when someone can read them: it names groups, or it has groups and `$1` to `$9` stand
somewhere in the configuration. Patterns without names share the slot `1`, the last match of any of them; those with
names have slots of their own (`declared`).
"""

from __future__ import annotations

import re

from daemun.errors import Place
from daemun.nginx.declared import group_names
from daemun.nginx.making import Making
from daemun.plan.matching import Dialect, Pattern

NUMBERED_SLOT = "1"
_GROUP = re.compile(r"\((?!\?)|\(\?P?<[A-Za-z_]|\(\?'")


def pattern(text: str, making: Making, place: Place | None, *, ignore_case: bool = False) -> Pattern:
    """Return the pattern of `server_name`, `location`, `rewrite` or `if`; what is malformed becomes a problem."""
    fault = _malformed(text)
    if fault:
        remedy = "close it, or write a backslash before it for the character itself"
        making.wrong(place, f'the pattern "{text}" is malformed: {fault}', remedy=remedy)
    return Pattern(regex=text, dialect=Dialect.PCRE, ignore_case=ignore_case, slot=_slot(text, making))


def _slot(text: str, making: Making) -> int | None:
    names = group_names(text)
    if names:
        return making.slot(making.declared.groups.get(names[0], names[0]))
    if making.declared.numbered and _GROUP.search(_without_escapes(text)):
        return making.slot(NUMBERED_SLOT)
    return None


def _without_escapes(text: str) -> str:
    """Return the pattern without what is escaped or stands in a class: no parenthesis of these opens a group."""
    out: list[str] = []
    at, in_class = 0, 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            if text.startswith("\\Q", at):
                end = text.find("\\E", at)
                at = len(text) if end < 0 else end
            at += 2
            continue
        if in_class:
            # `]` right after `[` or `[^` stands for itself.
            if char == "]" and at > in_class:
                in_class = 0
        elif char == "[":
            in_class = at + (2 if text.startswith("[^", at) else 1)
        else:
            out.append(char)
        at += 1
    return "".join(out) + ("[" if in_class else "")


def _malformed(text: str) -> str:
    """Return what PCRE would say of brackets that do not close; empty when they all do."""
    if len(text) - len(text.rstrip("\\")) & 1:
        return "a backslash at the end"
    plain = _without_escapes(text)
    if plain.endswith("["):
        return "missing terminating ] for character class"
    depth = 0
    for char in plain:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return "unmatched closing parenthesis"
    return "missing closing parenthesis" if depth else ""
