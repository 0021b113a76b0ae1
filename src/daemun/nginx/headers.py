"""`add_header` and `expires`: fields of the response.

Facts (nginx's ngx_http_headers_filter_module.c): without `always` only responses of ten statuses get them; `expires`
comes first, and only for those statuses; ETag and Last-Modified are replaced, other fields added; an empty value adds
nothing. A level with `add_header` has none of those above, unless `add_header_inherit merge` (its own come first) or
`off` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from daemun.nginx.directive import Directive
from daemun.nginx.expires import expires
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.referers import local_variables
from daemun.nginx.scene import Scene
from daemun.nginx.values import choice, complain
from daemun.nginx.variables import argument
from daemun.plan.filter import Add, HeaderOp, ResponseHeaders, Set
from daemun.plan.route import HeaderValue
from daemun.plan.scalars import Id
from daemun.plan.template import Literal, Template

STATUSES = (200, 201, 204, 206, 301, 302, 303, 304, 307, 308)
_REPLACED = ("etag", "last-modified")
_NAMES = ("add_header", "expires", "add_trailer", "add_header_inherit")
_INHERIT = ("on", "off", "merge")


def response_headers(level: Level, making: Making, scene: Scene) -> tuple[Id, ...]:
    """Add the filters of response fields: neighbours of one kind in one. In the order of routes, the first is written last."""
    if level.all("valid_referers"):  # what `$invalid_referer` is depends on the server
        return _response_headers(level, making, scene)
    at = level.owner(_NAMES)
    words = tuple([(one.name, one.args) for name in _NAMES for one in at.own(name)])
    key = (words, level is at, None if at.parent is None else at.parent.owner(_NAMES), scene.captures)
    found = making.added.get(key)
    if found is None:
        before = len(making.problems)
        found = _response_headers(level, making, scene)
        if len(making.problems) == before:
            making.added[key] = found
    return found


def _response_headers(level: Level, making: Making, scene: Scene) -> tuple[Id, ...]:
    if not (level.all("add_header") or level.all("expires") or level.all("add_trailer")):
        return ()
    here = local_variables(level, making) if level.all("add_header") else {}
    runs: list[tuple[bool, list[HeaderOp]]] = []
    first = expires(level, making, scene)
    if first is not None:
        runs.append((False, [first]))
    for one in _added(level, making):
        always = len(one.args) > 2
        if always and one.args[2] != "always":
            complain(making, one, f'invalid parameter "{one.args[2]}"', argument=2, suggestion="always")
        op = _op(one, making, scene, here)
        if runs and runs[-1][0] == always:
            runs[-1][1].append(op)
        else:
            runs.append((always, [op]))
    for one in level.all("add_trailer"):
        remedy = "leave it out; trailers of the application go on with proxy_pass_trailers"
        complain(making, one, "add_trailer is not served by this version", kind="not_yet", remedy=remedy)
    filters = [ResponseHeaders(statuses=() if always else STATUSES, ops=tuple(ops)) for always, ops in runs]
    # Filters run in reverse on the response.
    return tuple(making.filter(f"{scene.name} added", one) for one in reversed(filters))


def _added(level: Level, making: Making) -> Iterator[Directive]:
    """Yield what a level adds, with what it inherits."""
    inherit = choice(level, "add_header_inherit", "on", _INHERIT, making)
    own = level.own("add_header")
    yield from own
    if level.parent is not None and (inherit == "merge" or (inherit == "on" and not own)):
        yield from _added(level.parent, making)


def _op(one: Directive, making: Making, scene: Scene, here: Mapping[str, Template]) -> HeaderOp:
    value = _trimmed(argument(one, 1, making, captures=scene.captures, here=here))
    field = HeaderValue(name=one.args[0], value=value)
    return Set(field) if one.args[0].lower() in _REPLACED else Add(field)


def _trimmed(value: Template) -> Template:
    """Return a value without the white space at its end: it has no meaning there, and a newline would end the head."""
    last = value[-1] if value else None
    if not isinstance(last, Literal):
        return value
    text = last.text.rstrip()
    return (*value[:-1], *((Literal(text),) if text else ()))
