"""The containers of one Docker engine, as far as they are known: lists, inspect answers and events in, no I/O.

    GET /containers/json ─ listed ─► which to inspect      event ─ take ─► what is due, who drains
    GET /containers/{id}/json ─ inspected ─►               containers, draining ─► configuration

Facts (Docker Engine API): `kill` is told for any signal, its number or name in an attribute; `stop` sends the
container's stop signal, and SIGKILL when its stop timeout has passed; `die` comes whenever it ends. Events may be
told again after a connection was lost; a container that starts joins its networks first. Decisions: whoever gets a signal that ends it drains at once; if it lives
on five seconds beyond its stop timeout it gets requests again. What was begun before a container was started last says
nothing of it now. An inspect answer is kept until an event says that it has aged.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from signal import Signals
from typing import Any

from daemun.providers.docker.container import Container, container_of

# Signals that end a program, or keep it from answering; besides, a container's own stop signal.
_ENDING = frozenset({"TERM", "INT", "QUIT", "KILL", "ABRT", "STOP"})
_STOP_TIMEOUT = 10.0  # Docker's default, seconds
_MERCY = 5.0
_ALLOW_STOPPED = "traefik.docker.allownonrunning"
_TIME = re.compile(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.(\d{1,9}))?Z")


class Due(IntEnum):
    """How soon the containers are to be listed again."""

    NEVER = 0
    LATER = 1  # a part is gone that gets no requests any more
    SOON = 2


# What an action of a container asks for; those that end it come to LATER, for its endpoint drains already.
_DUE = {
    "start": Due.SOON,
    "unpause": Due.SOON,
    "health_status": Due.SOON,
    "rename": Due.SOON,
    "update": Due.SOON,
    "die": Due.LATER,
    "stop": Due.LATER,
    "pause": Due.LATER,
    "destroy": Due.LATER,
}
_ENDS = frozenset({"die", "stop", "pause", "destroy"})
_BEGINS = frozenset({"start", "unpause"})
ACTIONS = (*_DUE, "kill", "connect", "disconnect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What one inspect answer said; `raw` has the parts that matter, as they were said."""

    container: Container
    raw: Mapping[str, Any]
    started: int  # nanoseconds since 1970, 0 when unknown
    stop_signal: str
    stop_timeout: float


@dataclass(slots=True)
class Roster:
    """Grows with what the engine says."""

    _order: list[str] = field(default_factory=list)
    _known: dict[str, Known] = field(default_factory=dict)
    _aged: set[str] = field(default_factory=set)
    _draining: dict[str, float] = field(default_factory=dict)  # until when, on our clock

    def forget(self) -> None:
        """Let every inspect answer be asked for again: events may have been missed."""
        self._aged.update(self._known)

    def listed(self, summaries: Iterable[Mapping[str, Any]]) -> list[str]:
        """Take a list of containers; return those to be inspected, in its order."""
        self._order = [str(one.get("Id", "")) for one in summaries if _counts(one)]
        for gone in self._known.keys() - set(self._order):
            del self._known[gone]
        self._aged &= self._known.keys()
        self._draining = {one: until for one, until in self._draining.items() if one in self._order}
        return [one for one in self._order if one not in self._known or one in self._aged]

    def inspected(self, identity: str, inspect: Mapping[str, Any] | None) -> None:
        """Take an inspect answer; None when the container is gone. Raises ValueError when it makes no sense."""
        if inspect is None:
            self._known.pop(identity, None)
            return
        raw = _trimmed(inspect)
        known = Known(
            container=container_of(inspect),
            raw=raw,
            started=_nanoseconds(str(raw["State"].get("StartedAt", ""))),
            stop_signal=_signal(str(raw["Config"].get("StopSignal") or "TERM")),
            stop_timeout=_seconds(raw["Config"].get("StopTimeout")),
        )
        before = self._known.get(identity)
        if before is not None and before.started < known.started:
            self._draining.pop(identity, None)  # it was started again while nobody told us
        self._known[identity] = known
        self._aged.discard(identity)

    def take(self, event: Mapping[str, Any], *, now: float) -> Due:
        """Take an event; return how soon a list is due. `now` is a clock that never goes back, seconds."""
        action = str(event.get("Action", "")).partition(":")[0].strip()
        actor = event.get("Actor")
        attributes = actor.get("Attributes") if isinstance(actor, dict) else None
        attributes = attributes if isinstance(attributes, dict) else {}
        if event.get("Type") == "network":
            return self._take_network(action, str(attributes.get("container", "")))
        identity = str(actor.get("ID", "")) if isinstance(actor, dict) else ""
        if event.get("Type") != "container" or not identity:
            return Due.NEVER
        moment = event.get("timeNano")
        known = self._known.get(identity)
        fresh = known is None or not isinstance(moment, int) or moment >= known.started
        self._aged.add(identity)
        if action in _BEGINS:
            self._draining.pop(identity, None)
        elif fresh and (action in _ENDS or (action == "kill" and _ends(known, str(attributes.get("signal", ""))))):
            timeout = _STOP_TIMEOUT if known is None else known.stop_timeout
            self._draining[identity] = now + timeout + _MERCY
        return _DUE.get(action, Due.NEVER)

    def _take_network(self, action: str, identity: str) -> Due:
        """Take an event of a network: of one that starts, or ends, `start` and `die` say enough."""
        if action not in {"connect", "disconnect"} or identity not in self._known:
            return Due.NEVER
        self._aged.add(identity)
        return Due.LATER if identity in self._draining else Due.SOON

    def expire(self, *, now: float) -> bool:
        """Let containers that live on after a signal have requests again; tell whether there are such."""
        over = [one for one, until in self._draining.items() if until <= now]
        for one in over:
            del self._draining[one]
        return bool(over)

    @property
    def expires(self) -> float | None:
        """When `expire` has something to do."""
        return min(self._draining.values(), default=None)

    @property
    def containers(self) -> tuple[Container, ...]:
        """Every container that counts, in the engine's order."""
        return tuple(self._known[one].container for one in self._order if one in self._known)

    @property
    def draining(self) -> frozenset[str]:
        """The ids of those that get no requests any more."""
        return frozenset(self._draining) & frozenset(self._order)

    @property
    def raw(self) -> list[Mapping[str, Any]]:
        """What `inspected` can take again one day."""
        return [self._known[one].raw for one in self._order if one in self._known]


