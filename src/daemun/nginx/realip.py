"""`set_real_ip_from`, `real_ip_header`, `real_ip_recursive`.

Facts (nginx's ngx_http_realip_module.c): nobody is trusted by default; the field is X-Real-IP unless said; of
X-Forwarded-For the last address counts, with `real_ip_recursive` the last that is not trusted. The address of a PROXY
header is the client's here from the start: `real_ip_header proxy_protocol` asks for nothing more.
"""

from __future__ import annotations

import socket

from daemun.nginx.directive import Directive
from daemun.nginx.geo import network_of
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain, flag
from daemun.plan.filter import RealIp
from daemun.plan.scalars import Id


def real_ip(level: Level, making: Making, scene: Scene) -> Id | None:
    """Add the filter that takes the client's address from a field; None when nobody is trusted."""
    if not level.all("set_real_ip_from"):
        return None
    trusted = [network for one in level.all("set_real_ip_from") for network in _networks(one, making)]
    header = level.value("real_ip_header", "X-Real-IP")
    recursive = flag(level, "real_ip_recursive", making, default=False)
    if not trusted or header == "proxy_protocol":
        return None
    return making.filter(
        f"{scene.name} real ip", RealIp(trusted=tuple(trusted), header=header.lower(), recursive=recursive)
    )


def _networks(one: Directive, making: Making) -> tuple[str, ...]:
    text = one.args[0]
    if text == "unix:":
        return (text,)
    if any(char.isalpha() for char in text) and ":" not in text:
        return _resolved(one, making)
    network = network_of(one, making, argument=0)
    return () if network is None else (str(network),)


def _resolved(one: Directive, making: Making) -> tuple[str, ...]:
    """Return the addresses a name has now: nginx too asks once, when it reads its configuration."""
    name = one.args[0]
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        message = f'host not found in set_real_ip_from "{name}"'
        complain(making, one, message, argument=0, remedy="write its addresses")
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
