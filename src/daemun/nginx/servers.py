"""Servers to listeners and virtual hosts: who answers where, and by which name.

Facts (nginx): the default server of an address is the one with `default_server`, else the first; what a `listen` says
of an address holds for every server on it; names are tested where an address has several servers, or one whose name is
a regular expression with groups; a name that another server of the address has already is ignored, with a warning. A
server without a name has the empty one. `http2 on` counts for the addresses of its server.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.listen import BACKLOG, Listen, listens_of
from daemun.nginx.making import Making
from daemun.nginx.patterns import pattern
from daemun.nginx.values import complain, flag
from daemun.plan.listener import Exact, HostName, NamePattern, Prefix, Regex, Suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerName:
    """A name as it is matched, and the word that says so."""

    pattern: NamePattern
    directive: Directive | None
    argument: int
    captures: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Address:
    """A listening address and the servers on it, in order."""

    listen: Listen
    servers: list[Level] = field(default_factory=list)
    default: Level | None = None
    ssl: bool = False
    http2: bool = False
    proxy_protocol: bool = False
    backlog: int = BACKLOG

    @property
    def default_server(self) -> Level:
        """The server when no name matches."""
        return self.default or self.servers[0]


def gather_addresses(servers: list[Level], making: Making) -> dict[str, Address]:
    """Return every address with its servers, by key."""
    found: dict[str, Address] = {}
    for server in servers:
        http2 = flag(server, "http2", making, default=False)
        for one in listens_of(server, making):
            address = found.get(one.key)
            if address is None:
                address = found[one.key] = Address(listen=one)
            address.servers.append(server)
            address.ssl |= one.ssl
            address.http2 |= one.http2 or http2
            address.proxy_protocol |= one.proxy_protocol
            if one.backlog is not None:
                address.backlog = one.backlog
            if one.default:
                if address.default is not None:
                    message = f"a duplicate default server for {one.key}"
                    remedy = "leave default_server at one of them"
                    complain(making, one.directive, message, kind="duplicate", remedy=remedy)
                address.default = server
    return found


def names_of(server: Level, making: Making) -> list[ServerName]:
    """Return the names of a server; one that has none has the empty one."""
    found: list[ServerName] = []
    for directive in server.own("server_name"):
        for index, text in enumerate(directive.args):
            found.extend(_names(text, directive, index, making))
    return found or [ServerName(pattern=Exact(""), directive=None, argument=0)]


def first_name(server: Level) -> str:
    """Return a server's first name as nginx's `$server_name` says it."""
    named = server.own("server_name")
    if not named or not named[0].args:
        return ""
    text = named[0].args[0]
    if text.lower() == "$hostname":
        return socket.gethostname().lower()
    return text if text.startswith("~") else text.removeprefix(".").lower()


def host_names(address: Address, ids: dict[Level, str], names: dict[Level, list[ServerName]], making: Making
               ) -> tuple[HostName, ...]:  # fmt: skip
    """Return the names of an address and the hosts they lead to; nothing where names are not tested."""
    if len(address.servers) == 1 and not any(one.captures for one in names[address.servers[0]]):
        return ()
    taken: dict[NamePattern, Level] = {}
    found: list[HostName] = []
    for server in address.servers:
        for one in names[server]:
            holder = taken.setdefault(one.pattern, server)
            if holder is not server:
                if one.directive is not None:
                    text = one.directive.args[one.argument]
                    message = f'conflicting server name "{text}" on {address.listen.key}, ignored'
                    complain(making, one.directive, message, argument=one.argument, severity="warning")
                continue
            host = HostName(name=one.pattern, host=ids[server])
            if host not in found[-len(names[server]) :]:
                found.append(host)
    return tuple(found)


def _names(text: str, directive: Directive, index: int, making: Making) -> list[ServerName]:
    def named(pattern: NamePattern, *, captures: bool = False) -> ServerName:
        return ServerName(pattern=pattern, directive=directive, argument=index, captures=captures)

    if text.startswith("~"):
        regex = text[1:]
        if not regex:
            complain(making, directive, f'empty regex in server name "{text}"', argument=index)
            return []
        made = pattern(regex, making, directive.places[index])
        return [named(Regex(made), captures=made.slot is not None)]
    lower = socket.gethostname().lower() if text.lower() == "$hostname" else text.lower()
    star, middle = lower.startswith("*."), lower[1:-1]
    if lower.startswith("."):
        valid = "*" not in lower and ".." not in lower and len(lower) > 1
        return [named(Exact(lower[1:])), named(Suffix(lower))] if valid else _invalid(text, directive, index, making)
    if "*" not in lower:
        return [named(Exact(lower))] if ".." not in lower else _invalid(text, directive, index, making)
    if "*" in middle or ".." in lower or (star and lower.endswith("*")):
        return _invalid(text, directive, index, making)
    if star:
        return [named(Suffix(lower[1:]))]
    if lower.endswith(".*"):
        return [named(Prefix(lower[:-1]))]
    return _invalid(text, directive, index, making)


def _invalid(text: str, directive: Directive, index: int, making: Making) -> list[ServerName]:
    complain(
        making,
        directive,
        f'invalid server name or wildcard "{text}"',
        argument=index,
        remedy="a * stands only at the beginning (*.example.org) or at the end (www.example.*), as a whole label",
    )
    return []
