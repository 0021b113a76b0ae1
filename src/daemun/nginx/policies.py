"""How nginx reads clients, as the Plan's policy: limits, tolerances, timeouts, connections kept.

Facts (nginx): a head has `client_header_buffer_size` and `large_client_header_buffers` together, a line of it one large
buffer; heads may end lines with a bare LF; names with underscores or odd characters are dropped unless told otherwise.
Decisions: what nginx lets a location say of connections is taken from its server, for the engine knows the server when
it reads; only the limit of bodies is a location's own. `keepalive_timeout 0` is one request a connection.
"""

from __future__ import annotations

from daemun.nginx.level import Level
from daemun.nginx.making import Making
from daemun.nginx.values import flag, millis, number, size
from daemun.plan import http

MINUTE = 60_000
_HIGHEST_U32 = 2**32 - 1
_CHUNK_LINE_BYTES = 4_096
_STREAM_WINDOW = 65_536
_CONNECTION_WINDOW = 2**31 - 1
NAMES = frozenset(
    [
        "client_header_buffer_size",
        "large_client_header_buffers",
        "max_headers",
        "client_max_body_size",
        "underscores_in_headers",
        "ignore_invalid_headers",
        "merge_slashes",
        "client_header_timeout",
        "client_body_timeout",
        "send_timeout",
        "keepalive_timeout",
        "keepalive_requests",
        "keepalive_time",
        "http2_max_concurrent_streams",
    ]
)
# Of these a location's own word is not heard.
OF_THE_SERVER = ("client_body_timeout", "send_timeout", "keepalive_timeout", "keepalive_requests", "keepalive_time")
BODY_BYTES = 1_048_576


def policy(level: Level, making: Making) -> http.HttpPolicy:
    """Return the policy of a server."""
    line = size(level, "large_client_header_buffers", 8_192, making, argument=1)
    lines = number(level, "large_client_header_buffers", 4, making)
    head = min(size(level, "client_header_buffer_size", 1_024, making) + lines * line, _HIGHEST_U32)
    keepalive = millis(level, "keepalive_timeout", 75_000, making)
    underscores = flag(level, "underscores_in_headers", making, default=False)
    ignore_odd = flag(level, "ignore_invalid_headers", making, default=True)
    return http.HttpPolicy(
        limits=http.Limits(
            head_bytes=head,
            target_bytes=min(line, _HIGHEST_U32),
            field_bytes=min(line, _HIGHEST_U32),
            fields=number(level, "max_headers", 1_000, making),
            body_bytes=size(level, "client_max_body_size", BODY_BYTES, making),
            chunk_line_bytes=_CHUNK_LINE_BYTES,
        ),
        tolerate=http.Tolerances(
            bare_lf=True,
            # An underscore is an odd character unless it is allowed, and those are kept together with the others.
            underscores=http.Underscores.KEEP if underscores or not ignore_odd else http.Underscores.DROP,
            odd_names=http.OddNames.DROP if ignore_odd else http.OddNames.KEEP,
            empty_host=False,
        ),
        path=http.PathPolicy(
            form=http.PathForm.DECODED,
            merge_slashes=flag(level, "merge_slashes", making, default=True),
            resolve_dots=True,
            refuse_above_root=True,
            refuse_fragment=False,
            query_semicolons=http.QuerySemicolons.KEEP,
        ),
        forwarded=http.Forwarded(trust_all=False, trusted=(), strip=(), add=None, keep_listed=()),
        timeouts=http.ClientTimeouts(
            head_ms=millis(level, "client_header_timeout", MINUTE, making),
            body_idle_ms=millis(level, "client_body_timeout", MINUTE, making),
            body_min_rate=0,
            write_idle_ms=millis(level, "send_timeout", MINUTE, making),
            keepalive_ms=keepalive or 1,
        ),
        keepalive=http.KeepAlive(
            max_requests=number(level, "keepalive_requests", 1_000, making) if keepalive else 1,
            max_age_ms=millis(level, "keepalive_time", 60 * MINUTE, making),
        ),
        http2=http.Http2Limits(
            max_concurrent_streams=number(level, "http2_max_concurrent_streams", 128, making),
            max_header_list_bytes=head,
            initial_stream_window=_STREAM_WINDOW,
            initial_connection_window=_CONNECTION_WINDOW,
        ),
    )
