"""`listen`: an address of a server, and what is said of it.

Facts (nginx): `80`, `*:80`, `name:80`, `[::1]:80`, an address alone (port 80), a range of ports, `unix:/path`; without
any, `*:80` for root, else `*:8000`. `[::]` takes IPv6 only unless `ipv6only=off`. Parameters of sockets that the engine
chooses itself are accepted without effect (catalogue.py says so).
"""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass, field
from functools import cache

from daemun.errors import nearest
from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.values import complain
from daemun.plan.listener import Bind, Tcp, Unix

BACKLOG = 511
_FLAGS = frozenset({"default_server", "default", "ssl", "http2", "proxy_protocol"})
_IDLE = frozenset(
    [
        "setfib",
        "fastopen",
        "rcvbuf",
        "sndbuf",
        "accept_filter",
        "deferred",
        "bind",
        "reuseport",
        "so_keepalive",
        "multipath",
        "spdy",
    ]
)
_HIGHEST_PORT = 65_535
# Owner and everybody: nginx makes its Unix sockets so (ngx_open_listening_sockets).
_UNIX_MODE = 0o666


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """One address. `key` tells addresses apart, `name` is how people know it (`*:80`); `port` is None for a socket.

    `directive` is the first that says so; one with `default_server` has its own.
    """

    key: str
    name: str
    bind: Bind
    port: int | None
    ssl: bool = False
    http2: bool = False
    proxy_protocol: bool = False
    default: bool = False
    backlog: int | None = None
    directive: Directive = field(compare=False)


def listens_of(server: Level, making: Making) -> tuple[Listen, ...]:
    """Return where a server listens."""
    found = making.listens.get(server)
    if found is None:
        found = making.listens[server] = _read(server, making)
    return found


def _read(server: Level, making: Making) -> tuple[Listen, ...]:
    found: list[Listen] = []
    seen: set[str] = set()
    for directive in server.own("listen"):
        for one in _alike(directive, making):
            if one.key in seen:
                message = f"a duplicate listen {one.name}"
                complain(making, directive, message, argument=0, kind="duplicate", remedy="leave one of them out")
                continue
            seen.add(one.key)
            found.append(one)
    if not server.own("listen") and server.directive is not None:
        port = 80 if os.geteuid() == 0 else 8000
        found.append(_tcp("0.0.0.0", port, server.directive))  # noqa: S104 - nginx's default
    return tuple(found)


def _alike(directive: Directive, making: Making) -> list[Listen]:
    """Return what a line says, read once for all servers that have the same one."""
    found = making.listen_lines.get(directive.args)
    if found is None:
        before = len(making.problems)
        found = _listen(directive, making)
        # Who claims to be the default, or is wrong, is told so at his own line.
        if len(making.problems) == before and not any(one.default for one in found):
            making.listen_lines[directive.args] = found
    return found


def _listen(directive: Directive, making: Making) -> list[Listen]:
    if not directive.args:
        return []
    text = directive.args[0]
    words, params = _params(directive, making)
    six_only = params.get("ipv6only", "on") != "off"
    try:
        backlog = int(params["backlog"]) if "backlog" in params else None
    except ValueError:
        complain(making, directive, f'invalid backlog "{params["backlog"]}"')
        backlog = None
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path:
            complain(making, directive, f'no path in the unix domain socket in "{text}" of the "listen" directive')
            return []
        made = [Listen(key=text, name=text, bind=Unix(path=path, mode=_UNIX_MODE), port=None, directive=directive)]
    else:
        made = [
            _tcp(host, port, directive, six_only=six_only)
            for host, ports in _addresses(directive, making)
            for port in ports
        ]
    return [
        Listen(
            key=one.key,
            name=one.name,
            bind=one.bind,
            port=one.port,
            ssl="ssl" in words,
            http2="http2" in words,
            proxy_protocol="proxy_protocol" in words,
            default=bool(words & {"default", "default_server"}),
            backlog=backlog,
            directive=directive,
        )
        for one in made
    ]


def _params(directive: Directive, making: Making) -> tuple[set[str], dict[str, str]]:
    words: set[str] = set()
    params: dict[str, str] = {}
    for index, text in enumerate(directive.args[1:], start=1):
        name, equals, value = text.partition("=")
        if text in _FLAGS:
            words.add(text)
        elif text == "quic":
            message = "not supported: HTTP/3; listen with ssl and http2"
            complain(making, directive, message, argument=index, kind="not_yet", remedy="leave this listen out")
        elif equals and name in {"backlog", "ipv6only"}:
            params[name] = value
        elif name not in _IDLE:
            complain(
                making,
                directive,
                f'invalid parameter "{text}"',
                argument=index,
                suggestion=nearest(name, [*_FLAGS, *_IDLE, "backlog", "ipv6only"]),
            )
    return words, params


def _addresses(directive: Directive, making: Making) -> list[tuple[str, range]]:
    """Return the addresses and ports that the first argument names."""
    text = directive.args[0]
    host, port_text = text, ""
    if text.startswith("["):
        end = text.find("]")
        host, port_text = text[1:end], text[end + 1 :].removeprefix(":")
    elif text[:1].isdigit() and "." not in text and ":" not in text:
        host, port_text = "*", text
    elif ":" in text:
        host, _, port_text = text.rpartition(":")
    first, _, last = port_text.partition("-")
    ports = _ports(first or "80", last)
    if ports is None:
        message = f'invalid port in "{text}" of the "listen" directive'
        complain(making, directive, message, argument=0, remedy="a port is a number from 1 to 65535")
        return []
    hosts = _resolve(host)
    if not hosts:
        message = f'host not found in "{text}" of the "listen" directive'
        complain(making, directive, message, argument=0, remedy="write an address of this machine, or a port alone")
    return [(one, ports) for one in hosts]


def _ports(first: str, last: str) -> range | None:
    if not first.isdigit() or (last and not last.isdigit()):
        return None
    low, high = int(first), int(last or first)
    return range(low, high + 1) if 1 <= low <= high <= _HIGHEST_PORT else None


@cache
def _resolve(host: str) -> tuple[str, ...]:
    """Return the addresses of a name, as nginx does: once, when the configuration is read."""
    if host == "*":
        return ("0.0.0.0",)  # noqa: S104 - nginx's words
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # a name that cannot be asked for is none
        return ()
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def _tcp(host: str, port: int, directive: Directive, *, six_only: bool = True) -> Listen:
    shown = "*" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host  # noqa: S104 - compared, not bound
    bound = "" if host == "::" and not six_only else host
    key = f"{f'[{host}]' if ':' in host else host}:{port}"
    return Listen(key=key, name=f"{shown}:{port}", bind=Tcp(host=bound, port=port), port=port, directive=directive)
