"""`expires`: Expires and Cache-Control from a time.

Facts (nginx's ngx_http_headers_filter_module.c): `epoch`, `max`, `off`, or a time from now on, with `modified` from
Last-Modified on, with `@` the next such time of the day; `-` before it is the past. A variable says it when it is
asked: here a `map`, whose values are turned into the Plan's words beforehand.
"""

from __future__ import annotations

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain, parse_millis
from daemun.nginx.variables import argument
from daemun.plan.filter import Expires, ExpiresFrom
from daemun.plan.template import Entry, Literal, LookupPart, Map, RegexEntry, Template

_WORDS = {"epoch": "past", "max": "max", "off": ""}
_DAY = 86_400_000
_REMEDY = "it is a time (30d, -1, @15h30m), epoch, max or off"


def expires(level: Level, making: Making, scene: Scene) -> Expires | None:
    """Return what `expires` of a level says; None when nothing is."""
    one = level.last("expires")
    if one is None:
        return None
    modified = len(one.args) > 1
    if modified and one.args[0] != "modified":
        complain(making, one, f'invalid value "{one.args[0]}"', argument=0, suggestion="modified")
        return None
    text, index = one.args[-1], len(one.args) - 1
    from_ = ExpiresFrom.MODIFIED if modified else ExpiresFrom.ACCESS
    if "$" in text:
        return Expires(after=_looked_up(one, making, scene), from_=from_)
    if text.startswith("@") and not modified:
        from_ = ExpiresFrom.MIDNIGHT
    after = seconds(text, modified=modified)
    if after is None:
        complain(making, one, f'invalid value "{text}"', argument=index, remedy=_REMEDY)
        return None
    return Expires(after=(Literal(after),), from_=from_) if after else None


def seconds(text: str, *, modified: bool) -> str | None:
    """Return the Plan's word for a time of `expires`: seconds, `past`, `max` or nothing; None when it is none."""
    if not modified and text in _WORDS:
        return _WORDS[text]
    daily = text.startswith("@")
    millis = parse_millis(text.removeprefix("@") if daily else text[text[:1] in ("+", "-") :])
    if millis is None or (daily and (modified or millis > _DAY)):
        return None
    return f"{'-' if text.startswith('-') and millis else ''}{millis // 1000}"


def _looked_up(one: Directive, making: Making, scene: Scene) -> Template:
    """Return a variable's value in the Plan's words: that of a `map`, through a map of its own."""
    index = len(one.args) - 1
    value = argument(one, index, making, captures=scene.captures)
    part = value[0] if len(value) == 1 else None
    table = making.lookups.get(part.table) if isinstance(part, LookupPart) else None
    if not isinstance(part, LookupPart) or not isinstance(table, Map):
        remedy = "use the variable of a `map` whose values are times"
        complain(
            making, one, "expires takes no such variable in this version", argument=index, kind="not_yet", remedy=remedy
        )
        return ()
    name = f"expires {part.table}"
    making.lookups[name] = Map(
        hostnames=table.hostnames,
        exact=tuple(Entry(key=entry.key, value=_worded(entry.value)) for entry in table.exact),
        regexes=tuple(RegexEntry(pattern=entry.pattern, value=_worded(entry.value)) for entry in table.regexes),
        default=_worded(table.default),
        volatile=table.volatile,
    )
    return (LookupPart(table=name, key=part.key),)


def _worded(value: Template) -> Template:
    """Return a map's value in the Plan's words; what is no time changes nothing, as in nginx."""
    text = "".join(part.text for part in value if isinstance(part, Literal))
    # The time of the day is not told apart in a variable.
    after = None if text.startswith("@") else seconds(text, modified=False)
    return (Literal(after),) if after else ()
