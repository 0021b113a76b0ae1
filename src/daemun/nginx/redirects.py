"""Where a redirect of our own leads: nginx makes `/path` absolute.

Facts (nginx): scheme and port are those of the connection, the port is left out when it is the scheme's own or
`port_in_redirect` is off; the name is the request's Host, the address that was asked when it has none, or the server's
with `server_name_in_redirect`; `absolute_redirect off` leaves the path as it is. A server with one listen has it written out; else it is asked for.
"""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.listen import Listen, listens_of
from daemun.nginx.making import Making
from daemun.nginx.values import flag
from daemun.nginx.variables import joined
from daemun.plan.template import Literal, Template, Variable


def redirect_origin(level: Level, making: Making) -> Template:
    """Return what stands before the path of a redirect: `http://$host:8080`; nothing when it stays relative."""
    if not flag(level, "absolute_redirect", making, default=True):
        return ()
    own_name = flag(level, "server_name_in_redirect", making, default=False)
    name = Variable.SERVER_NAME if own_name else Variable.HOST_OR_ADDRESS
    listens = listens_of(_server(level), making)
    if len(listens) == 1:
        [one] = listens
        with_port = flag(level, "port_in_redirect", making, default=True)
        return (Literal("https://" if one.ssl else "http://"), name, *_suffix(one, with_port=with_port))
    schemes = {one.ssl for one in listens}
    scheme: Template = (Variable.SCHEME, Literal("://"))
    if len(schemes) == 1:
        scheme = (Literal("https://" if schemes.pop() else "http://"),)
    if not flag(level, "port_in_redirect", making, default=True):
        return (*scheme, name)
    ports = {_port(one) for one in listens}
    if ports == {""}:
        return (*scheme, name)
    return (*scheme, name, Literal(ports.pop())) if len(ports) == 1 else (*scheme, name, Variable.PORT_SUFFIX)


def absolute(origin: Template, target: Template) -> Template:
    """Return a redirect's location: with its origin before it when it begins with `/`."""
    first = target[0] if target else None
    if isinstance(first, Literal) and first.text.startswith("/"):
        return joined((*origin, *target))
    return target


def _server(level: Level) -> Level:
    while level.kind != "server" and level.parent is not None:
        level = level.parent
    return level


def _port(listen: Listen) -> str:
    return "" if listen.port in {None, 443 if listen.ssl else 80} else f":{listen.port}"


def _suffix(listen: Listen, *, with_port: bool) -> Template:
    text = _port(listen) if with_port else ""
    return (Literal(text),) if text else ()
