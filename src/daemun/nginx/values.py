"""Values of directives: sizes, times, flags and numbers as nginx writes them, and how a wrong one is said.

Facts (nginx's ngx_parse.c): sizes take `k`, `m` and, for files, `g`; times `ms`, `s`, `m`, `h`, `d`, `w`, `M`, `y`, in
that order and joined (`1h30m`), a bare number being seconds; flags are `on` and `off`, whatever the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from daemun.errors import Problem, Severity, nearest
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.plan.origin import Origin

_SIZE = re.compile(r"([0-9]+)([kKmMgG]?)")
_FACTORS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_TIME_PART = re.compile(r"([0-9]+)(ms|[smhdwMy]?)\s*")
_UNITS = {
    "y": 31_536_000_000,
    "M": 2_592_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
    "": 1_000,
}
_ORDER = list(_UNITS)


def complain(  # noqa: PLR0913 - a part of a problem each
    making: Making,
    directive: Directive,
    message: str,
    *,
    argument: int | None = None,
    kind: str = "value",
    severity: Severity = "error",
    remedy: str = "",
    suggestion: str = "",
) -> None:
    """Say what is wrong with a directive, at its name or at one of its arguments (from 0)."""
    at_name = argument is None or argument >= len(directive.args)
    place = directive.place if argument is None or at_name else directive.places[argument]
    found = "" if argument is None or at_name else directive.args[argument]
    making.problems.append(
        Problem(
            severity=severity,
            kind=kind,
            message=message,
            place=place,
            subject=directive.name,
            found=found,
            remedy=remedy,
            suggestion=suggestion,
        )
    )


def origin(name: str, directive: Directive | None) -> Origin:
    """Return the origin of what a directive makes."""
    if directive is None:
        return Origin(name=name, file="", line=0)
    return Origin(name=name, file=directive.spots.file, line=directive.spots.line)


def parse_size(text: str) -> int | None:
    """Return bytes, None when it is no size."""
    match = _SIZE.fullmatch(text)
    return None if match is None else int(match[1]) * _FACTORS[match[2].lower()]


def parse_millis(text: str) -> int | None:
    """Return milliseconds, None when it is no time."""
    at, total, least = 0, 0, 0
    while at < len(text):
        match = _TIME_PART.match(text, at)
        if match is None or _ORDER.index(match[2]) < least:
            return None
        least = _ORDER.index(match[2]) + 1
        total += int(match[1]) * _UNITS[match[2]]
        at = match.end()
    return total if text else None


def size(level: Level, name: str, default: int, making: Making, *, argument: int = 0) -> int:
    """Return what a directive says in bytes."""
    found = level.last(name)
    if found is None or len(found.args) <= argument:
        return default
    value = parse_size(found.args[argument])
    if value is None:
        complain(
            making, found, f'"{name}" directive invalid value', argument=argument, remedy="a size is 512, 8k or 10m"
        )
        return default
    return value


def millis(level: Level, name: str, default: int, making: Making, *, argument: int = 0) -> int:
    """Return what a directive says in milliseconds."""
    found = level.last(name)
    if found is None or len(found.args) <= argument:
        return default
    value = parse_millis(found.args[argument])
    if value is None:
        remedy = "a time is 500ms, 30s, 5m or 1h30m; a bare number is seconds"
        complain(making, found, f'"{name}" directive invalid value', argument=argument, remedy=remedy)
        return default
    return value


def number(level: Level, name: str, default: int, making: Making, *, argument: int = 0) -> int:
    """Return a number."""
    found = level.last(name)
    if found is None or len(found.args) <= argument:
        return default
    text = found.args[argument]
    if not (text.isascii() and text.isdigit()):
        complain(making, found, f'"{name}" directive invalid number', argument=argument)
        return default
    return int(text)


def flag(level: Level, name: str, making: Making, *, default: bool) -> bool:
    """Return whether something is on."""
    found = level.last(name)
    if found is None or not found.args:
        return default
    text = found.args[0].lower()
    if text not in {"on", "off"}:
        message = f'invalid value "{found.args[0]}" in "{name}" directive, it must be "on" or "off"'
        complain(making, found, message, argument=0)
        return default
    return text == "on"


def choice(level: Level, name: str, default: str, known: Iterable[str], making: Making) -> str:
    """Return one of some words."""
    found = level.last(name)
    if found is None or not found.args:
        return default
    words = tuple(known)
    if found.args[0] in words:
        return found.args[0]
    remedy = f"one of {', '.join(words)}"
    complain(
        making,
        found,
        f'invalid value "{found.args[0]}"',
        argument=0,
        remedy=remedy,
        suggestion=nearest(found.args[0], words),
    )
    return default


def options(directive: Directive, *, begin: int = 0) -> Mapping[str, tuple[str, int]]:
    """Return `name=value` words by name, with each one's index; a bare word has an empty value."""
    found: dict[str, tuple[str, int]] = {}
    for index in range(begin, len(directive.args)):
        name, _, value = directive.args[index].partition("=")
        found[name] = (value, index)
    return found
