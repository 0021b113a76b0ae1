"""`proxy_set_header`: what goes upstream besides what the client sent.

Facts (nginx): `Host $proxy_host`, and what belongs to one connection is taken away; an empty value removes a field; a
level with a `proxy_set_header` of its own inherits none. Decisions: Connection and Upgrade are the engine's own: the
pair that people write for WebSockets lets upgrades pass, `Connection close` keeps no connection, anything else is said
to have no effect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.passing import Passed
from daemun.nginx.values import complain
from daemun.nginx.variables import template
from daemun.plan import filter as plan
from daemun.plan.route import HeaderValue
from daemun.plan.template import Template

_BARE_END = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)\Z")
_PROXY_VARIABLE = re.compile(r"\$(?:\{proxy_(host|port)\}|proxy_(host|port)(?![A-Za-z0-9_]))")
_HOP = frozenset({"connection", "upgrade", "keep-alive", "proxy-connection", "te", "expect", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFields:
    """`host` is what the Host field says, None for the default; `closes` keeps no connection."""

    operations: tuple[plan.HeaderOp, ...] = ()
    host: Template | None = None
    upgrade: bool = False
    closes: bool = False


def request_fields(level: Level, making: Making, passed: Passed, captures: int | None) -> RequestFields:
    """Return what a level says of the fields that go to this upstream."""
    operations: list[plan.HeaderOp] = []
    host: Template | None = None
    hop: dict[str, str] = {}
    asked: Template | None = None
    for one in level.all("proxy_set_header"):
        if len(one.args) != 2:
            continue
        name, text = one.args
        lower = name.lower()
        if lower in _HOP:
            hop[lower] = text
            if lower == "connection" and text.lower() not in {"", "close", "upgrade", "keep-alive"} and "$" not in text:
                message = f'"{text}" has no effect: the Connection field is the proxy\'s own'
                complain(making, one, message, argument=1, severity="warning", kind="hint")
            if lower == "connection" and "$" in text:
                asked = template(text, making, one.places[1], captures=captures)
            continue
        text = _PROXY_VARIABLE.sub(lambda found: _known(found, passed), text)
        value = template(text, making, one.places[1], captures=captures, here=passed.here)
        if lower == "host":
            host = value
        elif value:
            operations.append(plan.Set(HeaderValue(name=name, value=value)))
        else:
            operations.append(plan.Remove(name))
    connection = hop.get("connection", "").lower()
    if asked is not None and "upgrade" not in hop:
        # Whether it ends is known with the request; beside an Upgrade, `close` stands for everything else.
        operations.append(plan.Set(HeaderValue(name="Connection", value=asked)))
    return RequestFields(
        operations=tuple(operations),
        host=host,
        upgrade="$" in hop.get("upgrade", "") or ("upgrade" in hop and hop["upgrade"] != ""),
        closes=connection == "close",
    )


def _known(found: re.Match[str], passed: Passed) -> str:
    """Return `$proxy_host`, and `$proxy_port` where there is no variable in the URL."""
    if (found[1] or found[2]) == "host":
        # What follows must not become part of a variable's name.
        return _BARE_END.sub(r"${\1}", passed.host)
    if "$" in passed.host:
        return found[0]
    return passed.port or ("443" if passed.secure else "80")
