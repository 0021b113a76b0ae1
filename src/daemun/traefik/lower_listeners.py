"""Entry points to the Plan: listener, virtual host and HTTP policy, with Traefik's defaults made explicit.

Facts: Traefik's head limit is one megabyte and it has no other; `//`, `.` and `..` are resolved unless
sanitizePath is false; `;` in a query separates. Decisions: readTimeout is an idle timeout with a minimum
rate here, for as a whole-request timeout it breaks long uploads (COMPAT section 5). An entry point that takes
datagrams is not opened by this version. What TLS adds is made in lower_tls.py. Which routers it serves is decided in lower_routers.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daemun.errors import Place
from daemun.plan import http, listener
from daemun.plan.origin import Origin
from daemun.plan.scalars import Id
from daemun.traefik.dynamic import Router
from daemun.traefik.entry_point import EntryPoint
from daemun.traefik.static import Static

INTERNAL_ENTRY_POINT = "traefik"
FAULTS: Id = "traefik"
ACCESS_LOG: Id = "access"

_DEFAULT_ENTRY_POINT = EntryPoint(address=":80")
_INTERNAL_ENTRY_POINT = EntryPoint(address=":8080")
_BACKLOG = 4096
_GO_HEAD_BYTES = 1_048_576  # http.DefaultMaxHeaderBytes, what 0 means
_MOST_FIELDS = 1000  # Go has no limit beside the head's; each field costs an index entry here
_CHUNK_LINE_BYTES = 4096  # net/http's maxLineLength
_BODY_MIN_RATE = 240  # bytes a second: below it a body counts as idle
_STREAM_WINDOW = 1_048_576
_HIGHEST_U32 = 2**32 - 1
# Traefik's managed fields; X-Forwarded-Scheme and X-Scheme since 3.8.
_MANAGED = (
    "x-forwarded-proto",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-prefix",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-forwarded-scheme",
    "x-scheme",
    "x-real-ip",
)


@dataclass(frozen=True, kw_only=True)
class GateTls:
    """What TLS adds to an entry point: nothing by default."""

    terminates: listener.ListenerTls | None = None
    names: tuple[listener.HostName, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gate:
    """An entry point that this version opens."""

    name: str
    entry_point: EntryPoint
    origin: Origin
    internal: bool = False

    @property
    def access_logs(self) -> bool:
        """Tell whether its requests are logged unless a router says otherwise."""
        return self.entry_point.observability.access_logs


def open_gates(static: Static) -> dict[str, Gate]:
    """Return the entry points to open: those of the file, Traefik's default, the internal one of ping and API."""
    entry_points = dict(static.entry_points)
    if not any(name != INTERNAL_ENTRY_POINT for name in entry_points):
        entry_points["http"] = _DEFAULT_ENTRY_POINT
    ping = static.ping
    pings = ping is not None and ping.entry_point == INTERNAL_ENTRY_POINT
    if pings or (static.api is not None and static.api.insecure):
        entry_points.setdefault(INTERNAL_ENTRY_POINT, _INTERNAL_ENTRY_POINT)
    return {
        name: Gate(
            name=name,
            entry_point=entry_point,
            origin=_origin(static, name),
            internal=name == INTERNAL_ENTRY_POINT and name not in static.entry_points,
        )
        for name, entry_point in entry_points.items()
        if not entry_point.is_udp
    }


def _origin(static: Static, name: str) -> Origin:
    place = static.origins.get(name, Place(file=static.origin_file))
    return Origin(name=name, file=place.file, line=place.line)


def default_gates(gates: dict[str, Gate]) -> tuple[str, ...]:
    """Return the entry points of a router that names none, sorted."""
    chosen = [name for name, gate in gates.items() if gate.entry_point.as_default]
    return tuple(sorted(chosen or [name for name in gates if name != INTERNAL_ENTRY_POINT]))


def gates_of(router: Router, gates: Mapping[str, Gate], defaults: tuple[str, ...]) -> tuple[str, ...]:
    """Return the open entry points that a router is on."""
    return tuple(dict.fromkeys(name for name in router.entry_points or defaults if name in gates))


