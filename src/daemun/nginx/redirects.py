"""Where a redirect of our own leads: nginx makes `/path` absolute.

Facts (nginx): scheme and port are those of the connection, the port is left out when it is the scheme's own or
`port_in_redirect` is off; the name is the request's Host, or the server's with `server_name_in_redirect`;
`absolute_redirect off` leaves the path as it is. A server with one listen has it written out; else it is asked for.
"""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.listen import Listen, listens_of
from daemun.nginx.making import Making
from daemun.nginx.values import flag
from daemun.plan.template import Entry, Literal, LookupPart, Map, Template, Variable

_PORTS = "redirect port"
NAMES = ("absolute_redirect", "port_in_redirect", "server_name_in_redirect")


def redirect_base(level: Level, making: Making) -> Template:
    """Return what stands before the path of a redirect: `http://$host:8080`; nothing when it stays relative."""
    if not flag(level, "absolute_redirect", making, default=True):
        return ()
    with_port = flag(level, "port_in_redirect", making, default=True)
    own_name = flag(level, "server_name_in_redirect", making, default=False)
    name: Template = (Variable.SERVER_NAME if own_name else Variable.HOST,)
    listens = [one for one in listens_of(_server(level), making) if one.port is not None]
    schemes = {one.ssl for one in listens}
    ports = {_port(one) for one in listens} if with_port else {""}
    if len(schemes) == 1:
        secure = next(iter(schemes))
        scheme: Template = (Literal("https://" if secure else "http://"),)
    else:
        scheme = (Variable.SCHEME, Literal("://"))
    if ports <= {""}:
        return (*scheme, *name)
    if len(ports) == 1:
        return (*scheme, *name, Literal(next(iter(ports))))
    making.lookups[_PORTS] = Map(
        hostnames=False,
        exact=(Entry(key="http:80", value=()), Entry(key="https:443", value=())),
        regexes=(),
        default=(Literal(":"), Variable.SERVER_PORT),
        volatile=False,
    )
    key: Template = (Variable.SCHEME, Literal(":"), Variable.SERVER_PORT)
    return (*scheme, *name, LookupPart(table=_PORTS, key=key))


def absolute(level: Level, making: Making, target: Template) -> Template:
    """Return a redirect's location: with the base before it when it begins with `/`."""
    first = target[0] if target else None
    if isinstance(first, Literal) and first.text.startswith("/"):
        return joined((*redirect_base(level, making), *target))
    return target


def joined(template: Template) -> Template:
    """Return the template with neighbouring literals made one."""
    out: list[object] = []
    for part in template:
        if isinstance(part, Literal) and out and isinstance(out[-1], Literal):
            out[-1] = Literal(out[-1].text + part.text)
        else:
            out.append(part)
    return tuple(out)  # type: ignore[arg-type]


def _server(level: Level) -> Level:
    while level.kind != "server" and level.parent is not None:
        level = level.parent
    return level


def _port(listen: Listen) -> str:
    return "" if listen.port == (443 if listen.ssl else 80) else f":{listen.port}"
