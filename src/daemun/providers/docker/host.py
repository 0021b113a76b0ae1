"""Where the network of an engine's host is reached from here: for containers that have no address of their own.

Facts (Traefik v3.7): `host.docker.internal`, then `host.containers.internal`, where such a name is known (Daemun itself in
a container), else this machine. Decision: the host of an engine that is elsewhere is where the engine is.
"""

from __future__ import annotations

import asyncio
import socket

from daemun.traefik.docker_options import split_endpoint

_NAMES = ("host.docker.internal", "host.containers.internal")
LOCAL = "127.0.0.1"
_LIMIT = 2.0


async def host_address(endpoint: str) -> str:
    """Return an address, or the host's name as the endpoint has it."""
    parts = split_endpoint(endpoint)
    if parts.scheme != "unix" and parts.hostname:
        return parts.hostname
    loop = asyncio.get_running_loop()
    for name in _NAMES:
        try:
            async with asyncio.timeout(_LIMIT):
                found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError):
            continue
        if found:
            return str(found[0][4][0])
    return LOCAL
