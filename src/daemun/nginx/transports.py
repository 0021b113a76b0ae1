"""How nginx talks to upstreams, as the Plan's transports and retries: each distinct one once.

Facts (nginx 1.31): 60 s to connect, between reads and between writes; HTTP/1.1 with up to 32 idle connections kept, for
60 s, an hour and 1000 requests at most (an upstream's `keepalive…` says otherwise); the next server is tried after
`error timeout`, as often as there are servers. Decision: methods that are not safe use only connections idle for less
than 3 s (DESIGN.md, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from daemun.nginx.directive import Directive
from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.values import complain, millis, number, size
from daemun.plan import service as plan
from daemun.plan.scalars import Id

MINUTE = 60_000
TRANSPORT = frozenset(
    ["proxy_http_version", "proxy_connect_timeout", "proxy_read_timeout", "proxy_send_timeout", "proxy_buffer_size"]
)
RETRY = frozenset(["proxy_next_upstream", "proxy_next_upstream_tries", "proxy_next_upstream_timeout"])
_STATUSES = frozenset({403, 404, 429, 500, 502, 503, 504})
_NEXT = ("error", "timeout", "invalid_header", "non_idempotent", "off", "updating")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What an upstream says of idle connections."""

    idle: int = 32
    requests: int = 1_000
    age_ms: int = 60 * MINUTE
    idle_ms: int = MINUTE


@dataclass(slots=True, kw_only=True)
class Transports:
    """The transports made so far, and what levels mean, found once each."""

    making: Making
    _used: dict[tuple[Level, Kept, bool], Id] = field(default_factory=dict)
    _ids: dict[plan.Transport, Id] = field(default_factory=dict)
    _plain: dict[Level, plan.Transport] = field(default_factory=dict)
    _retries: dict[Level, plan.Retry] = field(default_factory=dict)

    def use(self, level: Level, kept: Kept, tls: plan.UpstreamTls | None, *, closes: bool = False) -> Id:
        """Return the transport of a level to an upstream; `closes` when each connection serves one request."""
        owner = level.owner(TRANSPORT)
        if tls is None and (used := self._used.get((owner, kept, closes))) is not None:
            return used
        made = self._of(owner)
        pool = plan.Pool(
            max_idle=0 if closes else kept.idle,
            idle_ms=kept.idle_ms,
            unsafe_idle_ms=3_000,
            max_requests=kept.requests,
            max_age_ms=kept.age_ms,
        )
        if pool != made.pool or tls is not None:
            made = replace(made, pool=pool, tls=tls)
        known = self._ids.get(made)
        if known is None:
            known = self._ids[made] = f"nginx {len(self._ids) + 1}" if self._ids else "nginx"
            self.making.transports[known] = made
        if tls is None:
            self._used[owner, kept, closes] = known
        return known

    def retry(self, level: Level) -> plan.Retry:
        """Return when a level tries another server."""
        owner = level.owner(RETRY)
        found = self._retries.get(owner)
        if found is None:
            found = self._retries[owner] = _retry(owner, self.making)
        return found

    def _of(self, owner: Level) -> plan.Transport:
        found = self._plain.get(owner)
        if found is None:
            found = self._plain[owner] = _transport(owner, self.making)
        return found


def kept_of(upstream: Directive, making: Making) -> Kept:
    """Return what an `upstream` block says of idle connections."""
    level = Level(kind="upstream", directive=upstream, block=upstream.block or ())
    return Kept(
        idle=number(level, "keepalive", 32, making),
        requests=number(level, "keepalive_requests", 1_000, making),
        age_ms=millis(level, "keepalive_time", 60 * MINUTE, making),
        idle_ms=millis(level, "keepalive_timeout", MINUTE, making),
    )


def _transport(level: Level, making: Making) -> plan.Transport:
    kept = Kept()
    read = millis(level, "proxy_read_timeout", MINUTE, making)
    return plan.Transport(
        protocol=_protocol(level, making),
        connect_ms=millis(level, "proxy_connect_timeout", MINUTE, making),
        response_head_ms=read,
        read_idle_ms=read,
        write_idle_ms=millis(level, "proxy_send_timeout", MINUTE, making),
        pool=plan.Pool(
            max_idle=kept.idle,
            idle_ms=kept.idle_ms,
            unsafe_idle_ms=3_000,
            max_requests=kept.requests,
            max_age_ms=kept.age_ms,
        ),
        limits=plan.ResponseLimits(
            # nginx refuses a head that does not fit this buffer; 8 KB at least here, for its default is a page of memory.
            head_bytes=max(size(level, "proxy_buffer_size", 8_192, making), 8_192),
            fields=1_000,
            chunk_line_bytes=4_096,
            bare_lf=True,
        ),
        resolve_ms=30_000,
        tls=None,
    )


def _protocol(level: Level, making: Making) -> plan.UpstreamProtocol:
    found = level.last("proxy_http_version")
    version = found.args[0] if found is not None and found.args else "1.1"
    if version == "1.0":
        return plan.UpstreamProtocol.HTTP10
    if version != "1.1" and found is not None:
        later = version in {"2", "2.0"}
        message = "not yet: HTTP/2 to upstreams comes later" if later else f'invalid value "{version}"'
        complain(making, found, message, argument=0, kind="not_yet" if later else "value", remedy="1.1 or 1.0")
    return plan.UpstreamProtocol.HTTP11


def _retry(level: Level, making: Making) -> plan.Retry:
    found = level.last("proxy_next_upstream")
    words = found.args if found is not None else ("error", "timeout")
    on: dict[plan.RetryOn, None] = {}
    for index, word in enumerate(words):
        if word == "error":
            on.update({plan.Unsent(): None, plan.Error(): None})
        elif word == "timeout":
            on[plan.Timeout()] = None
        elif word == "invalid_header":
            on[plan.InvalidResponse()] = None
        elif word.startswith("http_") and word[5:].isdigit() and int(word[5:]) in _STATUSES:
            on[plan.Status(int(word[5:]))] = None
        elif word not in _NEXT and found is not None:
            known = ", ".join([*_NEXT[:-1], *(f"http_{status}" for status in sorted(_STATUSES))])
            complain(making, found, f'invalid value "{word}"', argument=index, remedy=f"one of {known}")
    off = "off" in words
    return plan.Retry(
        on=() if off else tuple(on),
        tries=number(level, "proxy_next_upstream_tries", 0, making),
        timeout_ms=millis(level, "proxy_next_upstream_timeout", 0, making),
        non_idempotent="non_idempotent" in words,
        resend_on_stale=True,
    )
