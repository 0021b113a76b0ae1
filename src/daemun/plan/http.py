"""How HTTP messages from clients are read and judged, per listener and per virtual host.

Tolerances live here and never touch framing (DESIGN.md, law 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemun.plan.scalars import U32, U64, Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """Everything about reading a client."""

    limits: Limits
    tolerate: Tolerances
    path: PathPolicy
    forwarded: Forwarded
    timeouts: ClientTimeouts
    keepalive: KeepAlive
    http2: Http2Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes that are refused beyond."""

    # Request line and fields together, bytes (431).
    head_bytes: U32
    # The request target, bytes (414).
    target_bytes: U32
    # One field line, bytes (431).
    field_bytes: U32
    # Fields in one head, and in one trailer section (431).
    fields: U32
    # A body, bytes (413); 0 for no limit.
    body_bytes: U64
    # Chunk-size line with its extensions, bytes (400).
    chunk_line_bytes: U32


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """What is read although it is not quite right."""

    # A bare LF ends a head line (RFC 9112 section 2.2); it goes on as CRLF. Never in chunk framing.
    bare_lf: bool
    # Field names with an underscore.
    underscores: Underscores
    # Field names that hold anything but letters, digits, hyphens and underscores, though HTTP allows it
    # (nginx `ignore_invalid_headers`).
    odd_names: OddNames
    # A Host that is there and names none (RFC 9112 section 3.2 allows it); else 400.
    empty_host: bool


class Underscores(StrEnum):
    """What becomes of field names with an underscore."""

    KEEP = "keep"
    DROP = "drop"


class OddNames(StrEnum):
    """What becomes of field names beyond letters, digits, hyphens and underscores."""

    KEEP = "keep"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPolicy:
    """What becomes of the request target before routing. The raw target is always kept apart."""

    form: PathForm
    # `//` becomes `/`.
    merge_slashes: bool
    # `.` and `..` segments are resolved (RFC 3986 section 5.2.4).
    resolve_dots: bool
    # `..` above the root is refused (nginx) instead of ending at the root.
    refuse_above_root: bool
    # `#` in the target is refused with 400; else it ends the path, and only the raw target keeps it.
    refuse_fragment: bool
    # `;` in the query becomes `&`.
    query_semicolons: QuerySemicolons


class PathForm(StrEnum):
    """How the current path is kept."""

    # Percent-encoded: unreserved characters decoded, hex upper-cased (Traefik). Matching sees it with everything but reserved characters decoded.
    ENCODED = "encoded"
    # Percent-decoded whole (nginx); encoded again when it goes upstream.
    DECODED = "decoded"


class QuerySemicolons(StrEnum):
    """What becomes of `;` in the query."""

    KEEP = "keep"
    # `;` separates like `&` and goes on as `&`.
    AMPERSAND = "ampersand"
    # `;` goes on as `%3B`.
    ENCODE = "encode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """Who may say where a request came from, and what is said upstream."""

    # Every peer is believed.
    trust_all: bool
    # Peers that are believed (CIDR or address).
    trusted: tuple[str, ...]
    # Fields removed when the peer is not believed; lower-case. Their underscore spellings go too.
    strip: tuple[str, ...]
    # Adds the X-Forwarded family as Traefik does; nothing when absent.
    add: ForwardedAdd | None
    # Fields that stay although `Connection` names them; lower-case.
    keep_listed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardedAdd:
    """The X-Forwarded family."""

    # The value of X-Forwarded-Server.
    server: str
    # The peer's address is appended to X-Forwarded-For.
    append_for: bool
    # X-Forwarded-Proto says ws or wss for WebSocket upgrades.
    websocket_proto: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTimeouts:
    """How long a client may take."""

    # From the first byte of a head to its end (408).
    head_ms: Millis
    # Between two reads of a body (408).
    body_idle_ms: Millis
    # A body slower than this, averaged over `body_idle_ms`, counts as idle; bytes a second, 0 for none.
    body_min_rate: U64
    # Between two writes to a client that takes nothing.
    write_idle_ms: Millis
    # Between two requests, and before the first.
    keepalive_ms: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """How long a connection may serve."""

    # Requests on one connection; 0 for no limit.
    max_requests: U64
    # A connection older than this ends after its current response; 0 for no limit.
    max_age_ms: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Http2Limits:
    """HTTP/2 settings towards clients."""

    max_concurrent_streams: U32
    max_header_list_bytes: U32
    initial_stream_window: U32
    initial_connection_window: U32
