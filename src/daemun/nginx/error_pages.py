"""`error_page` and `recursive_error_pages`.

Facts (nginx's ngx_http_core_error_page and ngx_http_special_response.c): the first line that names the status counts;
`=CODE` fixes what the client sees, `=` leaves it to the page; a path is asked for with GET, a named location as it
came, everything else is a redirect (302, or the redirect `=CODE` says). 494 to 497 are errors of nginx's own that go
out as 400.
"""

from __future__ import annotations

from daemun.nginx.answers import REDIRECTS
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.pages import answer
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain, flag
from daemun.nginx.variables import argument
from daemun.plan.fault import FaultKind
from daemun.plan.filter import (
    Answered,
    ErrorPage,
    ErrorPages,
    Fixed,
    Original,
    PageAnswer,
    PageRedirect,
    StatusOverride,
)
from daemun.plan.route import Uri
from daemun.plan.scalars import Id
from daemun.plan.template import Literal, Template
from daemun.plan.variable import Variable

# Errors of nginx's own; client certificates (495, 496) are not asked for.
_FAULTS = {494: (FaultKind.HEAD_TOO_LARGE,), 495: (), 496: (), 497: (FaultKind.PLAIN_ON_TLS,)}


def error_pages(level: Level, making: Making, scene: Scene) -> Id | None:
    """Add the error pages of a level; None when it has none."""
    at = level.owner(("error_page", "recursive_error_pages"))
    key = (at, scene.table, scene.captures)
    if key not in making.error_pages:
        making.error_pages[key] = _error_pages(at, making, scene)
    return making.error_pages[key]


def _error_pages(level: Level, making: Making, scene: Scene) -> Id | None:
    if not level.all("error_page"):
        return None
    recursive = flag(level, "recursive_error_pages", making, default=False)
    pages: list[ErrorPage] = []
    for one in level.all("error_page"):
        pages.extend(_pages(one, making, scene, recursive=recursive))
    return making.filter(f"{scene.name} pages", ErrorPages(tuple(pages))) if pages else None


def _pages(one: Directive, making: Making, scene: Scene, *, recursive: bool) -> list[ErrorPage]:
    last = len(one.args) - 1
    override = one.args[last - 1] if last > 0 and one.args[last - 1].startswith("=") else None
    codes = range(last if override is None else last - 1)
    overwrite = _overwrite(override, one, making)
    if not codes:
        remedy = "it is error_page STATUS … [=CODE] PAGE"
        complain(making, one, f'invalid value "{one.args[0]}"', argument=0, remedy=remedy)
        return []
    statuses = [status for index in codes if (status := _status(one, index, making)) is not None]
    plain = tuple(status for status in statuses if status not in _FAULTS)
    own = tuple(status for status in statuses if status in _FAULTS)
    faults = tuple(kind for status in own for kind in _FAULTS[status])
    leads = _answer(one, making, scene, overwrite)

    def page(of: tuple[int, ...], kinds: tuple[FaultKind, ...], status: int | None) -> ErrorPage:
        return ErrorPage(statuses=of, faults=kinds, recursive=recursive, answer=leads, status=_override(leads, status))

    pages = [page(plain, (), overwrite)] if plain else []
    # Without a `=CODE`, nginx's own errors go out as 400.
    return [*pages, page(own, faults, 400 if overwrite is None else overwrite)] if own else pages


def _override(leads: PageAnswer, overwrite: int | None) -> StatusOverride:
    """Return the status the client sees; `overwrite` is None without `=`, 0 for `=` alone."""
    if isinstance(leads, PageRedirect):
        return Fixed(leads.respond.status)
    if overwrite is None:
        return Original()
    return Fixed(overwrite) if overwrite else Answered()


def _overwrite(text: str | None, one: Directive, making: Making) -> int | None:
    if text is None:
        return None
    code = text.removeprefix("=")
    if code and not (code.isascii() and code.isdigit() and int(code) <= 999):
        complain(making, one, f'invalid value "{text}"', argument=len(one.args) - 2, remedy="it is = or =200")
        return None
    return int(code or 0)


def _status(one: Directive, index: int, making: Making) -> int | None:
    text = one.args[index]
    if not (text.isascii() and text.isdigit()) or text == "499":
        complain(making, one, f'invalid value "{text}"', argument=index, remedy="a status is 404, 502 …")
        return None
    if not 300 <= int(text) <= 599:
        complain(making, one, f'value "{text}" must be between 300 and 599', argument=index)
        return None
    return int(text)


def _answer(one: Directive, making: Making, scene: Scene, overwrite: int | None) -> PageAnswer:
    text = one.args[-1]
    if text.startswith("@"):
        return making.named(scene.table, one)
    target = argument(one, len(one.args) - 1, making, captures=scene.captures)
    if _is_path(target):
        return Uri(table=scene.table, uri=target)
    status = overwrite if overwrite in REDIRECTS else 302
    return PageRedirect(location=target, respond=answer(status))


def _is_path(target: Template) -> bool:
    first = target[0] if target else None
    return first in (Variable.PATH, Variable.REQUEST_URI) or (isinstance(first, Literal) and first.text.startswith("/"))