def _counts(summary: Mapping[str, Any]) -> bool:
    """Tell whether a container runs, or wants to be routed to all the same: the others need not be inspected."""
    if summary.get("State") == "running":
        return True
    labels = summary.get("Labels")
    named = labels.items() if isinstance(labels, dict) else ()
    return any(str(name).lower() == _ALLOW_STOPPED and str(value).lower() == "true" for name, value in named)


def _ends(known: Known | None, number: str) -> bool:
    signal = _signal(number)
    return signal in _ENDING or (known is not None and signal == known.stop_signal)


def _signal(text: str) -> str:
    """Return a signal's name without SIG, from its number or name; RTMIN+3 stays a number where it is one."""
    if text.isascii() and text.isdigit():
        try:
            return Signals(int(text)).name.removeprefix("SIG")
        except ValueError:
            return text
    name = text.upper().removeprefix("SIG")
    base, _, more = name.partition("+")
    if base == "RTMIN" and more.isascii() and more.isdigit():
        return str(Signals.SIGRTMIN + int(more))
    return name


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int) and value >= 0 else _STOP_TIMEOUT


def _nanoseconds(text: str) -> int:
    """Return a moment as Docker writes it (RFC 3339 in UTC); 0 when it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return 0
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    whole = calendar.timegm((year, month, day, hour, minute, second))
    return max(whole, 0) * 10**9 + int((found.group(7) or "").ljust(9, "0"))


def _trimmed(inspect: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an inspect answer that count: it has much more, environment variables among them."""
    state, config = _table(inspect, "State"), _table(inspect, "Config")
    settings, health = _table(inspect, "NetworkSettings"), _table(_table(inspect, "State"), "Health")
    networks = {
        str(name): {key: one.get(key) for key in ("IPAddress", "GlobalIPv6Address")}
        for name, one in _table(settings, "Networks").items()
        if isinstance(one, dict)
    }
    return {
        "Id": inspect.get("Id"),
        "Name": inspect.get("Name"),
        "State": {
            **{key: state[key] for key in ("Status", "Running", "StartedAt") if key in state},
            **({"Health": {"Status": health.get("Status")}} if health else {}),
        },
        "Config": {key: config[key] for key in ("Labels", "StopSignal", "StopTimeout") if key in config},
        "HostConfig": {"NetworkMode": _table(inspect, "HostConfig").get("NetworkMode")},
        "NetworkSettings": {"Networks": networks, "Ports": settings.get("Ports")},
        "Node": {"IP": _table(inspect, "Node").get("IP")},
    }


def _table(of: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = of.get(key)
    return value if isinstance(value, dict) else {}
