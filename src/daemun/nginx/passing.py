"""`proxy_pass`: its URL taken apart, and what goes upstream as the request target.

Facts (nginx): without a URI the target goes on as it came; with one it replaces the location's prefix; `$proxy_host` is
the host and port as written, `localhost` for a Unix socket; with variables in it the URL is used as it is then, its URI
only when it has one (`alternatives`).
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from daemun.errors import Place
from daemun.nginx.directive import Directive
from daemun.nginx.making import Making
from daemun.nginx.scene import Scene
from daemun.nginx.values import complain
from daemun.nginx.variables import template
from daemun.plan.template import Template

_SCHEMES = ("http://", "https://")
_SCHEME = re.compile(r"(https?)://", re.IGNORECASE)
# A variable that begins with a slash, or one right behind a port: there the URI begins.
_URI_VARIABLE = re.compile(
    r"\$(?:\{(?:request_uri|uri|document_uri)\}|(?:request_uri|uri|document_uri)(?![A-Za-z0-9_]))"
)
_BEHIND_PORT = re.compile(r"[^$/?#]*:[0-9]+(?=\$)")
_UNIX = re.compile(r"unix:([^:]*)(?::(.*))?\Z", re.DOTALL)
_AUTHORITY = re.compile(r"((?:\[[^\]]*\]|\$\{[^}]*\}|[^/?#:\[])*)(?::([^/?#]*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A URL of proxy_pass. `host` is as written, with the port when one is; `address` has always one.

    `uri` is None when there is none. `url` is the whole as `proxy_redirect default` takes it. `place` is where it is
    written. `here` has the variables of its own that stand in `host` and `uri`. With `any_scheme` all of it is the host:
    what it means is known with the request.
    """

    place: Place
    url: str
    secure: bool
    host: str
    port: str
    address: str
    uri: str | None
    here: Mapping[str, Template] = field(default_factory=dict)
    any_scheme: bool = False

    @property
    def named(self) -> str:
        """The name without its port: what an `upstream` block may be called."""
        return self.host if self.port == "" else self.host.rpartition(":")[0]

    def template(self, text: str, making: Making, scene: Scene) -> Template:
        """Return the template of a part of it."""
        return template(text, making, self.place, captures=scene.captures, here=self.here)


def parse_pass(directive: Directive, making: Making, upstreams: Container[str]) -> Passed | None:
    """Return the parts of a proxy_pass; None when it cannot be read, which is said.

    `upstreams` has the names of `upstream` blocks in lower case: where one is followed by a variable, that is a URI.
    """
    text, place = directive.args[0], directive.places[0]
    scheme = _SCHEME.match(text)
    if scheme is None:
        begins, variable, _ = text.partition("$")
        if variable and any(one.startswith(begins.lower()) for one in _SCHEMES):
            return Passed(
                place=place, url=text, secure=False, host=text, port="", address=text, uri=None, any_scheme=True
            )
        complain(making, directive, "invalid URL prefix", argument=0, remedy="it begins with http:// or https://")
        return None
    secure = scheme[1].lower() == "https"
    rest = text[scheme.end() :]
    unix = _UNIX.match(rest)
    if unix is not None:
        if not unix[1]:
            complain(making, directive, f'no path in the unix domain socket in upstream "{rest}"', argument=0)
            return None
        return Passed(
            place=place,
            url=text,
            secure=secure,
            host="localhost",
            port="",
            address=f"unix:{unix[1]}",
            uri=unix[2] or None,
        )
    split = _split(rest, upstreams)
    authority = _AUTHORITY.match(rest[:split])
    host = authority[1] if authority is not None else ""
    port = (authority[2] if authority is not None else "") or ""
    if authority is None or not host:
        complain(making, directive, f'no host in upstream "{rest}"', argument=0)
        return None
    written = authority[0].removesuffix(":") if not port else authority[0]
    if port and "$" not in port and not (port.isdigit() and 1 <= int(port) <= 65_535):
        message = f'invalid port in upstream "{rest}"'
        complain(making, directive, message, argument=0, remedy="a port is a number from 1 to 65535")
        return None
    uri = rest[authority.end() :]
    if uri[:1] in {"?", "#"}:
        uri = f"/{uri}"
    default = "443" if secure else "80"
    return Passed(
        place=place,
        url=text,
        secure=secure,
        host=written,
        port=port,
        address=f"{host}:{port or default}",
        uri=uri or None,
    )


def _split(rest: str, upstreams: Container[str]) -> int:
    """Return where the URI begins at the latest."""
    slash = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    dollar = rest.find("$", 0, slash)
    if dollar > 0 and rest[:dollar].lower() in upstreams:
        return dollar
    port = _BEHIND_PORT.match(rest, 0, slash)
    if port is not None:
        return port.end()
    variable = _URI_VARIABLE.search(rest, 0, slash)
    return slash if variable is None else variable.start()