def lower_listener(gate: Gate, tls: GateTls = GateTls()) -> listener.Listener:
    """Return the gate's listener; host, table and policy go by the gate's name."""
    life_cycle = gate.entry_point.transport.life_cycle
    return listener.Listener(
        origin=gate.origin,
        bind=listener.Tcp(host=gate.entry_point.host, port=gate.entry_point.port),
        backlog=_BACKLOG,
        max_connections=0,
        proxy_protocol=None,
        tls=tls.terminates,
        protocols=(listener.Protocol.HTTP1, listener.Protocol.HTTP2),
        http=gate.name,
        hosts=listener.Hosts(names=tls.names, default=gate.name),
        closing=listener.Closing(
            accept_grace_ms=millis(life_cycle.request_accept_grace_timeout),
            grace_ms=millis(life_cycle.grace_time_out),
        ),
    )


def lower_host(gate: Gate, *, logs: tuple[Id, ...], tls_options: Id | None = None) -> listener.Host:
    """Return the gate's virtual host, or the one for names with TLS options of their own."""
    return listener.Host(
        origin=gate.origin,
        server_name="",
        http=gate.name,
        tls_options=tls_options,
        certificates=(),
        filters=(),
        table=gate.name,
        faults=FAULTS,
        logs=logs if gate.access_logs else (),
    )


def lower_policy(gate: Gate, static: Static, *, hostname: str) -> http.HttpPolicy:
    """Return how the gate reads its clients."""
    options = gate.entry_point.http
    head_bytes = min(options.max_header_bytes or _GO_HEAD_BYTES, _HIGHEST_U32)
    encode = options.encode_query_semicolons
    return http.HttpPolicy(
        limits=http.Limits(
            head_bytes=head_bytes,
            target_bytes=head_bytes,
            field_bytes=head_bytes,
            fields=_MOST_FIELDS,
            body_bytes=0,
            chunk_line_bytes=_CHUNK_LINE_BYTES,
        ),
        tolerate=http.Tolerances(
            bare_lf=False,
            odd_names=http.OddNames.KEEP,
            empty_host=True,
            underscores=http.Underscores.KEEP
            if options.underscore_headers_strategy == "keep"
            else http.Underscores.DROP,
        ),
        path=http.PathPolicy(
            form=http.PathForm.ENCODED,
            merge_slashes=options.sanitize_path,
            resolve_dots=options.sanitize_path,
            refuse_above_root=False,
            refuse_fragment=True,
            query_semicolons=http.QuerySemicolons.ENCODE if encode else http.QuerySemicolons.AMPERSAND,
        ),
        forwarded=_forwarded(gate, static, hostname=hostname),
        timeouts=_timeouts(gate),
        keepalive=http.KeepAlive(
            max_requests=gate.entry_point.transport.keep_alive_max_requests,
            max_age_ms=millis(gate.entry_point.transport.keep_alive_max_time),
        ),
        http2=http.Http2Limits(
            max_concurrent_streams=min(gate.entry_point.http2.max_concurrent_streams, _HIGHEST_U32),
            max_header_list_bytes=head_bytes,
            initial_stream_window=_STREAM_WINDOW,
            initial_connection_window=_STREAM_WINDOW,
        ),
    )


def millis(seconds: float) -> int:
    """Return whole milliseconds; something above zero stays above zero, for 0 means no limit."""
    if seconds <= 0:
        return 0
    return max(1, round(seconds * 1000))


def _forwarded(gate: Gate, static: Static, *, hostname: str) -> http.Forwarded:
    options = gate.entry_point.forwarded_headers
    append = not (options.not_append_x_forwarded_for or static.global_.not_append_x_forwarded_for)
    kept = dict.fromkeys([*_MANAGED, *(name.lower() for name in options.connection)])
    return http.Forwarded(
        trust_all=options.insecure,
        trusted=options.trusted_ips,
        strip=_MANAGED,
        add=http.ForwardedAdd(server=hostname, append_for=append, websocket_proto=True),
        keep_listed=tuple(kept),
    )


def _timeouts(gate: Gate) -> http.ClientTimeouts:
    timeouts = gate.entry_point.transport.responding_timeouts
    read = millis(timeouts.read_timeout)
    return http.ClientTimeouts(
        head_ms=read,
        body_idle_ms=read,
        body_min_rate=_BODY_MIN_RATE if read else 0,
        write_idle_ms=millis(timeouts.write_timeout),
        keepalive_ms=millis(timeouts.idle_timeout),
    )
