"""`map` and `split_clients` as the Plan's lookups; `geo` has a file of its own.

Facts (nginx's ngx_http_map_module.c, ngx_http_split_clients_module.c): `default`, `hostnames`, `volatile` and `include`
are words of the block unless a backslash stands before them; `~` and `~*` begin patterns; keys have no case; two keys
that are one are an error. A map's values may hold variables, those of the others may not. Shares count in 1/100 of a
percent; `*` and what fills the hundred takes the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from daemun.nginx.directive import Directive
from daemun.nginx.geo import geo
from daemun.nginx.making import Making
from daemun.nginx.patterns import pattern
from daemun.nginx.values import complain
from daemun.nginx.variable_names import KNOWN
from daemun.nginx.variables import argument
from daemun.plan.template import Entry, Literal, Lookup, Map, RegexEntry, Share, Split, Template

_HOST = re.compile(r"(?:\*?\.)?[^*]+|[^*]+\.\*")
_PERCENT = re.compile(r"(\d*)(?:\.(\d{1,2})0*)?%")
_WHOLE = 10_000


def lookups(directives: Iterable[Directive], making: Making) -> None:
    """Add the tables of these directives (those of `http`); what is not one of the three is passed over."""
    for one in directives:
        if one.name in ("map", "split_clients", "geo") and _named(one, making):
            making.lookups[one.args[-1].removeprefix("$").lower()] = _table(one, making)


def _table(one: Directive, making: Making) -> Lookup:
    if one.name == "geo":
        return geo(one, making)
    return _map(one, making) if one.name == "map" else _split(one, making)


def _named(one: Directive, making: Making) -> bool:
    """Tell whether the directive names a variable that it may define."""
    at = len(one.args) - 1
    word = one.args[at]
    name = word.removeprefix("$").lower()
    if not word.startswith("$") or not name:
        complain(making, one, f'invalid variable name "{word}"', argument=at, suggestion=f"${word}")
        return False
    if name in KNOWN:
        message = f'the duplicate "{name}" variable'
        complain(
            making, one, message, argument=at, kind="duplicate", remedy="nginx has one of this name: give it another"
        )
        return False
    if name in making.declared.slots:
        message = f'"${name}" is written by `set` too'
        remedy = "give one of them another name"
        complain(making, one, message, argument=at, kind="not_yet", remedy=remedy)
        return False
    return True


def _map(one: Directive, making: Making) -> Map:
    words = {entry.name for entry in one.block or () if not entry.args}
    exact: dict[str, Entry] = {}
    regexes: list[RegexEntry] = []
    default: Template | None = None
    hostnames = "hostnames" in words
    for entry in one.block or ():
        key = entry.name
        if key in ("hostnames", "volatile") and not entry.args:
            continue
        if len(entry.args) != 1:
            remedy = "an entry is a key and a value; quote what has blanks"
            complain(making, entry, "invalid number of the map parameters", kind="syntax", remedy=remedy)
            continue
        if key == "default":
            if default is not None:
                complain(making, entry, "duplicate default map parameter", kind="duplicate")
            default = argument(entry, 0, making)
        elif key.startswith("~"):
            ignore_case = key.startswith("~*")
            searched = pattern(key[2 if ignore_case else 1 :], making, entry.place, ignore_case=ignore_case)
            value = argument(entry, 0, making, captures=searched.slot)
            regexes.append(RegexEntry(pattern=searched, value=value))
        else:
            key = key.removeprefix("\\")
            value = argument(entry, 0, making)
            _add(exact, key.lower(), value, entry, making, hostnames=hostnames)
    return Map(
        hostnames=hostnames,
        exact=tuple(exact.values()),
        regexes=tuple(regexes),
        default=default or (),
        volatile="volatile" in words,
    )


def _add(
    exact: dict[str, Entry], key: str, value: Template, entry: Directive, making: Making, *, hostnames: bool
) -> None:
    if hostnames and "*" in key and not _HOST.fullmatch(key):
        remedy = "`*` stands for the first label or the last: *.example.org, www.example.*"
        complain(making, entry, f'invalid hostname or wildcard "{key}"', remedy=remedy)
    elif key in exact:
        complain(making, entry, f'conflicting parameter "{key}"', kind="duplicate", remedy="take one of them out")
    else:
        exact[key] = Entry(key=key, value=value)


def _split(one: Directive, making: Making) -> Split:
    shares: list[Share] = []
    default: Template = ()
    total = 0
    for entry in one.block or ():
        if len(entry.args) != 1:
            complain(making, entry, "a share is a percentage (or *) and a value", kind="syntax")
            continue
        value: Template = (Literal(entry.args[0]),) if entry.args[0] else ()
        points = 0 if entry.name == "*" else _points(entry, making)
        if points is None or total == _WHOLE:
            _after_the_whole(entry, making, full=points is not None)
            continue
        total = total + points if points else _WHOLE
        if total > _WHOLE:
            complain(making, entry, "percent total is greater than 100%")
            break
        if total == _WHOLE:
            default = value
        else:
            shares.append(Share(basis_points=points, value=value))
    return Split(shares=tuple(shares), default=default)


def _after_the_whole(entry: Directive, making: Making, *, full: bool) -> None:
    """Say that nothing is left for a share (one that cannot be read has been said already)."""
    if full and entry.name != "*":
        complain(making, entry, "percent total is greater than 100%")


def _points(entry: Directive, making: Making) -> int | None:
    read = _PERCENT.fullmatch(entry.name)
    points = 0 if read is None else int(read[1] or 0) * 100 + int((read[2] or "0").ljust(2, "0"))
    if not points:
        remedy = "a share is 0.5%, 20% or *"
        complain(making, entry, f'invalid percent value "{entry.name}"', remedy=remedy)
        return None
    return points
