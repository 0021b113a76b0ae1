"""`return`: an answer of our own, a redirect, or the end of the connection.

Facts (nginx's ngx_http_rewrite_module.c and ngx_http_send_response): one argument that is no number must be a URL, for
302; for 301, 302, 303, 307 and 308 the text is the location; other statuses below 400, and all with a text, are
answered with it and the path's type, and no error page replaces them; 400 and above without a text are answered with
nginx's page; 444 closes the connection, and so do 408 and 499 without a text.
"""

from __future__ import annotations

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.media_types import content_type
from daemun.nginx.pages import HTML, answer, page
from daemun.nginx.referers import local_variables
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain
from daemun.nginx.variables import argument, joined
from daemun.plan.route import HeaderValue, Respond
from daemun.plan.script import Close, Return, ReturnText
from daemun.plan.template import Literal, Template
from daemun.plan.variable import Variable

REDIRECTS = (301, 302, 303, 307, 308)
URL_BEGINNINGS = ("http://", "https://", "$scheme")
_CLOSING = (408, 444, 499)
# Pages of statuses that only nginx has; they go out as 400.
_OWN_PAGES = {
    494: "Request Header Or Cookie Too Large",
    495: "The SSL certificate error",
    496: "No required SSL certificate was sent",
    497: "The plain HTTP request was sent to HTTPS port",
}


def returned(
    one: Directive, level: Level, making: Making, scene: Scene, *, captures: int | None, root: Template | None
) -> Return | ReturnText | Close | None:
    """Return what a `return` does; None when it cannot be read, which becomes a problem."""
    status, at = _status(one, making)
    if status is None:
        return None
    has_text = len(one.args) > at
    here = local_variables(level, making) if has_text else {}
    text = argument(one, at, making, captures=captures, root=root, here=here) if has_text else ()
    if status == 444 or (status in _CLOSING and not text):
        return Close()
    if status in REDIRECTS:
        return Return(answer(status, location=absolute(text, scene)))
    if status < 400 or text:
        return _text(status, text, level, making, scene)
    return Return(_page(status, level))


def absolute(location: Template, scene: Scene) -> Template:
    """Return a redirect's location: with scheme, name and port before a path."""
    first = location[0] if location else None
    is_path = first in (Variable.PATH, Variable.REQUEST_URI) or (
        isinstance(first, Literal) and first.text.startswith("/")
    )
    return joined((*scene.origin, *location)) if is_path else location


def _status(one: Directive, making: Making) -> tuple[int | None, int]:
    """Return the status, and which argument the text is."""
    first = one.args[0]
    if first.isascii() and first.isdigit() and int(first) <= 999:
        return int(first), 1
    if len(one.args) == 1 and first.startswith(URL_BEGINNINGS):
        return 302, 0
    complain(
        making,
        one,
        f'invalid return code "{first}"',
        argument=0,
        remedy="a redirect to a path needs its status: return 302 /path" if first.startswith(("/", "$")) else "",
    )
    return None, 0


def _text(status: int, text: Template, level: Level, making: Making, scene: Scene) -> Return | ReturnText:
    if status == 204:
        return Return(Respond(status=status, headers=(), body=()))
    media_type = content_type(level, making, scene)
    headers = (HeaderValue(name="Content-Type", value=media_type),) if media_type else ()
    respond = Respond(status=status, headers=headers, body=() if status == 304 else text)
    # Only where an error page might take its place is it said that none does.
    return ReturnText(respond) if status >= 300 and level.all("error_page") else Return(respond)


def _page(status: int, level: Level) -> Respond:
    if status not in _OWN_PAGES:
        return answer(status)
    if any(str(status) in one.args for one in level.all("error_page")):
        # The error page is that of this status; it does not go out.
        return Respond(status=status, headers=(), body=())
    return Respond(status=400, headers=(HTML,), body=(Literal(page(400, _OWN_PAGES[status])),))
