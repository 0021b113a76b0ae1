"""The URL of a server in a service: scheme, address, path.

`http://host:port`, `https://…`, `h2c://…` as in Traefik, and our `unix:///run/app.sock`. dynamic.py checks
with it, lowering splits with it. Names are not resolved; a path is kept for preservePath.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

UrlScheme = Literal["http", "https", "h2c", "unix"]
_DEFAULT_PORTS = {"http": 80, "https": 443, "h2c": 80}


_HOST = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUrl:
    """A server's URL in parts; `address` is `host:port` or `unix:/path`, `path` without a last slash.

    `host` is what stands in the URL, with its port only when written.
    """

    scheme: UrlScheme
    address: str
    host: str
    path: str


def split_url(url: str) -> ServerUrl:
    """Split a server's URL. Raises ValueError with advice."""
    scheme, mark, rest = url.partition("://")
    if scheme == "unix" or url.startswith("unix:"):
        path = rest if mark else url.removeprefix("unix:")
        if not path.startswith("/") or path == "/":
            message = f"{url!r} names no socket: write unix:///run/app.sock"
            raise ValueError(message)
        return ServerUrl(scheme="unix", address=f"unix:{path}", host="", path="")
    if not mark:
        message = f"{url!r} has no scheme: write http://{url}"
        raise ValueError(message)
    if scheme not in _DEFAULT_PORTS:
        message = f"{url!r} begins with {scheme}://: expected http, https, h2c or unix"
        raise ValueError(message)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        message = f"{url!r} is no URL: {error}"
        raise ValueError(message) from None
    if not host:
        message = f"{url!r} names no host: write http://127.0.0.1:8000"
        raise ValueError(message)
    if parts.username is not None:
        message = f"{url.partition('://')[0]}://…@{host} carries a password, which belongs into no server URL"
        raise ValueError(message)
    if not (_is_v6(host) if ":" in host else _HOST.fullmatch(host)):
        message = f"{host!r} is no name of a host"
        raise ValueError(message)
    if port == 0:
        message = f"{url!r} has port 0, which is no port"
        raise ValueError(message)
    shown = f"[{host}]" if ":" in host else host
    known: dict[str, UrlScheme] = {"http": "http", "https": "https", "h2c": "h2c"}
    return ServerUrl(
        scheme=known[scheme],
        address=f"{shown}:{port if port is not None else _DEFAULT_PORTS[scheme]}",
        host=shown if port is None else f"{shown}:{port}",
        path=parts.path.rstrip("/"),
    )


def _is_v6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def check_url(url: str) -> str:
    """Return the URL when it can be split. Raises ValueError."""
    split_url(url)
    return url
